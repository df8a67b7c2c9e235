import type { ControlWait } from '../controllers/control-waits.ts';
import type { CopyState } from '../controllers/copy-queue.ts';
import type { Hold } from '../plan/pass.ts';
import type { Nodes } from '../plan/this-node.ts';
import type { StalledServer } from '../ports/nfs-servers.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { VolumeDrift } from '../reconcile/drift-log.ts';
import type { FailedOperation, RunningOperation } from '../reconcile/operation-executor.ts';
import type { VolumeCondition } from '../reconcile/volume-health.ts';
import type { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import type { DesiredStateOfWorld } from '../world/desired-state-of-world.ts';
import type { MountTable } from '../world/mount-table.ts';
import type { UniqueVolumeName } from '../world/unique-volume-name.ts';

/** One consistent look at the daemon, from which every answer of the control socket is made. */
export interface DaemonSnapshot {
  readonly objects: Pick<ObjectStore, 'get' | 'list'>;
  readonly nodes: Nodes;
  /** RFC 3339: when the daemon was started. */
  readonly startedAt: string;
  readonly dsw: DesiredStateOfWorld;
  readonly asw: ActualStateOfWorld;
  readonly mounts: MountTable;
  readonly running: readonly RunningOperation[];
  /** By operation key. */
  readonly failed: ReadonlyMap<string, FailedOperation>;
  /** By the server's name. */
  readonly stalledServers: ReadonlyMap<string, StalledServer>;
  readonly holds: readonly Hold[];
  /** Why claims, volumes and sets wait, by "Kind/namespace/name". */
  readonly waits: ReadonlyMap<string, ControlWait>;
  /** Images that are copied, or wait for their turn. */
  readonly copies: readonly CopyState[];
  /** What is wrong with mounted filesystems. */
  readonly conditions: ReadonlyMap<UniqueVolumeName, VolumeCondition>;
  /** What other people did to volumes, since the daemon's start. */
  readonly drift: ReadonlyMap<UniqueVolumeName, VolumeDrift>;
  /** Milliseconds on the monotonic clock. */
  readonly now: number;
  readonly draining: boolean;
}
