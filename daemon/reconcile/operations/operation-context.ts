import type { Clock } from '../../ports/clock.ts';
import type { EventRecorder } from '../../ports/events.ts';
import type { Host } from '../../ports/host.ts';
import type { NfsServers } from '../../ports/nfs-servers.ts';
import type { Secrets } from '../../ports/secrets.ts';
import type { ActualStateOfWorld } from '../../world/actual-state-of-world.ts';
import type { DiskLayout } from '../../world/disk-layout.ts';
import type { UniqueVolumeName } from '../../world/unique-volume-name.ts';
import type { VolumeRecord } from '../../world/volume-record.ts';

/** What one running operation may touch. Operations are the writers of the actual state of world. */
export interface OperationContext {
  readonly asw: ActualStateOfWorld;
  readonly host: Host;
  readonly layout: DiskLayout;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly secrets: Secrets;
  /** For what is worth telling although the operation goes on: a path of several that is missing. */
  readonly events: EventRecorder;
  readonly servers: NfsServers;
  /** The record of a volume that was here before and has left only its format record. */
  retiredRecord(name: UniqueVolumeName): VolumeRecord | undefined;
  /** Writes the volume's record as the actual state of world has it; durable after `durable()`. */
  saveRecord(name: UniqueVolumeName): void;
  /** Takes the record off the disk, or keeps a retired one if the volume was ever formatted. */
  retireRecord(record: VolumeRecord): void;
  /** Intent is on disk before the effect: resolves when every record saved so far is. */
  durable(): Promise<void>;
}
