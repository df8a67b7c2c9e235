import { expect, it } from 'vitest';
import { plugins } from '../plugins/index.ts';
import { MemoryStateStore } from './adapters/memory-state-store.ts';
import { StateObjectStore } from './adapters/state-object-store.ts';
import { volume } from './api/testing/storage-objects.ts';
import { limitedHost } from './limited-host.ts';
import { FakeHost } from './ports/testing/fake-host.ts';
import { ActualStateOfWorld } from './world/actual-state-of-world.ts';
import { uniqueVolumeName } from './world/unique-volume-name.ts';

const capacity = 1000n;

function machine(pool: { overcommit?: number }) {
  const host = new FakeHost();
  host.images.space = () => ({ sizeBytes: capacity, freeBytes: capacity });
  const [asw, objects] = [new ActualStateOfWorld(), new StateObjectStore(new MemoryStateStore())];
  const room = () => limitedHost({ host, limits: { pool }, plugins }, objects, asw).images.space('/images')?.freeBytes;
  return { asw, objects, room };
}

it('leaves the images as they are without limits', () => {
  expect(machine({}).room()).toBe(1000n);
});

it('counts volumes that moored made, and no others', () => {
  const { objects, room } = machine({ overcommit: 1 });
  objects.create(volume('given', '300'));
  expect(room()).toBe(1000n);
  objects.create(volume('made', '300', { marks: ['dynamic'] }));
  expect(room()).toBe(700n);
});

it('counts the image of an inline volume once it is there', () => {
  const { asw, room } = machine({ overcommit: 1 });
  const name = uniqueVolumeName('test', 'inline');
  const common = { kind: 'image', path: '/images/i.img', readOnly: false, isOwned: true, volumeHandle: 'i' } as const;
  const recipe = { attachment: { ...common, create: { sizeBytes: '400' } }, globalMountPath: '' };
  asw.addVolume({ name, plugin: 'loop.moored.dev', recipe, pods: {} });
  expect(room()).toBe(1000n);
  asw.markBackingToAttach(name, { device: '1', inode: '1', path: '/images/i.img' });
  expect(room()).toBe(600n);
});
