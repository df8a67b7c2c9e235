import type { Operation, OperationKind } from '../../plan/operation.ts';
import { attachVolume } from './attach-volume.ts';
import { detachVolume } from './detach-volume.ts';
import { expandVolume } from './expand-volume.ts';
import { forgetVolume } from './forget-volume.ts';
import { mountDevice } from './mount-device.ts';
import { mountVolume } from './mount-volume.ts';
import type { OperationContext } from './operation-context.ts';
import { unmountDevice } from './unmount-device.ts';
import { unmountVolume } from './unmount-volume.ts';

type Executors = {
  readonly [K in OperationKind]: (operation: Operation<K>, context: OperationContext) => Promise<void>;
};

/** One executor an operation; an operation without one does not compile. */
const executors: Executors = {
  attachVolume,
  mountDevice,
  expandVolume,
  mountVolume,
  unmountVolume,
  unmountDevice,
  detachVolume,
  forgetVolume,
};

/** Runs one operation; the table above is what proves that each kind meets its own executor. */
export function execute<K extends OperationKind>(operation: Operation<K>, context: OperationContext): Promise<void> {
  const executor: Executors[K] = executors[operation.kind];
  return executor(operation, context);
}
