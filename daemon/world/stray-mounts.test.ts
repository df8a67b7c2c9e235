import { describe, expect, it } from 'vitest';
import { ActualStateOfWorld } from './actual-state-of-world.ts';
import type { MountInfo } from './mount-info.ts';
import { MountTable } from './mount-table.ts';
import { findStrayMounts } from './stray-mounts.ts';
import { globalMountPath, mountAt, recordOf, targetPath, type VolumeType, volumeToMount } from './testing/volumes.ts';

const observed = { device: '7:3', root: '/', fsType: 'ext4' };
const global = globalMountPath('data');
const web = targetPath('data', 'web');
const ids = { [global]: 10n, [web]: 11n };

function mounted(type: VolumeType = 'device'): ActualStateOfWorld {
  const asw = new ActualStateOfWorld();
  const volume = volumeToMount(type, 'data', ['web']);
  asw.addVolume(recordOf(volume));
  if (type === 'device') {
    asw.markVolumeAsAttached(volume.name, { devicePath: '/dev/loop3', deviceNumber: '7:3' });
    asw.markDeviceAsMounted(volume.name, observed);
  }
  asw.markVolumeAsMounted(volume.name, 'uid-web', { observed, at: '2026-01-02T03:04:05Z' });
  return asw;
}

const ours = (): MountInfo[] => [global, web].map((path) => mountAt(path, { id: ids[path] ?? 0n, parentId: 1n }));

function strays(more: readonly MountInfo[], asw = mounted()): string[] {
  const table = new MountTable([...ours(), ...more]);
  return findStrayMounts(asw, table).map(({ kind, mount }) => `${kind} ${mount.mountPoint}`);
}

describe('findStrayMounts', () => {
  it('finds none among our own mounts and among those that do not concern us', () => {
    expect(strays([])).toEqual([]);
    expect(strays([mountAt('/mnt', { device: '8:1', id: 20n, parentId: 1n })])).toEqual([]);
  });

  it('finds our filesystem at a path that is not ours', () => {
    expect(strays([mountAt('/mnt/copy', { id: 20n, parentId: 1n })])).toEqual(['elsewhere /mnt/copy']);
  });

  it('finds what is mounted inside ours, and leaves what is mounted over it to drift', () => {
    const theirs = { device: '0:50', fsType: 'tmpfs', parentId: 11n };
    const inside = mountAt(`${web}/cache`, { ...theirs, id: 20n });
    expect(strays([inside, mountAt(web, { ...theirs, id: 21n })])).toEqual([`below ${web}/cache`]);
  });

  it('says nothing of superblocks that others have too: NFS and device nodes', () => {
    expect(strays([mountAt('/mnt/copy', { id: 20n, parentId: 1n })], mounted('block'))).toEqual([]);
  });

  it('says nothing of a volume that is uncertain: its operation looks', () => {
    const asw = mounted();
    const [name] = asw.volumes.keys();
    asw.markDeviceAsUncertain(name!);
    asw.markVolumeMountAs(name!, 'uid-web', 'VolumeMountUncertain');
    expect(strays([mountAt('/mnt/copy', { id: 20n, parentId: 1n })], asw)).toEqual([]);
  });
});
