import { describe, expect, it } from 'vitest';
import type { PersistentVolumeSpec, StoredPersistentVolume } from '../../daemon/api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../../daemon/api/persistent-volume-claim.ts';
import type { InlineCsiVolumeSource } from '../../daemon/api/pod.ts';
import type { StoredStorageClass } from '../../daemon/api/storage-class.ts';
import type { VolumeSpec } from '../../daemon/ports/volume-plugin.ts';
import { diskLayout } from '../../daemon/world/disk-layout.ts';
import type { PodReference } from '../../daemon/world/volume-record.ts';
import { podA, volumePluginContract } from '../testing/plugin-contract.ts';
import { loopPlugin } from './plugin.ts';

const layout = diskLayout('/r');
const meta = {
  namespace: '',
  uid: 'u',
  resourceVersion: '1',
  generation: 1,
  creationTimestamp: '2026-01-01T00:00:00Z',
};

function inline(attributes: Record<string, string>, source: Partial<InlineCsiVolumeSource> = {}) {
  const csi = { driver: 'loop.moored.dev', volumeAttributes: attributes, ...source };
  return (pod: PodReference): VolumeSpec => ({ kind: 'inline', pod, volume: { name: 'cache', csi } });
}

function volume(spec: Partial<PersistentVolumeSpec> = {}, path = '/srv/disk.img'): StoredPersistentVolume {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { ...meta, name: 'disk' },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      csi: { driver: 'loop.moored.dev', volumeHandle: 'disk-1', volumeAttributes: { path } },
      ...spec,
    },
  };
}

function bound(spec: Partial<PersistentVolumeSpec> = {}, readOnly = false) {
  return (pod: PodReference): VolumeSpec => ({ kind: 'persistentVolume', pod, volume: volume(spec), readOnly });
}

describe('loop.moored.dev', () => {
  volumePluginContract({
    plugin: loopPlugin,
    cases: [
      { name: 'an inline volume', specFor: inline({ size: '1Gi' }), isShared: false },
      { name: 'a PersistentVolume', specFor: bound(), isShared: true },
      { name: 'a read-only use of a PersistentVolume', specFor: bound({}, true), isShared: true },
      { name: 'a block volume', specFor: bound({ volumeMode: 'Block' }), isShared: true },
    ],
    foreign: [
      inline({ size: '1Gi' }, { driver: 'other.example.org' })(podA),
      { kind: 'inline', pod: podA, volume: { name: 'x', emptyDir: {} } },
    ],
    illegal: [
      inline({})(podA),
      inline({ size: '1Gi', fsType: 'ntfs' })(podA),
      bound({ mountOptions: ['suid'] })(podA),
      bound({ csi: { driver: 'loop.moored.dev', volumeHandle: 'x' } })(podA),
    ],
  });

  it('mounts once, writable, whoever of the pods is read-only', () => {
    const { recipe, mount } = loopPlugin.resolve(bound({}, true)(podA), layout);
    expect(recipe.deviceMount).toMatchObject({ fsType: 'ext4', readOnly: false });
    expect(mount).toEqual({ kind: 'bind', readOnly: true });
  });

  it.each([
    ['csi.readOnly', { csi: { ...volume().spec.csi, driver: 'loop.moored.dev', volumeHandle: 'd', readOnly: true } }],
    ['ReadOnlyMany alone', { accessModes: ['ReadOnlyMany'] as const }],
    ['mountOptions ro', { mountOptions: ['ro'] }],
  ])('%s makes the device read-only too', (_what, spec) => {
    const { recipe, mount } = loopPlugin.resolve(bound(spec)(podA), layout);
    expect(recipe.attachment?.readOnly).toBe(true);
    expect(recipe.deviceMount?.readOnly).toBe(true);
    expect(mount).toEqual({ kind: 'bind', readOnly: true });
  });

  it('keeps the kubelet’s paths of a CSI volume', () => {
    const { recipe, targetPath, name } = loopPlugin.resolve(bound()(podA), layout);
    expect(name).toBe('kubernetes.io/csi/loop.moored.dev^disk-1');
    expect(recipe.globalMountPath).toMatch(
      /^\/r\/plugins\/kubernetes\.io\/csi\/loop\.moored\.dev\/[0-9a-f]{64}\/globalmount$/,
    );
    expect(targetPath).toBe(`/r/pods/${podA.uid}/volumes/kubernetes.io~csi/disk/mount`);
  });

  const claim: StoredPersistentVolumeClaim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { ...meta, namespace: 'shop', name: 'data', uid: '6f1c1a52-0000-4000-8000-000000000001' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '64Mi' } } },
  };
  const storageClass = (spec: Partial<StoredStorageClass['spec']> = {}): StoredStorageClass => ({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { ...meta, name: 'fast' },
    spec: { provisioner: 'loop.moored.dev', ...spec },
  });
  const provision = (spec: Partial<StoredStorageClass['spec']> = {}, of = claim) =>
    loopPlugin.provision?.(
      { claim: of, storageClass: storageClass(spec), now: '2026-01-01T00:00:00Z', hostname: 'node1' },
      layout,
    );

  it('provisions the same volume for the same claim, and keeps its data unless the class says otherwise', () => {
    expect(provision()).toEqual(provision());
    expect(provision()).toMatchObject({
      volumeName: `pvc-${claim.metadata.uid}`,
      image: { path: `/r/images/shop/data-${claim.metadata.uid}.img`, sidecar: { sizeBytes: '67108864' } },
      spec: { persistentVolumeReclaimPolicy: 'Retain', storageClassName: 'fast', capacity: { storage: '64Mi' } },
    });
    expect(provision({ reclaimPolicy: 'Delete' })?.spec.persistentVolumeReclaimPolicy).toBe('Delete');
  });

  it('takes fsType, directory and mountOptions from the class, and refuses what is not allowed there', () => {
    const made = provision({ parameters: { fsType: 'xfs', directory: '/srv/pool' }, mountOptions: ['noatime'] });
    expect(made?.image.path).toBe(`/srv/pool/shop/data-${claim.metadata.uid}.img`);
    expect(made?.spec).toMatchObject({ csi: { fsType: 'xfs' }, mountOptions: ['noatime'] });
    expect(() => provision({ mountOptions: ['dev'] })).toThrow('Cannot use mount option "dev"');
    expect(() => provision({ parameters: { fsType: 'vfat' } })).toThrow('Cannot use fsType "vfat"');
  });

  it('cuts a long name and keeps what makes it unique', () => {
    const long = { ...claim, metadata: { ...claim.metadata, name: 'n'.repeat(253) } };
    const name = provision({}, long)?.image.path.split('/').at(-1) ?? '';
    expect(name.length).toBeLessThanOrEqual(219);
    expect(name.endsWith(`-${claim.metadata.uid}.img`)).toBe(true);
  });
});
