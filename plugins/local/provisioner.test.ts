import { describe, expect, it, test } from 'vitest';
import { claim, storageClass, volume } from '../../daemon/api/testing/storage-objects.ts';
import { diskLayout } from '../../daemon/world/disk-layout.ts';
import { localPlugin } from './plugin.ts';
import { localProvisioner } from './provisioner.ts';

const layout = diskLayout('/var/lib/moored');
const provision = (spec: Parameters<typeof storageClass>[1], of = claim('data', '64Mi')) => {
  const given = { claim: of, storageClass: storageClass('disk', spec), now: '2026-01-01T00:00:00Z', hostname: 'edge' };
  return localProvisioner.provision?.(given, layout);
};
const srv = { parameters: { directory: '/srv/v' } };

describe('local.moored.dev', () => {
  it('makes a local volume of this node, in a directory of its own', () => {
    const made = provision(srv);
    expect(made).toEqual(provision(srv));
    expect(made).toMatchObject({
      volumeName: 'pvc-uid-data',
      isCapacityEnforced: false,
      image: { path: '/srv/v/default/data-uid-data', sidecar: { content: 'directory', sizeBytes: '67108864' } },
      spec: {
        local: { path: '/srv/v/default/data-uid-data' },
        persistentVolumeReclaimPolicy: 'Retain',
        nodeAffinity: {
          required: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['edge'] }] },
            ],
          },
        },
      },
    });
    expect(made?.image.sidecar.persistentVolume?.spec).toEqual(made?.spec);
  });

  it('has the local plugin bind what it made, and finds the directory again by the volume', () => {
    const spec = provision(srv)?.spec ?? {};
    const annotations = { 'pv.kubernetes.io/provisioned-by': 'local.moored.dev' };
    // Not the source that the words of the tests have.
    const { csi: _, ...stored } = volume('pvc-uid-data').spec;
    const made = { ...volume('pvc-uid-data', '64Mi', { meta: { annotations } }), spec: { ...stored, ...spec } };
    const pod = { namespace: 'default', name: 'web', uid: 'uid-web' };
    const use = { kind: 'persistentVolume', pod, volume: made, readOnly: false } as const;
    expect(localPlugin.canSupport(use)).toBe(true);
    expect(localProvisioner.canSupport(use)).toBe(false);
    expect(localPlugin.resolve(use, layout).mount).toMatchObject({ source: '/srv/v/default/data-uid-data' });
    const image = { path: '/srv/v/default/data-uid-data', volumeHandle: 'pvc-uid-data' };
    expect(localProvisioner.provisionedImage?.(made)).toEqual(image);
    const foreign = { ...made, metadata: { ...made.metadata, annotations: {} } };
    expect(localProvisioner.provisionedImage?.(foreign)).toBeUndefined();
  });

  test.each([
    ['no directory', {}, /want parameters.directory/],
    ['the root dir', { parameters: { directory: '/var/lib/moored/images' } }, /moored's own/],
    ['what holds the root dir', { parameters: { directory: '/var/lib' } }, /moored's own/],
    ['a filesystem option', { ...srv, mountOptions: ['discard'] }, /"discard" is of a filesystem, not of a bind/],
    ['an illegal option', { ...srv, mountOptions: ['suid'] }, /"suid"/],
  ])('refuses %s', (_what, spec, message) => {
    expect(() => provision(spec)).toThrow(message);
  });

  it('refuses a raw device', () => {
    const block = claim('data', '64Mi', { spec: { volumeMode: 'Block' } });
    expect(() => provision(srv, block)).toThrow('a directory is no device');
  });
});
