import { expect, it } from 'vitest';
import { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import { uniqueVolumeName } from '../world/unique-volume-name.ts';
import { MemoryUse } from './memory-use.ts';

const name = (pod: string) => uniqueVolumeName('test', pod);

function intend(asw: ActualStateOfWorld, uid: string, size: string | undefined): string {
  const targetPath = `/pods/${uid}/scratch`;
  const sizeBytes = size === undefined ? {} : { sizeBytes: size };
  const pod = { pod: { namespace: 'default', name: uid, uid }, specName: 'scratch', outerNames: [], targetPath };
  const pods = { [uid]: { ...pod, mount: { kind: 'tmpfs', ...sizeBytes } as const } };
  asw.addVolume({ name: name(uid), plugin: 'test', recipe: { globalMountPath: '' }, pods });
  return targetPath;
}

function worldWith(limit: bigint) {
  const asw = new ActualStateOfWorld();
  return { asw, use: new MemoryUse(asw, { limit: { kind: 'bytes', bytes: limit }, memoryBytes: 1000n }) };
}

it('counts what is mounted or on the way, and nothing that is only asked for', () => {
  const { asw, use } = worldWith(100n);
  const [one, two] = [intend(asw, 'one', '60'), intend(asw, 'two', '60')];
  use.admit(one, 60n);
  expect(() => use.admit(two, 60n)).toThrow(/Cannot mount tmpfs at ".*two.*": 60 asked, 60 promised to others, 100 at/);
  asw.markVolumeAsMounted(name('one'), 'one', { observed: undefined, at: '' });
  expect(() => use.admit(two, 60n)).toThrow('60 promised to others');
  use.admit(one, 60n);
  asw.forgetVolume(name('one'));
  use.admit(two, 60n);
});

it('gives back what could not be mounted, and knows what was mounted before the start', () => {
  const { asw, use } = worldWith(100n);
  const one = intend(asw, 'one', '60');
  use.admit(one, 60n);
  use.release(one);
  const two = intend(asw, 'two', '100');
  use.admit(two, 100n);
  asw.markVolumeAsMounted(name('two'), 'two', { observed: undefined, at: '' });
  const later = new MemoryUse(asw, { limit: { kind: 'bytes', bytes: 100n }, memoryBytes: 1000n });
  expect(() => later.admit(one, 1n)).toThrow('1 asked, 100 promised to others');
});

it('takes a tmpfs without a size for half of the memory', () => {
  const { asw, use } = worldWith(499n);
  const one = intend(asw, 'one', undefined);
  expect(() => use.admit(one, undefined)).toThrow('500 asked');
});
