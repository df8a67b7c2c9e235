import { describe, expect, test } from 'vitest';
import type { AswVolume, GetFilter, ManifestFile, RecordedEvent } from './protocol.ts';
import { filterReply } from './reply-filter.ts';

function event(regarding: string): RecordedEvent {
  return { type: 'Normal', reason: 'R', regarding, message: '', count: 1, firstTimestamp: '', lastTimestamp: '' };
}

describe('events', () => {
  const all = [
    'Pod/a/web',
    'Pod/b/web',
    'PersistentVolumeClaim/a/data',
    'PersistentVolume/pv',
    'Volume/a/b/c',
    'Manifest/x',
  ];
  test.each<[GetFilter, string[]]>([
    [{}, all],
    [
      { namespace: 'a' },
      ['Pod/a/web', 'PersistentVolumeClaim/a/data', 'PersistentVolume/pv', 'Volume/a/b/c', 'Manifest/x'],
    ],
    [{ name: 'Volume/a/b/c' }, ['Volume/a/b/c']],
    [{ name: 'Pod/b/web' }, ['Pod/b/web']],
    [{ namespace: 'a', name: 'Pod/b/web' }, []],
  ])('%j', (filter, expected) => {
    const { events } = filterReply('events', { events: all.map(event) }, filter);
    expect(events.map(({ regarding }) => regarding)).toEqual(expected);
  });
});

test('volumes have names but no namespace', () => {
  const volume = { name: 'v/1', plugin: 'p', devicePath: '', globalMountPath: '', pods: [] } as const;
  const volumes: AswVolume[] = [
    { ...volume, deviceMountState: 'DeviceNotMounted' },
    { ...volume, name: 'v/2', deviceMountState: 'DeviceNotMounted' },
  ];
  expect(filterReply('asw', { volumes }, { namespace: 'x' })).toEqual({ volumes });
  expect(filterReply('asw', { volumes }, { namespace: 'x', name: 'v/2' })).toEqual({ volumes: [volumes[1]] });
});

test('what is said of the manifest directory as a whole is kept', () => {
  const problem = { file: '/d', message: 'unreadable' };
  const manifests: ManifestFile[] = [{ name: 'a.yaml', state: 'good', objects: [], ignored: [], problems: [] }];
  expect(filterReply('manifests', { manifests, problem }, { name: 'b.yaml' })).toEqual({ manifests: [], problem });
});
