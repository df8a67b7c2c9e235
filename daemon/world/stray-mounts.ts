/** Mounts of other people that concern ours and leave them as they are: reported, never touched. Pure. */
import type { ActualStateOfWorld, ActualVolume } from './actual-state-of-world.ts';
import type { MountInfo } from './mount-info.ts';
import type { MountTable } from './mount-table.ts';
import type { UniqueVolumeName } from './unique-volume-name.ts';

export interface StrayMount {
  readonly volumeName: UniqueVolumeName;
  /** elsewhere: our filesystem, at a path that is not ours (a bind, a moved mount); below: something mounted inside ours. */
  readonly kind: 'elsewhere' | 'below';
  readonly mount: MountInfo;
}

/**
 * Either keeps a volume from being unmounted: EBUSY for what has a mount inside, and no device is unmounted while another
 * mount refers to it. Left out: NFS and device nodes, whose superblock (all exports of a server, /dev) is not ours alone.
 */
export function findStrayMounts(asw: ActualStateOfWorld, table: MountTable): readonly StrayMount[] {
  const strays: StrayMount[] = [];
  const owners = new Map<bigint, ActualVolume>();
  for (const volume of asw.volumes.values()) {
    const paths = ourPaths(volume);
    for (const mount of [...ourDevices(volume)].flatMap((device) => table.ofDevice(device))) {
      if (paths.has(mount.mountPoint)) owners.set(mount.id, volume);
      else strays.push({ volumeName: volume.record.name, kind: 'elsewhere', mount });
    }
  }
  if (owners.size === 0) return strays;
  for (const mount of table.mounts) {
    const owner = owners.get(mount.parentId);
    // What lies on the very path is over ours, not inside: that is drift.
    if (owner === undefined || ourPaths(owner).has(mount.mountPoint)) continue;
    strays.push({ volumeName: owner.record.name, kind: 'below', mount });
  }
  return strays;
}

/** Of volumes that did not change since the last look nothing is made anew: thousands rest while one is mounted. */
const pathsByVolume = new WeakMap<ActualVolume, ReadonlySet<string>>();
const devicesByVolume = new WeakMap<ActualVolume, ReadonlySet<string>>();

function ourPaths(volume: ActualVolume): ReadonlySet<string> {
  const { recipe, pods } = volume.record;
  const make = () => new Set([recipe.globalMountPath, ...Object.values(pods).map(({ targetPath }) => targetPath)]);
  return remembered(pathsByVolume, volume, make);
}

/** Superblocks that are of this volume alone, as they were seen right after its mounts. */
function ourDevices(volume: ActualVolume): ReadonlySet<string> {
  return remembered(devicesByVolume, volume, () => findDevices(volume));
}

function remembered<K extends object, V>(known: WeakMap<K, V>, key: K, make: () => V): V {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}

function findDevices({ record, deviceMountState, podStates }: ActualVolume): ReadonlySet<string> {
  const devices = new Set<string>();
  if (record.deviceObserved !== undefined && deviceMountState === 'DeviceGloballyMounted') {
    devices.add(record.deviceObserved.device);
  }
  for (const { pod, mount, observed } of Object.values(record.pods)) {
    const isWhole = mount.kind === 'tmpfs' || mount.kind === 'bind';
    if (isWhole && observed !== undefined && podStates.get(pod.uid) === 'VolumeMounted') devices.add(observed.device);
  }
  return devices;
}
