import { findOrphans, reconstructVolume } from '../plan/reconstruct.ts';
import type { EventRecorder } from '../ports/events.ts';
import type { Host } from '../ports/host.ts';
import type { Logger } from '../ports/logger.ts';
import type { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import type { DiskLayout } from '../world/disk-layout.ts';
import type { VolumeRecord } from '../world/volume-record.ts';
import { attachmentKindOf } from './attachments/attachment-kinds.ts';

export interface ReconstructorOptions {
  readonly asw: ActualStateOfWorld;
  readonly records: readonly VolumeRecord[];
  readonly host: Host;
  readonly layout: DiskLayout;
  readonly logger: Logger;
  readonly events: EventRecorder;
}

/** At start: records and kernel into the actual state of world. Reads only; mounts and unmounts nothing. */
export async function reconstruct(options: ReconstructorOptions): Promise<void> {
  const { asw, host, layout, logger, events } = options;
  const records = options.records.filter((record) => record.retired !== true);
  const table = await host.mountTable.refresh();
  let uncertain = 0;
  for (const record of records) {
    const volume = reconstructVolume(record, table, isStillAttached(record, host));
    asw.restoreVolume(volume);
    const states = [volume.deviceMountState, ...volume.podStates.values(), volume.attachState];
    if (states.some((state) => state.endsWith('Uncertain'))) uncertain++;
  }
  const orphans = findOrphans(records, table, layout.rootDir);
  for (const path of orphans) {
    const message = `There is a mount at "${path}" that no record knows: it is left alone`;
    events.record({ reason: 'OrphanedMount', regarding: `Path/${path}`, message });
  }
  logger.info('worlds reconstructed', { volumes: records.length, uncertain, orphans: orphans.length });
}

/** Whether the recorded device is still the recorded volume; a device that cannot be read counts as not. */
function isStillAttached(record: VolumeRecord, host: Host): boolean {
  const { attachment } = record.recipe;
  if (attachment === undefined || record.attached === undefined) return false;
  try {
    return attachmentKindOf(attachment).isStillAttached(record, attachment, host);
  } catch {
    return false;
  }
}
