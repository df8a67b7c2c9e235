import type { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import type { FailedOperation, OperationExecutor, RunningOperation } from './operation-executor.ts';

/** How far the growth of a PersistentVolume is on this machine: what its claim's status is made of. */
export function nodeExpansionOf(
  persistentVolume: string,
  asw: ActualStateOfWorld,
  { running, failed }: Pick<OperationExecutor, 'running' | 'failed'>,
): { readonly expandedBytes: bigint; readonly isRunning: boolean; readonly error?: string } {
  const grown = [...asw.volumes.values()].find(({ record }) => record.expanded?.persistentVolume === persistentVolume);
  const isOurs = ({ operation }: RunningOperation | FailedOperation) =>
    operation.kind === 'expandVolume' && operation.volume.size?.persistentVolume === persistentVolume;
  const failure = [...failed.values()].find(isOurs);
  return {
    expandedBytes: BigInt(grown?.record.expanded?.bytes ?? 0),
    isRunning: running.some(isOurs),
    ...(failure === undefined ? {} : { error: failure.error.message }),
  };
}
