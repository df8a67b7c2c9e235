import { describe, expect, it, test } from 'vitest';
import type { LocalVolumeSource, PersistentVolumeSpec } from '../../daemon/api/persistent-volume.ts';
import { volume } from '../../daemon/api/testing/storage-objects.ts';
import type { VolumeSpec } from '../../daemon/ports/volume-plugin.ts';
import { diskLayout } from '../../daemon/world/disk-layout.ts';
import type { PodReference } from '../../daemon/world/volume-record.ts';
import { podA, volumePluginContract } from '../testing/plugin-contract.ts';
import { localPlugin } from './plugin.ts';

const layout = diskLayout('/var/lib/moored');

function local(source: LocalVolumeSource, spec: Partial<PersistentVolumeSpec> = {}, readOnly = false) {
  const { csi: _csi, ...rest } = volume('disk', '1Gi').spec;
  const persistentVolume = { ...volume('disk', '1Gi'), spec: { ...rest, local: source, ...spec } };
  return (pod: PodReference): VolumeSpec => ({ kind: 'persistentVolume', pod, volume: persistentVolume, readOnly });
}

const directory = { path: '/mnt/disks/ssd1' };
const device = { path: '/dev/disk/by-id/ssd1', fsType: 'xfs' };
const resolved = (spec: (pod: PodReference) => VolumeSpec) => localPlugin.resolve(spec(podA), layout);

describe('kubernetes.io/local-volume', () => {
  volumePluginContract({
    plugin: localPlugin,
    cases: [
      { name: 'a directory', specFor: local(directory), isShared: true },
      { name: 'a block device', specFor: local(device), isShared: true },
      { name: 'a raw block device', specFor: local(device, { volumeMode: 'Block' }), isShared: true },
    ],
    foreign: [
      { kind: 'inline', pod: podA, volume: { name: 'x', emptyDir: {} } },
      { kind: 'persistentVolume', pod: podA, volume: volume('x', '1Gi'), readOnly: false },
    ],
    illegal: [
      { kind: 'persistentVolume', pod: podA, volume: volume('x', '1Gi'), readOnly: false },
      local(directory, { volumeMode: 'Block' })(podA),
      local(directory, { mountOptions: ['commit=5'] })(podA),
      local(directory, { mountOptions: ['suid'] })(podA),
      local({ ...device, fsType: 'ntfs' })(podA),
      local({ path: '/' })(podA),
      local({ path: '/var/lib' })(podA),
      local({ path: '/var/lib/moored/pods' })(podA),
    ],
  });

  it('keeps the kubelet’s names and paths', () => {
    expect(resolved(local(directory))).toMatchObject({
      name: 'kubernetes.io/local-volume/disk',
      targetPath: `/var/lib/moored/pods/${podA.uid}/volumes/kubernetes.io~local-volume/disk`,
      mount: { kind: 'local', source: '/mnt/disks/ssd1', readOnly: false, options: [] },
    });
    expect(resolved(local(device)).recipe).toEqual({
      attachment: { kind: 'image', path: device.path, readOnly: false, isOwned: false, volumeHandle: 'disk' },
      deviceMount: { fsType: 'xfs', readOnly: false, options: [] },
      globalMountPath: '/var/lib/moored/plugins/kubernetes.io/local-volume/mounts/disk',
    });
  });

  test.each([
    ['the claim', local(directory, {}, true)],
    ['mount option ro', local(directory, { mountOptions: ['ro', 'noexec'] })],
    ['ReadOnlyMany alone', local(directory, { accessModes: ['ReadOnlyMany'] })],
    ['the claim, of a device', local(device, {}, true)],
  ])('is read-only because of %s', (_cause, spec) => {
    expect(resolved(spec).mount).toMatchObject({ readOnly: true });
  });

  it('is another directory only under another name', () => {
    expect(resolved(local({ path: '/mnt//disks/ssd1/' })).mount).toEqual(resolved(local(directory)).mount);
  });
});
