/** The collection `volumes` of the state dir: what was done, and may have been done, to each volume. */
import type { StateStore } from '../ports/state-store.ts';
import type { UniqueVolumeName } from '../world/unique-volume-name.ts';
import { endsWithItsPod } from '../world/volume-recipe.ts';
import type { VolumeRecord } from '../world/volume-record.ts';

export function volumeRecords(state: StateStore): readonly VolumeRecord[] {
  return [...state.entries('volumes').values()] as readonly VolumeRecord[];
}

export function retiredVolumeRecord(state: StateStore, name: UniqueVolumeName): VolumeRecord | undefined {
  return state.entries('volumes').get(name) as VolumeRecord | undefined;
}

export function writeVolumeRecord(state: StateStore, record: VolumeRecord | undefined): void {
  if (record !== undefined) state.put('volumes', record.name, record);
}

function retiredOf({ name, plugin, recipe, format, iscsi }: VolumeRecord): VolumeRecord | undefined {
  const identity = iscsi?.wwid === undefined ? {} : { iscsi: { paths: [], wwid: iscsi.wwid } };
  if (format === undefined || endsWithItsPod(recipe)) return undefined;
  return { name, plugin, recipe, format, ...identity, pods: {}, retired: true };
}

/**
 * Takes the record away, or leaves of it what a later format decision must know. An inline volume's image is gone for
 * good, so nothing is left to know.
 */
export function retireVolumeRecord(state: StateStore, record: VolumeRecord): void {
  const retired = retiredOf(record);
  if (retired === undefined) state.remove('volumes', record.name);
  else state.put('volumes', record.name, retired);
}
