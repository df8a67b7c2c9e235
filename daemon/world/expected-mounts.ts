/** What the mount table must show for a volume, from its record. */
import type { ActualVolume } from './actual-state-of-world.ts';
import type { ExpectedMount } from './recorded-mount.ts';
import type { ObservedMount, PodVolumeRecord } from './volume-record.ts';

export function expectedDeviceMount(volume: ActualVolume): ExpectedMount | undefined {
  const { recipe, attached, deviceObserved } = volume.record;
  if (recipe.deviceMount === undefined) return undefined;
  const { fsType, readOnly } = recipe.deviceMount;
  return { path: recipe.globalMountPath, identity: deviceObserved ?? unrecordedDevice(fsType, attached), readOnly };
}

/** btrfs shows an anonymous device number of its own in mountinfo, not that of the block device. */
function unrecordedDevice(fsType: string, attached: ActualVolume['record']['attached']): Partial<ObservedMount> {
  const device = fsType === 'btrfs' ? undefined : attached?.deviceNumber;
  return device === undefined ? { fsType, root: '/' } : { fsType, root: '/', device };
}

/** undefined for an emptyDir that is a plain directory: there is no mount to look for. */
export function expectedPodMount(volume: ActualVolume, pod: PodVolumeRecord): ExpectedMount | undefined {
  const { mount, observed, targetPath: path } = pod;
  switch (mount.kind) {
    case 'directory':
      return undefined;
    case 'tmpfs':
      // The number of a tmpfs that was unmounted goes to the next one, which may be a stranger's in its place.
      return { path, identity: observed ?? { fsType: 'tmpfs', root: '/' }, source: 'tmpfs', readOnly: false };
    case 'bind':
      return { path, identity: observed ?? globalIdentity(volume), readOnly: mount.readOnly };
    case 'local':
      // Never nothing known: then whatever is there is a stranger's.
      return { path, identity: observed ?? pod.directory ?? { root: '' }, readOnly: mount.readOnly };
    case 'nfs': {
      const { readOnly, source: nfsSource } = mount;
      return { path, identity: observed ?? { root: '/' }, nfsSource, readOnly };
    }
    case 'deviceBind':
      return { path, identity: observed ?? unrecordedNode(volume), readOnly: mount.readOnly, allowDevices: true };
  }
}

/** A bind shows the filesystem of its source; never nothing, or a stranger's mount would pass for ours. */
function globalIdentity({ record }: ActualVolume): Partial<ObservedMount> {
  const { recipe, attached, deviceObserved } = record;
  return deviceObserved ?? unrecordedDevice(recipe.deviceMount?.fsType ?? '', attached);
}

/** A bind of a device node shows the node's path inside devtmpfs as its root: "/loop3". */
function unrecordedNode(volume: ActualVolume): Partial<ObservedMount> {
  const name = volume.record.attached?.devicePath.split('/').at(-1);
  return name === undefined ? {} : { root: `/${name}` };
}
