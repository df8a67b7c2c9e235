/** Takes the place of daemon/reconcile/operations/executors.ts in the bundle of the crash matrix. */
import type { Operation } from '../../../daemon/plan/operation.ts';
import { execute as executeReally } from '../../../daemon/reconcile/operations/executors.ts';
import type { OperationContext } from '../../../daemon/reconcile/operations/operation-context.ts';
import { inOperation } from './crash-point.ts';

export function execute(operation: Operation, context: OperationContext): Promise<void> {
  return inOperation(operation.kind, () => executeReally(operation, context));
}
