import { expect, it } from 'vitest';
import { MemoryEventRecorder } from '../adapters/memory-event-recorder.ts';
import { FakeClock } from '../ports/testing/fake-clock.ts';
import {
  type DesiredStateOfWorld,
  emptyDesiredStateOfWorld,
  type PodVolumeError,
} from '../world/desired-state-of-world.ts';
import { StorageError } from '../world/storage-error.ts';
import { reportUnresolved } from './unresolved-volumes.ts';

const web = { namespace: 'default', name: 'web', uid: 'uid-web' };

function world(reason: PodVolumeError['reason'], ...messages: readonly string[]): DesiredStateOfWorld {
  const errors = messages.map((message) => ({
    ...{ pod: web, volume: 'data', reason },
    error: new StorageError(message, { code: 'InvalidArgument', hint: `mend ${message}` }),
  }));
  return { ...emptyDesiredStateOfWorld, errors: new Map([['uid-web', errors]]) };
}

it('tells of each cause once, and again only after it was another one', () => {
  const events = new MemoryEventRecorder(new FakeClock());
  const passes = [
    emptyDesiredStateOfWorld,
    world('VolumeNotResolved', 'a'),
    world('VolumeNotResolved', 'a'),
    world('VolumeNotResolved', 'a', 'b'),
    emptyDesiredStateOfWorld,
    world('VolumeNotResolved', 'a'),
  ];
  for (const [index, now] of passes.entries()) {
    reportUnresolved(passes[index - 1] ?? emptyDesiredStateOfWorld, now, events);
  }
  expect(events.list()).toMatchObject([
    { type: 'Warning', reason: 'VolumeNotResolved', regarding: 'Pod/default/web', message: 'b', count: 1 },
    { message: 'a', count: 2, help: expect.stringMatching(/^mend a\n/) },
  ]);
});

it('leaves a claim that is not bound to the events of the claim', () => {
  const events = new MemoryEventRecorder(new FakeClock());
  reportUnresolved(emptyDesiredStateOfWorld, world('ClaimNotBound', 'claim "data" is Pending'), events);
  expect(events.list()).toEqual([]);
});
