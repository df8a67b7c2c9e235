import { expect, it } from 'vitest';
import { nearestName } from './nearest-name.ts';

const modes = ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod'];

it.each([
  ['sizelimit', ['medium', 'sizeLimit'], 'sizeLimit'],
  ['sizeLimt', ['medium', 'sizeLimit'], 'sizeLimit'],
  ['mediun', ['medium', 'sizeLimit'], 'medium'],
  ['emptydir', ['emptyDir', 'ephemeral'], 'emptyDir'],
  ['RWO', modes, 'ReadWriteOnce'],
  ['ReadWriteOnec', modes, 'ReadWriteOnce'],
  ['readWriteOncePod', modes, 'ReadWriteOncePod'],
  ['reclaimPolicy', ['persistentVolumeReclaimPolicy', 'mountOptions'], 'persistentVolumeReclaimPolicy'],
  ['Retian', ['Retain', 'Delete'], 'Retain'],
])('%s among %j is %s', (name, legal, nearest) => {
  expect(nearestName(name, legal)).toBe(nearest);
});

it.each([
  ['replicas', ['medium', 'sizeLimit']],
  ['x', ['ro']],
  ['a'.repeat(1_000_000), ['medium']],
  ['medium', []],
])('nothing is near enough to %.10s', (name, legal) => {
  expect(nearestName(name, legal)).toBeUndefined();
});
