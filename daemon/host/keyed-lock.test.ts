import { expect, it } from 'vitest';
import { KeyedLock } from './keyed-lock.ts';

const never = new AbortController().signal;

it('runs work of one key in turn, of two keys side by side, and goes on after a failure', async () => {
  const lock = new KeyedLock();
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const work = (name: string, until?: Promise<void>) => async () => {
    log.push(`${name} begins`);
    await until;
    log.push(`${name} ends`);
    if (name === 'a1') throw new Error('a1 fails');
  };
  const a1 = lock.run('a', never, work('a1', gate.promise));
  const a2 = lock.run('a', never, work('a2'));
  await lock.run('b', never, work('b1'));
  expect(log).toEqual(['a1 begins', 'b1 begins', 'b1 ends']);
  gate.resolve();
  await expect(a1).rejects.toThrow('a1 fails');
  await a2;
  expect(log.slice(3)).toEqual(['a1 ends', 'a2 begins', 'a2 ends']);
});

it('does not begin what was cancelled while it waited', async () => {
  const lock = new KeyedLock();
  const gate = Promise.withResolvers<void>();
  const first = lock.run('a', never, () => gate.promise);
  const controller = new AbortController();
  const second = lock.run('a', controller.signal, () => Promise.reject(new Error('it began')));
  controller.abort(new Error('cancelled'));
  gate.resolve();
  await first;
  await expect(second).rejects.toThrow('cancelled');
  await lock.run('a', never, () => Promise.resolve());
});
