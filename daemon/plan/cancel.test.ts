import { expect, it } from 'vitest';
import { type DesiredStateOfWorld, emptyDesiredStateOfWorld } from '../world/desired-state-of-world.ts';
import { worldOf } from '../world/testing/volumes.ts';
import { type UniqueVolumeName, uniqueVolumeName } from '../world/unique-volume-name.ts';
import { operationsToCancel } from './cancel.ts';
import type { Operation } from './operation.ts';

const name = uniqueVolumeName('test', 'data');
const pod = {
  pod: { namespace: 'default', name: 'web', uid: 'uid-web' },
  specName: 'data',
  outerNames: ['data'],
  targetPath: '/r/pods/uid-web/data',
  mount: { kind: 'bind', readOnly: false },
} as const;
const volume = {
  name,
  plugin: 'test',
  recipe: { globalMountPath: '/g' },
  subject: '',
  pods: new Map([['uid-web', pod]]),
};
const mountDevice: Operation = { kind: 'mountDevice', volumeName: name, volume, reason: '' };
const mountVolume: Operation = { kind: 'mountVolume', volumeName: name, volume, pod, reason: '' };
const size = { persistentVolume: 'pv', desiredBytes: 2n, claimBytes: 1n };
const expandVolume: Operation = { kind: 'expandVolume', volumeName: name, volume, size, reason: '' };
const unmountDevice: Operation = { kind: 'unmountDevice', volumeName: name, reason: '' };

function world(changes: Partial<DesiredStateOfWorld> = {}): DesiredStateOfWorld {
  return { ...emptyDesiredStateOfWorld, complete: true, ...changes };
}
const wanted = new Map<UniqueVolumeName, typeof volume>([[name, volume]]);
const unresolved = worldOf([], { unresolved: ['web'] }).errors;

it('leaves what is wanted, and everything on the way down', () => {
  expect(
    operationsToCancel(world({ volumes: wanted }), [mountDevice, mountVolume, expandVolume, unmountDevice]),
  ).toEqual([]);
  expect(operationsToCancel(world(), [unmountDevice])).toEqual([]);
});

it('cancels what nobody wants any more', () => {
  const all = [mountDevice, mountVolume, expandVolume];
  expect(operationsToCancel(world(), all)).toEqual(all);
  const other = new Map([[name, { ...volume, pods: new Map() }]]);
  expect(operationsToCancel(world({ volumes: other }), [mountDevice, mountVolume])).toEqual([mountVolume]);
});

it('cancels nothing on a guess: sources unread, or a pod unresolved that may want it', () => {
  expect(operationsToCancel(world({ complete: false }), [mountDevice, mountVolume])).toEqual([]);
  expect(operationsToCancel(world({ errors: unresolved }), [mountDevice, mountVolume])).toEqual([]);
});
