/**
 * Restart: from the records and one reading of the mount table to the states that may be believed. What the table
 * proves is taken as it is, so that a running mount stays untouched; everything else is uncertain and is either done
 * again or undone, once it is known which (kubelet: reconstruct.go marks all of it uncertain).
 */
import type { ActualVolume } from '../world/actual-state-of-world.ts';
import { expectedDeviceMount, expectedPodMount } from '../world/expected-mounts.ts';
import type { AttachState, DeviceMountState, VolumeMountState } from '../world/mount-state.ts';
import type { MountTable } from '../world/mount-table.ts';
import { type ExpectedMount, findMount } from '../world/recorded-mount.ts';
import type { VolumeRecord } from '../world/volume-record.ts';

/** @param isAttached whether the kernel still has the recorded device on the recorded backing file */
export function reconstructVolume(record: VolumeRecord, table: MountTable, isAttached: boolean): ActualVolume {
  const volume: ActualVolume = {
    record,
    attachState: attachStateOf(record, isAttached),
    deviceMountState: 'DeviceNotMounted',
    podStates: new Map(),
  };
  const pods = Object.values(record.pods).map((pod) => {
    const expected = expectedPodMount(volume, pod);
    return [pod.pod.uid, podState(expected, pod.observed !== undefined, table)] as const;
  });
  return { ...volume, deviceMountState: deviceState(volume, table), podStates: new Map(pods) };
}

function attachStateOf(record: VolumeRecord, isAttached: boolean): AttachState {
  if (record.recipe.attachment === undefined) return 'NotAttached';
  if (record.isAttachUncertain === true) return 'AttachUncertain';
  if (record.attached === undefined) return 'NotAttached';
  return isAttached ? 'Attached' : 'AttachUncertain';
}

function deviceState(volume: ActualVolume, table: MountTable): DeviceMountState {
  const expected = expectedDeviceMount(volume);
  if (expected === undefined) return 'DeviceNotMounted';
  const isProven = volume.record.deviceObserved !== undefined && findMount(table, expected).kind === 'asExpected';
  return isProven ? 'DeviceGloballyMounted' : 'DeviceMountUncertain';
}

/** A plain directory has no mount that could prove it: its operation looks again, and changes nothing if it is there. */
function podState(expected: ExpectedMount | undefined, isObserved: boolean, table: MountTable): VolumeMountState {
  const isProven = expected !== undefined && isObserved && findMount(table, expected).kind === 'asExpected';
  return isProven ? 'VolumeMounted' : 'VolumeMountUncertain';
}

/** Mounts below the root dir that no record knows: listed, never touched. */
export function findOrphans(records: readonly VolumeRecord[], table: MountTable, rootDir: string): readonly string[] {
  const known = new Set<string>();
  for (const record of records) {
    known.add(record.recipe.globalMountPath);
    for (const pod of Object.values(record.pods)) known.add(pod.targetPath);
  }
  const below = [`${rootDir}/pods`, `${rootDir}/plugins`].flatMap((dir) => table.under(dir));
  return [...new Set(below.map((mount) => mount.mountPoint))].filter((path) => !known.has(path)).sort();
}
