import { describe, expect, it } from 'vitest';
import type { MountInfo } from '../world/mount-info.ts';
import { MountTable } from '../world/mount-table.ts';
import {
  globalMountPath,
  layout,
  mountAt,
  recordOf,
  targetPath,
  type VolumeType,
  volumeToMount,
} from '../world/testing/volumes.ts';
import type { VolumeRecord } from '../world/volume-record.ts';
import { findOrphans, reconstructVolume } from './reconstruct.ts';

const ext4OnLoop3 = { device: '7:3', root: '/', fsType: 'ext4' };
const global = globalMountPath('data');
const web = targetPath('data', 'web');
const api = targetPath('data', 'api');

/** The record of a volume that was wholly up: attached, mounted, pods web and api. */
function recorded(type: VolumeType = 'device', observed: VolumeRecord['deviceObserved'] = ext4OnLoop3): VolumeRecord {
  const record = recordOf(volumeToMount(type, 'data', ['web', 'api']));
  const pods = Object.fromEntries(
    Object.entries(record.pods).map(([uid, pod]) => [uid, observed === undefined ? pod : { ...pod, observed }]),
  );
  const attached = {
    devicePath: '/dev/loop3',
    deviceNumber: '7:3',
    loopBacking: { device: '2049', inode: '77', path: '/images/data.img' },
  };
  const base = { ...record, pods };
  if (type === 'tmpfs' || type === 'directory') return base;
  return observed === undefined || type === 'block'
    ? { ...base, attached }
    : { ...base, attached, deviceObserved: observed };
}

function statesOf(record: VolumeRecord, mounts: readonly MountInfo[], isAttached = true) {
  const { attachState, deviceMountState, podStates } = reconstructVolume(record, new MountTable(mounts), isAttached);
  return { attachState, deviceMountState, web: podStates.get('uid-web'), api: podStates.get('uid-api') };
}

