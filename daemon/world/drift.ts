/** Where the kernel's mount table no longer shows what the actual state of world says. Pure. */
import type { ActualStateOfWorld, ActualVolume } from './actual-state-of-world.ts';
import { expectedDeviceMount, expectedPodMount } from './expected-mounts.ts';
import type { MountTable } from './mount-table.ts';
import { findMount, type MountFinding } from './recorded-mount.ts';
import type { UniqueVolumeName } from './unique-volume-name.ts';
import type { ObservedMount } from './volume-record.ts';

export interface Drift {
  readonly volumeName: UniqueVolumeName;
  /** '' for the global mount. */
  readonly podUid: string;
  readonly path: string;
  /** What it was, as it was seen last; an NFS mount's superblock may be that of others too and is left out. */
  readonly observed: ObservedMount | undefined;
  readonly finding: Exclude<MountFinding, { kind: 'asExpected' }>;
}

/** Only what is marked as mounted can drift; uncertain mounts are looked at by their operation. */
export function findDrift(asw: ActualStateOfWorld, table: MountTable): readonly Drift[] {
  return [...asw.volumes.values()].flatMap((volume) => findVolumeDrift(volume, table));
}

export function findVolumeDrift(volume: ActualVolume, table: MountTable): readonly Drift[] {
  return [...deviceDrift(volume, table), ...podDrift(volume, table)];
}

function deviceDrift(volume: ActualVolume, table: MountTable): readonly Drift[] {
  const expected = expectedDeviceMount(volume);
  if (volume.deviceMountState !== 'DeviceGloballyMounted' || expected === undefined) return [];
  const finding = findMount(table, expected);
  if (finding.kind === 'asExpected') return [];
  return [
    {
      volumeName: volume.record.name,
      podUid: '',
      path: expected.path,
      observed: volume.record.deviceObserved,
      finding,
    },
  ];
}

function podDrift(volume: ActualVolume, table: MountTable): readonly Drift[] {
  return Object.values(volume.record.pods).flatMap((pod) => {
    const expected = expectedPodMount(volume, pod);
    if (volume.podStates.get(pod.pod.uid) !== 'VolumeMounted' || expected === undefined) return [];
    const finding = findMount(table, expected);
    if (finding.kind === 'asExpected') return [];
    const isOwn = pod.mount.kind === 'bind' || pod.mount.kind === 'tmpfs';
    const observed = isOwn ? pod.observed : undefined;
    return [{ volumeName: volume.record.name, podUid: pod.pod.uid, path: expected.path, observed, finding }];
  });
}

/** Whether something that is not ours is the visible mount at one of the volume's own paths. */
export function isHeldByForeign(volume: ActualVolume | undefined, path: string, table: MountTable): boolean {
  if (volume === undefined) return table.top(path) !== undefined;
  const pods = Object.values(volume.record.pods).map((pod) => expectedPodMount(volume, pod));
  const expected = [expectedDeviceMount(volume), ...pods].find((mount) => mount?.path === path);
  if (expected === undefined) return table.top(path) !== undefined;
  const { kind } = findMount(table, expected);
  return kind === 'foreign' || kind === 'covered';
}
