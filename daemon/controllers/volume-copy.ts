/** A copy of a volume's image that is of one moment, whatever the volume is doing. */
import type { ImageCopies, ImageCopyReport, ImageCopyRequest } from '../ports/image-copies.ts';
import type { VolumeSource } from '../ports/volume-plugin.ts';
import type { VolumesInUse } from '../ports/volumes-in-use.ts';
import { StorageError } from '../world/storage-error.ts';
import type { FreezeRecords } from './freeze-records.ts';

export interface VolumeCopyParts {
  readonly imageCopies: ImageCopies;
  readonly volumesInUse: VolumesInUse;
  readonly freezes: FreezeRecords;
}

export interface VolumeCopyRequest extends Omit<ImageCopyRequest, 'source' | 'way'> {
  readonly source: VolumeSource;
  readonly limitMs: number;
  readonly isFrozen: boolean;
}

export interface VolumeCopyReport extends ImageCopyReport {
  /** Of the data: whole, as after a power cut, or nobody was writing. */
  readonly consistency: 'filesystem' | 'crash' | 'atRest';
}

const consistencyOf = { atRest: 'atRest', frozen: 'filesystem', atomic: 'crash' } as const;

/** @throws StorageError also while an operation on the volume is under way (Busy, transient) */
export async function copyVolume(
  { source, limitMs, isFrozen, ...request }: VolumeCopyRequest,
  { imageCopies, volumesInUse, freezes }: VolumeCopyParts,
  signal: AbortSignal,
): Promise<VolumeCopyReport> {
  // Unmounted while it is frozen, it could not be thawed any more; mounted or grown while it is copied, it would be torn.
  using hold = volumesInUse.hold(source.name);
  if (hold === undefined) {
    const message = `Cannot copy volume "${source.name}": an operation on it is under way`;
    throw new StorageError(message, { code: 'Busy', progress: 'transient' });
  }
  const way = await volumesInUse.copyWay(source, { limitMs, isFrozen });
  const copy = () => imageCopies.copy({ ...request, source: source.imagePath, way }, signal);
  const report = way.kind === 'frozen' ? await freezes.around(way, source.imagePath, copy) : await copy();
  return { ...report, consistency: consistencyOf[way.kind] };
}
