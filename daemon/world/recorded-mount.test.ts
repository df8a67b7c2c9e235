import { describe, expect, it } from 'vitest';
import { expectedDeviceMount, expectedPodMount } from './expected-mounts.ts';
import type { MountInfo } from './mount-info.ts';
import { MountTable } from './mount-table.ts';
import { describeMount, type ExpectedMount, findMount, observedOf } from './recorded-mount.ts';
import { mountAt, podToMount, recordOf, type VolumeType, volumeToMount } from './testing/volumes.ts';
import type { VolumeRecord } from './volume-record.ts';

const path = '/var/lib/moored/target';
const ours: ExpectedMount = { path, identity: { device: '7:3', root: '/', fsType: 'ext4' }, readOnly: false };

function find(mounts: readonly MountInfo[], change: Partial<ExpectedMount> = {}): string {
  const finding = findMount(new MountTable(mounts), { ...ours, ...change });
  return finding.kind === 'flagsDiffer' ? `flagsDiffer ${finding.differing}` : finding.kind;
}

const foreign = (change: Partial<MountInfo> = {}) =>
  mountAt(path, { device: '0:50', fsType: 'tmpfs', source: 'tmpfs', ...change });

describe('findMount', () => {
  it('is asExpected for our mount with the flags that were asked for', () => {
    expect(find([mountAt(path)])).toBe('asExpected');
  });

  it('is absent when nothing is on exactly this path', () => {
    expect(find([])).toBe('absent');
    expect(find([mountAt(`${path}/below`), mountAt('/var/lib/moored')])).toBe('absent');
  });

  it.each([
    ['device', { device: '7:4' }],
    ['root', { root: '/elsewhere' }],
    ['filesystem', { fsType: 'xfs' }],
  ])('is foreign when the %s is another', (_name, change) => {
    expect(find([mountAt(path, change)])).toBe('foreign');
  });

  it('is ours still when the file that it was bound from has gone', () => {
    const node = { device: '0:6', root: '/sdb', fsType: 'devtmpfs' };
    const bound = (root: string) => find([mountAt(path, { ...node, root })], { identity: node });
    expect(bound('/sdb//deleted')).toBe('asExpected');
    expect(bound('/sdc//deleted')).toBe('foreign');
    expect(bound('/sdb/deleted')).toBe('foreign');
  });

  it("is covered when ours lies under somebody else's, however deep", () => {
    expect(find([mountAt(path), foreign()])).toBe('covered');
    expect(find([mountAt(path), foreign(), foreign({ device: '0:51' })])).toBe('covered');
  });

  it('is asExpected when ours is the visible one of several', () => {
    expect(find([foreign(), mountAt(path)])).toBe('asExpected');
    expect(find([mountAt(path), mountAt(path)])).toBe('asExpected');
  });

  it.each([
    ['rw', { readOnly: false }, ['ro', 'nosuid', 'nodev']],
    ['ro', { readOnly: true }, ['rw', 'nosuid', 'nodev']],
    ['nosuid', {}, ['rw', 'nodev', 'noexec']],
    ['nodev', {}, ['rw', 'nosuid']],
    ['nosuid,nodev', {}, ['rw']],
  ])('tells that %s is missing', (missing, change, options) => {
    expect(find([mountAt(path, { options })], change)).toBe(`flagsDiffer ${missing}`);
  });

  it('wants no nodev where devices are allowed', () => {
    expect(find([mountAt(path, { options: ['rw', 'nosuid'] })], { allowDevices: true })).toBe('asExpected');
  });

  it('minds neither further flags nor a superblock that is read-only', () => {
    const options = ['rw', 'nosuid', 'nodev', 'noatime', 'noexec'];
    expect(find([mountAt(path, { options, superOptions: ['ro'] })])).toBe('asExpected');
  });

  it('asks only for the facts that are known', () => {
    expect(find([mountAt(path)], { identity: { fsType: 'ext4' } })).toBe('asExpected');
    expect(find([foreign()], { identity: { fsType: 'ext4' } })).toBe('foreign');
  });
});

describe('observedOf and describeMount', () => {
  it('keep what a mount is known again by, and say it in words', () => {
    expect(observedOf(mountAt(path))).toEqual({ device: '7:3', root: '/', fsType: 'ext4' });
    expect(describeMount(mountAt(path))).toBe('ext4 from /dev/loop3');
    expect(describeMount(mountAt(path, { source: '' }))).toBe('ext4 from 7:3');
  });
});

describe('what is expected of a record', () => {
  const attached = { devicePath: '/dev/loop3', deviceNumber: '7:3' };

  function expectedPod(type: VolumeType, change: Partial<VolumeRecord> = {}) {
    const record = { ...recordOf(volumeToMount(type, 'data', ['web'])), ...change };
    const volume = {
      record,
      attachState: 'Attached',
      deviceMountState: 'DeviceNotMounted',
      podStates: new Map(),
    } as const;
    return { pod: expectedPodMount(volume, record.pods['uid-web']!), device: expectedDeviceMount(volume) };
  }

  it('is, of a pod mount that was never seen, the identity of the global mount', () => {
    const deviceObserved = { device: '7:3', root: '/', fsType: 'ext4' };
    expect(expectedPod('device', { attached, deviceObserved }).pod).toMatchObject({
      identity: deviceObserved,
      readOnly: false,
    });
  });

  it('is never nothing: a stranger at the target must not pass for ours although neither mount was ever recorded', () => {
    for (const change of [{}, { attached }]) {
      const { pod } = expectedPod('device', change);
      const table = new MountTable([mountAt(pod!.path, { device: '0:50', fsType: 'tmpfs', source: 'tmpfs' })]);
      expect(findMount(table, pod!).kind).toBe('foreign');
    }
  });

  it('has, of a global mount that was never seen, filesystem and device, for btrfs the filesystem alone', () => {
    expect(expectedPod('device', { attached }).device?.identity).toEqual({ fsType: 'ext4', root: '/', device: '7:3' });
    expect(expectedPod('device').device?.identity).toEqual({ fsType: 'ext4', root: '/' });
    const recipe = volumeToMount('device', 'data', []).recipe;
    const btrfs = { ...recipe, deviceMount: { fsType: 'btrfs', readOnly: false, options: [] } } as const;
    expect(expectedPod('device', { attached, recipe: btrfs }).device?.identity).toEqual({ fsType: 'btrfs', root: '/' });
  });

  it('allows devices on a bound device node alone', () => {
    expect(expectedPod('block', { attached }).pod).toMatchObject({ identity: { root: '/loop3' }, allowDevices: true });
    expect(expectedPod('device', { attached }).pod?.allowDevices).toBeUndefined();
  });

  it('has no mount for a plain directory, no global mount for volumes without one', () => {
    expect(expectedPod('directory')).toEqual({ pod: undefined, device: undefined });
    expect(expectedPod('tmpfs').pod?.identity).toEqual({ fsType: 'tmpfs', root: '/' });
    expect(expectedPod('block', { attached }).device).toBeUndefined();
  });

  it("follows the pod's own read-only, not another pod's", () => {
    const pod = podToMount('web', 'data', { kind: 'bind', readOnly: true });
    expect(expectedPod('device', { attached, pods: { 'uid-web': pod } }).pod?.readOnly).toBe(true);
  });
});
