/** The oracle itself: it must be able to fail. */
import { describe, expect, test } from 'vitest';
import type { AswVolume, PodView, VolumeView } from '../../daemon/control/protocol.ts';
import type { MountLine } from './kernel-facts.ts';
import { type Claims, lies } from './status-check.ts';

const mount = (target: string, change: Partial<MountLine> = {}): MountLine => ({
  ...{ id: '40', device: '7:3', root: '/', target, options: ['rw'], fsType: 'ext4', source: '/dev/loop3', line: '' },
  ...change,
});

const pod: PodView = {
  ...{ apiVersion: 'v1', kind: 'Pod' },
  metadata: {
    ...{ name: 'web', namespace: 'default', uid: 'u', resourceVersion: '1', generation: 1 },
    creationTimestamp: '2026-01-01T00:00:00Z',
  },
  spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] },
  status: { phase: 'Ready', conditions: [], volumes: [{ name: 'data', path: '/p', state: 'Mounted', volume: 'v' }] },
};
const volume: VolumeView = {
  ...{ name: 'v', plugin: 'loop.moored.dev', state: 'Mounted', device: '/dev/loop3', path: '/g' },
  ...{ pods: ['default/web'], claim: 'default/data', message: '', capacity: '', requested: '' },
};
const actual: AswVolume = {
  ...{ name: 'v', plugin: 'loop.moored.dev', devicePath: '/dev/loop3', globalMountPath: '/g' },
  deviceMountState: 'DeviceGloballyMounted',
  pods: [
    {
      ...{ namespace: 'default', name: 'web', uid: 'u', targetPath: '/p' },
      ...{ mountState: 'VolumeMounted', readOnly: false },
    },
  ],
};
const claims: Claims = { pods: [pod], volumes: [volume], asw: [actual] };
const nothing: Claims = { pods: [], volumes: [], asw: [] };

describe('what mountinfo bears out', () => {
  test('a volume that is mounted, globally and for its pod', () => {
    expect(lies(claims, [mount('/g'), mount('/p')])).toEqual([]);
  });

  test('a status that is worse', () => {
    const pending: PodView = { ...pod, status: { ...pod.status, phase: 'Pending', volumes: [] } };
    expect(lies({ ...nothing, pods: [pending] }, [mount('/g'), mount('/p')])).toEqual([]);
  });

  test('an emptyDir that is a plain directory', () => {
    const scratch: PodView = { ...pod, spec: { volumes: [{ name: 'data', emptyDir: {} }] } };
    expect(lies({ ...nothing, pods: [scratch] }, [])).toEqual([]);
  });
});

describe('what it does not', () => {
  test('nothing at the pod', () => {
    expect(lies(claims, [mount('/g')])).toEqual([
      'pod default/web: volume "data" is Mounted, but nothing is at "/p"',
      'volume v is Mounted, but not at "/p"',
      'asw v: nothing is at "/p"',
    ]);
  });

  test('nothing at the global mount path', () => {
    expect(lies(claims, [mount('/p')])).toEqual(['asw v: nothing is at "/g"']);
  });

  test('something else over the pod', () => {
    const table = [mount('/g'), mount('/p'), mount('/p', { device: '0:55' })];
    expect(lies(claims, table)).toEqual(['asw v: "/p" is another filesystem than "/g"']);
  });

  test('writable, but called read-only', () => {
    const [entry] = actual.pods;
    const asw = entry === undefined ? [] : [{ ...actual, pods: [{ ...entry, readOnly: true }] }];
    expect(lies({ ...nothing, asw }, [mount('/g'), mount('/p')])).toEqual(['asw v: "/p" is writable']);
    expect(lies({ ...nothing, asw }, [mount('/g'), mount('/p', { options: ['ro'] })])).toEqual([]);
  });

  test('a pod that is ready with a volume that is not', () => {
    const [data] = pod.status.volumes;
    const volumes = data === undefined ? [] : [{ ...data, state: 'Failed' as const }];
    const torn: PodView = { ...pod, status: { ...pod.status, volumes } };
    expect(lies({ ...nothing, pods: [torn] }, [mount('/p')])).toEqual([
      'pod default/web is ready, but not its volumes data',
    ]);
  });
});
