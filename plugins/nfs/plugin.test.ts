import { describe, expect, it } from 'vitest';
import type { NfsVolumeSource } from '../../daemon/api/nfs.ts';
import type { PersistentVolumeSpec } from '../../daemon/api/persistent-volume.ts';
import type { VolumeSpec } from '../../daemon/ports/volume-plugin.ts';
import { diskLayout } from '../../daemon/world/disk-layout.ts';
import type { PodReference } from '../../daemon/world/volume-record.ts';
import { podA, volumePluginContract } from '../testing/plugin-contract.ts';
import { nfsPlugin } from './plugin.ts';

const layout = diskLayout('/r');
const export1: NfsVolumeSource = { server: 'filer.example.org', path: '/srv/data' };

function inline(source: NfsVolumeSource): (pod: PodReference) => VolumeSpec {
  return (pod) => ({ kind: 'inline', pod, volume: { name: 'data', nfs: source } });
}

function bound(spec: Partial<PersistentVolumeSpec> = {}, readOnly = false): (pod: PodReference) => VolumeSpec {
  const metadata = {
    name: 'share',
    namespace: '',
    uid: 'u',
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
  };
  const volume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata,
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteMany'], nfs: export1, ...spec },
  } as const;
  return (pod) => ({ kind: 'persistentVolume', pod, volume, readOnly });
}

const mountOf = (spec: (pod: PodReference) => VolumeSpec) => nfsPlugin.resolve(spec(podA), layout).mount;

describe('kubernetes.io/nfs', () => {
  volumePluginContract({
    plugin: nfsPlugin,
    cases: [
      { name: 'an inline volume', specFor: inline(export1), isShared: false },
      { name: 'a PersistentVolume', specFor: bound(), isShared: false },
      { name: 'a PersistentVolume with options', specFor: bound({ mountOptions: ['vers=4.2'] }), isShared: false },
    ],
    foreign: [
      { kind: 'inline', pod: podA, volume: { name: 'x', emptyDir: {} } },
      { kind: 'inline', pod: podA, volume: { name: 'x', csi: { driver: 'loop.moored.dev' } } },
    ],
    illegal: [
      { kind: 'inline', pod: podA, volume: { name: 'x', emptyDir: {} } },
      bound({ mountOptions: ['suid'] })(podA),
      bound({ volumeMode: 'Block' })(podA),
    ],
  });

  it('keeps the kubelet’s name and path', () => {
    const { name, targetPath } = nfsPlugin.resolve(bound()(podA), layout);
    expect(name).toBe(`kubernetes.io/nfs/${podA.uid}-share`);
    expect(targetPath).toBe(`/r/pods/${podA.uid}/volumes/kubernetes.io~nfs/share`);
  });

  it.each([
    ['filer', '/srv/data', 'filer', 'filer:/srv/data'],
    ['Filer.Example.org', '/', 'filer.example.org', 'filer.example.org:/'],
    ['10.0.0.5', '/srv/data/sub/dir', '10.0.0.5', '10.0.0.5:/srv/data/sub/dir'],
    ['fd00::5', '/srv', 'fd00::5', '[fd00::5]:/srv'],
    ['[FD00::5]', '/srv', 'fd00::5', '[fd00::5]:/srv'],
    ['fe80::1%eth0', '/srv', 'fe80::1%eth0', '[fe80::1%eth0]:/srv'],
  ])('asks server %s and path %s as %s, %s', (server, path, name, source) => {
    expect(mountOf(inline({ server, path }))).toMatchObject({ server: name, source });
  });

  it.each([
    ['the source', inline({ ...export1, readOnly: true })],
    ['the claim', bound({}, true)],
    ['ReadOnlyMany alone', bound({ accessModes: ['ReadOnlyMany'] })],
    ['mountOptions ro', bound({ mountOptions: ['ro', 'hard'] })],
  ])('is read-only because of %s', (_cause, spec) => {
    expect(mountOf(spec)).toMatchObject({ readOnly: true });
  });

  it('is writable otherwise, with the options of the PersistentVolume', () => {
    expect(mountOf(bound({ mountOptions: ['vers=4.1', 'hard', 'nosuid'] }))).toEqual({
      kind: 'nfs',
      server: 'filer.example.org',
      source: 'filer.example.org:/srv/data',
      readOnly: false,
      options: ['hard', 'vers=4.1'],
    });
  });
});
