import { describe, expect, it } from 'vitest';
import type { IscsiVolumeSource } from '../../daemon/api/iscsi.ts';
import type { PersistentVolumeSpec } from '../../daemon/api/persistent-volume.ts';
import type { VolumeSpec } from '../../daemon/ports/volume-plugin.ts';
import { diskLayout } from '../../daemon/world/disk-layout.ts';
import type { PodReference } from '../../daemon/world/volume-record.ts';
import { podA, volumePluginContract } from '../testing/plugin-contract.ts';
import { iscsiPlugin } from './plugin.ts';

const layout = diskLayout('/var/lib/moored');
const iqn = 'iqn.2024-01.org.example:disks';
const basic: IscsiVolumeSource = { targetPortal: '192.0.2.7', iqn, lun: 1 };

function inline(change: Partial<IscsiVolumeSource> = {}) {
  return (pod: PodReference): VolumeSpec => ({
    ...{ kind: 'inline', pod },
    volume: { name: 'disk', iscsi: { ...basic, ...change } },
  });
}

function bound(
  change: Partial<IscsiVolumeSource> = {},
  spec: Partial<PersistentVolumeSpec> = {},
  use: { readonly readOnly?: boolean; readonly annotations?: Record<string, string> } = {},
) {
  return (pod: PodReference): VolumeSpec => ({
    ...{ kind: 'persistentVolume', pod, readOnly: use.readOnly ?? false },
    volume: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: {
        ...{ name: 'disk', namespace: '', uid: 'u', resourceVersion: '1', generation: 1 },
        creationTimestamp: '2026-01-01T00:00:00Z',
        ...(use.annotations === undefined ? {} : { annotations: use.annotations }),
      },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        iscsi: { ...basic, ...change },
        ...spec,
      },
    },
  });
}

const resolve = (spec: VolumeSpec) => iscsiPlugin.resolve(spec, layout);

describe('kubernetes.io/iscsi', () => {
  volumePluginContract({
    plugin: iscsiPlugin,
    cases: [
      { name: 'an inline volume', specFor: inline(), isShared: true },
      { name: 'a PersistentVolume', specFor: bound(), isShared: true },
      { name: 'a read-only use of one', specFor: bound({}, {}, { readOnly: true }), isShared: true },
      { name: 'a block volume', specFor: bound({}, { volumeMode: 'Block' }), isShared: true },
      {
        name: 'one with all fields',
        specFor: bound({
          ...{ portals: ['192.0.2.8', '192.0.2.7:3260'], iscsiInterface: 'eth1', fsType: 'xfs', readOnly: true },
          ...{ chapAuthDiscovery: true, chapAuthSession: true, initiatorName: 'iqn.2024-01.org.example:me' },
          secretRef: { name: 'chap', namespace: 'storage' },
        }),
        isShared: true,
      },
    ],
    foreign: [
      { kind: 'inline', pod: podA, volume: { name: 'x', emptyDir: {} } },
      { kind: 'inline', pod: podA, volume: { name: 'x', csi: { driver: 'loop.moored.dev' } } },
    ],
    illegal: [
      inline({ fsType: 'ntfs' })(podA),
      inline({ targetPortal: 'target.example.org' })(podA),
      bound({}, { mountOptions: ['suid'] })(podA),
    ],
  });

  it('is named as the kubelet names it, and an inline volume is the same as a bound one', () => {
    expect(resolve(bound()(podA)).name).toBe(`kubernetes.io/iscsi/192.0.2.7:3260:${iqn}:1`);
    expect(resolve(inline()(podA)).name).toBe(resolve(bound()(podA)).name);
    expect(resolve(inline()(podA)).recipe).toEqual(resolve(bound()(podA)).recipe);
  });

  it('says where to attach, each portal once and with its port', () => {
    const { attachment, deviceMount } = resolve(
      bound({ targetPortal: '2001:DB8::7', portals: ['[2001:db8::7]:3260', '192.0.2.8'] })(podA),
    ).recipe;
    expect(attachment).toEqual({
      ...{ kind: 'iscsi', portals: ['[2001:db8::7]:3260', '192.0.2.8:3260'], iqn, lun: 1 },
      ...{ interface: 'default', readOnly: false, chapDiscovery: false, chapSession: false },
    });
    expect(deviceMount).toEqual({ fsType: 'ext4', readOnly: false, options: [] });
  });

  it('names the Secret and never has it', () => {
    const source = { chapAuthSession: true, secretRef: { name: 'chap' } };
    expect(resolve(inline(source)(podA)).recipe.attachment).toMatchObject({
      secret: { namespace: podA.namespace, name: 'chap' },
    });
    expect(
      resolve(bound({ ...source, secretRef: { name: 'chap', namespace: 'storage' } })(podA)).recipe.attachment,
    ).toMatchObject({
      secret: { namespace: 'storage', name: 'chap' },
    });
  });

  it.each([
    ['readOnly of the source', bound({ readOnly: true })],
    ['mount option ro', bound({}, { mountOptions: ['ro', 'noatime'] })],
    ['ReadOnlyMany', bound({}, { accessModes: ['ReadOnlyMany'] })],
  ])('is read-only as a whole with %s', (_name, specFor) => {
    const { recipe, mount } = resolve(specFor(podA));
    expect([recipe.attachment?.readOnly, recipe.deviceMount?.readOnly]).toEqual([true, true]);
    expect(mount).toEqual({ kind: 'bind', readOnly: true });
  });

  it('is read-only for one pod with claim.readOnly', () => {
    const { recipe, mount } = resolve(bound({}, {}, { readOnly: true })(podA));
    expect(recipe.attachment?.readOnly).toBe(false);
    expect(mount).toEqual({ kind: 'bind', readOnly: true });
  });

  it('takes the identity that the user states', () => {
    const spec = bound({}, {}, { annotations: { 'moored.dev/wwid': 'naa.6001' } })(podA);
    expect(resolve(spec).recipe.attachment).toMatchObject({ wwid: 'naa.6001' });
  });
});
