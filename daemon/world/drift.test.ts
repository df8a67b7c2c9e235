import { describe, expect, it } from 'vitest';
import { ActualStateOfWorld } from './actual-state-of-world.ts';
import { findDrift } from './drift.ts';
import type { MountInfo } from './mount-info.ts';
import { MountTable } from './mount-table.ts';
import { globalMountPath, mountAt, recordOf, targetPath, type VolumeType, volumeToMount } from './testing/volumes.ts';

const observed = { device: '7:3', root: '/', fsType: 'ext4' };
const at = '2026-01-02T03:04:05Z';
const global = globalMountPath('data');
const web = targetPath('data', 'web');
const api = targetPath('data', 'api');

function mounted(type: VolumeType = 'device'): ActualStateOfWorld {
  const asw = new ActualStateOfWorld();
  const volume = volumeToMount(type, 'data', ['web', 'api']);
  asw.addVolume(recordOf(volume));
  if (type === 'device') {
    asw.markVolumeAsAttached(volume.name, { devicePath: '/dev/loop3', deviceNumber: '7:3' });
    asw.markDeviceAsMounted(volume.name, observed);
  }
  const seen = type === 'directory' ? undefined : observed;
  for (const uid of volume.pods.keys()) asw.markVolumeAsMounted(volume.name, uid, { observed: seen, at });
  return asw;
}

function drifts(mounts: readonly MountInfo[], asw = mounted()): string[] {
  return findDrift(asw, new MountTable(mounts)).map(({ podUid, path, finding }) => `${finding.kind} ${podUid} ${path}`);
}

const all = () => [global, web, api].map((path) => mountAt(path));

describe('findDrift', () => {
  it('finds none while the table shows everything as recorded', () => {
    expect(drifts(all())).toEqual([]);
  });

  it('finds each mount that is gone', () => {
    expect(drifts([])).toEqual([`absent  ${global}`, `absent uid-web ${web}`, `absent uid-api ${api}`]);
    expect(drifts([mountAt(global), mountAt(api)])).toEqual([`absent uid-web ${web}`]);
  });

  it('finds a remount that took nosuid away or made it read-only', () => {
    expect(drifts([...all().slice(0, 2), mountAt(api, { options: ['rw', 'nodev'] })])).toEqual([
      `flagsDiffer uid-api ${api}`,
    ]);
    const readOnly = mountAt(global, { options: ['ro', 'nosuid', 'nodev'] });
    expect(drifts([readOnly, ...all().slice(1)])).toEqual([`flagsDiffer  ${global}`]);
  });

  it('finds a mount over ours, and a stranger in its place', () => {
    const stranger = mountAt(web, { device: '0:50', fsType: 'tmpfs' });
    expect(drifts([...all(), stranger])).toEqual([`covered uid-web ${web}`]);
    expect(drifts([mountAt(global), stranger, mountAt(api)])).toEqual([`foreign uid-web ${web}`]);
  });

  it('does not look at what is uncertain or not mounted: its operation does', () => {
    const asw = mounted();
    const [volume] = asw.volumes.keys();
    asw.markDeviceAsUncertain(volume!);
    asw.markVolumeMountAs(volume!, 'uid-web', 'VolumeMountUncertain');
    asw.markVolumeMountAs(volume!, 'uid-api', 'VolumeNotMounted');
    expect(drifts([], asw)).toEqual([]);
  });

  it('expects no mount of a plain directory', () => {
    expect(drifts([], mounted('directory'))).toEqual([]);
  });

  it('leaves the actual state of world as it is', () => {
    const asw = mounted();
    const { revision } = asw;
    findDrift(asw, new MountTable([]));
    expect(asw.revision).toBe(revision);
  });
});
