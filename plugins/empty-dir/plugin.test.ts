import { describe, expect, it } from 'vitest';
import type { Volume } from '../../daemon/api/pod.ts';
import type { VolumeSpec } from '../../daemon/ports/volume-plugin.ts';
import { diskLayout } from '../../daemon/world/disk-layout.ts';
import type { PodReference } from '../../daemon/world/volume-record.ts';
import { podA, volumePluginContract } from '../testing/plugin-contract.ts';
import { emptyDirPlugin } from './plugin.ts';

function inline(volume: Volume): (pod: PodReference) => VolumeSpec {
  return (pod) => ({ kind: 'inline', pod, volume });
}

describe('emptyDir', () => {
  volumePluginContract({
    plugin: emptyDirPlugin,
    cases: [
      { name: 'a directory', specFor: inline({ name: 'scratch', emptyDir: {} }), isShared: false },
      { name: 'a tmpfs', specFor: inline({ name: 'scratch', emptyDir: { medium: 'Memory' } }), isShared: false },
    ],
    foreign: [
      inline({ name: 'x', csi: { driver: 'loop.moored.dev', volumeAttributes: { size: '1Gi' } } })(podA),
      inline({ name: 'x', hostPath: { path: '/etc' } })(podA),
    ],
    illegal: [inline({ name: 'x', hostPath: { path: '/etc' } })(podA)],
  });

  it('limits a tmpfs to its sizeLimit, in bytes', () => {
    const spec = inline({ name: 's', emptyDir: { medium: 'Memory', sizeLimit: '1.5Mi' } })(podA);
    expect(emptyDirPlugin.resolve(spec, diskLayout('/r')).mount).toEqual({ kind: 'tmpfs', sizeBytes: '1572864' });
  });

  it('keeps the kubelet’s path', () => {
    const { targetPath, name } = emptyDirPlugin.resolve(inline({ name: 's', emptyDir: {} })(podA), diskLayout('/r'));
    expect(targetPath).toBe(`/r/pods/${podA.uid}/volumes/kubernetes.io~empty-dir/s`);
    expect(name).toBe(`kubernetes.io/empty-dir/${podA.uid}-s`);
  });
});
