import { Snapshots, type SnapshotsOptions } from './controllers/snapshots.ts';
import type { Host } from './ports/host.ts';
import { liveVolumes } from './reconcile/live-volumes.ts';
import type { OperationExecutor } from './reconcile/operation-executor.ts';
import type { ActualStateOfWorld } from './world/actual-state-of-world.ts';

interface Parts extends Omit<SnapshotsOptions, 'imageCopies' | 'volumesInUse'> {
  readonly host: Host;
  readonly asw: ActualStateOfWorld;
  /** Made later than what it is given to. */
  readonly executor: () => Pick<OperationExecutor, 'hold'>;
}

/** Snapshots of the volumes of this core. */
export function newSnapshots({ host, asw, executor, ...options }: Parts): Snapshots {
  const volumesInUse = liveVolumes({ asw, host, hold: (name) => executor().hold(name) });
  return new Snapshots({ ...options, imageCopies: host.imageCopies, volumesInUse });
}