describe('reconstructVolume', () => {
  it('believes what the mount table proves', () => {
    expect(statesOf(recorded(), [mountAt(global), mountAt(web), mountAt(api)])).toEqual({
      attachState: 'Attached',
      deviceMountState: 'DeviceGloballyMounted',
      web: 'VolumeMounted',
      api: 'VolumeMounted',
    });
  });

  it('keeps the record as it is', () => {
    const record = recorded();
    expect(reconstructVolume(record, new MountTable([]), false).record).toBe(record);
  });

  it('doubts each mount that is missing, for itself', () => {
    expect(statesOf(recorded(), [mountAt(global), mountAt(api)])).toMatchObject({
      deviceMountState: 'DeviceGloballyMounted',
      web: 'VolumeMountUncertain',
      api: 'VolumeMounted',
    });
    expect(statesOf(recorded(), [mountAt(web), mountAt(api)])).toMatchObject({
      deviceMountState: 'DeviceMountUncertain',
      web: 'VolumeMounted',
    });
  });

  it('doubts everything after a reboot, and calls nothing unmounted', () => {
    expect(statesOf(recorded(), [], false)).toEqual({
      attachState: 'AttachUncertain',
      deviceMountState: 'DeviceMountUncertain',
      web: 'VolumeMountUncertain',
      api: 'VolumeMountUncertain',
    });
  });

  it('doubts the attach when the loop device has another file now, or when an attach was under way', () => {
    expect(statesOf(recorded(), [], false).attachState).toBe('AttachUncertain');
    const { attached: _attached, ...atRest } = recorded();
    expect(statesOf({ ...atRest, isAttachUncertain: true }, [], true).attachState).toBe('AttachUncertain');
  });

  it('knows that a volume without a device is not attached, unless an attach was under way', () => {
    const { attached: _attached, ...atRest } = recorded();
    expect(statesOf(atRest, [], false).attachState).toBe('NotAttached');
  });

  it.each([
    ['another device', { device: '8:1' }],
    ['another filesystem', { fsType: 'xfs' }],
    ['another root inside the filesystem', { root: '/sub' }],
  ])('doubts a global mount of %s', (_name, change) => {
    expect(statesOf(recorded(), [mountAt(global, change)]).deviceMountState).toBe('DeviceMountUncertain');
  });

  it.each([
    ['read-only', ['ro', 'nosuid', 'nodev']],
    ['without nosuid', ['rw', 'nodev']],
    ['without nodev', ['rw', 'nosuid']],
  ])('doubts a pod mount that is %s now', (_name, options) => {
    const mounts = [mountAt(global), mountAt(web, { options }), mountAt(api)];
    expect(statesOf(recorded(), mounts)).toMatchObject({ web: 'VolumeMountUncertain', api: 'VolumeMounted' });
  });

  it('doubts a mount that somebody mounted over', () => {
    const mounts = [mountAt(global), mountAt(web), mountAt(api), mountAt(web, { fsType: 'tmpfs', device: '0:55' })];
    expect(statesOf(recorded(), mounts).web).toBe('VolumeMountUncertain');
  });

  it('doubts mounts whose making was interrupted before they were recorded, though the table shows some', () => {
    const { deviceObserved: _observed, ...interrupted } = recorded();
    const pods = recordOf(volumeToMount('device', 'data', ['web', 'api'])).pods;
    expect(statesOf({ ...interrupted, pods }, [mountAt(global), mountAt(web)])).toMatchObject({
      deviceMountState: 'DeviceMountUncertain',
      web: 'VolumeMountUncertain',
    });
  });

  it('knows a btrfs mount by its own device number, not that of the block device', () => {
    const observed = { device: '0:49', root: '/', fsType: 'btrfs' };
    const record = recorded('device', observed);
    const btrfs = {
      ...record,
      recipe: { ...record.recipe, deviceMount: { ...record.recipe.deviceMount!, fsType: 'btrfs' } },
    } as const;
    const mount = { device: '0:49', fsType: 'btrfs' };
    expect(statesOf(btrfs, [mountAt(global, mount), mountAt(web, mount)])).toMatchObject({
      deviceMountState: 'DeviceGloballyMounted',
      web: 'VolumeMounted',
    });
    expect(statesOf(btrfs, [mountAt(global, { ...mount, device: '0:50' })]).deviceMountState).toBe(
      'DeviceMountUncertain',
    );
  });

  it('knows a block volume by the node that is bound, with devices allowed', () => {
    const observed = { device: '0:6', root: '/loop3', fsType: 'devtmpfs' };
    const options = ['rw', 'nosuid'];
    expect(statesOf(recorded('block', observed), [mountAt(web, { ...observed, options })])).toEqual({
      attachState: 'Attached',
      deviceMountState: 'DeviceNotMounted',
      web: 'VolumeMounted',
      api: 'VolumeMountUncertain',
    });
  });

  it('knows a tmpfs by the device number that it had', () => {
    const observed = { device: '0:61', root: '/', fsType: 'tmpfs' };
    const record = recorded('tmpfs', observed);
    const ours = { ...observed, source: 'tmpfs' };
    expect(statesOf(record, [mountAt(web, ours)], false)).toEqual({
      attachState: 'NotAttached',
      deviceMountState: 'DeviceNotMounted',
      web: 'VolumeMounted',
      api: 'VolumeMountUncertain',
    });
    expect(statesOf(record, [mountAt(web, { ...ours, device: '0:62' })], false).web).toBe('VolumeMountUncertain');
  });

  it('does not take a tmpfs of somebody else for ours that was given the number of ours', () => {
    const observed = { device: '0:61', root: '/', fsType: 'tmpfs' };
    const theirs = mountAt(web, { ...observed, source: 'theirs' });
    expect(statesOf(recorded('tmpfs', observed), [theirs], false).web).toBe('VolumeMountUncertain');
  });

  it('has no mount to prove a plain directory by: uncertain', () => {
    const record = recordOf(volumeToMount('directory', 'data', ['web']));
    expect(statesOf(record, [], false).web).toBe('VolumeMountUncertain');
  });
});

describe('findOrphans', () => {
  const record = recorded();
  const root = layout.rootDir;

  it('lists mounts below pods/ and plugins/ that no record knows, once each and sorted', () => {
    const stray = [`${root}/pods/uid-x/volumes/test/y`, `${root}/plugins/test/old/globalmount`];
    const table = new MountTable([
      ...[global, web, ...stray].map((path) => mountAt(path)),
      mountAt(`${root}/pods/uid-x/volumes/test/y`),
      mountAt(root),
      mountAt(`${root}/images`),
      mountAt(`${root}/pods-of-others/z`),
      mountAt('/srv'),
    ]);
    expect(findOrphans([record], table, root)).toEqual(stray.toSorted());
  });

  it('finds none where every mount is recorded', () => {
    expect(findOrphans([record], new MountTable([global, web, api].map((path) => mountAt(path))), root)).toEqual([]);
  });
});
