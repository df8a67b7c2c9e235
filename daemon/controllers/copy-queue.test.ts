import { describe, expect, it } from 'vitest';
import { objectKey } from '../api/meta.ts';
import type { CopyProgress } from '../ports/image-copies.ts';
import { FakeClock } from '../ports/testing/fake-clock.ts';
import { CopyQueue, type QueuedCopy } from './copy-queue.ts';

const never = new AbortController().signal;

const copyOf = (name: string): QueuedCopy => ({
  ...{ key: objectKey('PersistentVolumeClaim', 'default', name), volume: `pvc-${name}` },
  ...{ source: `/images/${name}.img`, target: `/images/${name}-copy.img` },
});

class Scene {
  readonly clock = new FakeClock();
  readonly begun: string[] = [];
  readonly #ends = new Map<string, PromiseWithResolvers<void>>();
  progress: CopyProgress | undefined;
  readonly queue = new CopyQueue({
    clock: this.clock,
    copyLimit: 2,
    imageCopies: { progressOf: () => this.progress },
  });

  /** Rejects as its copy does; the caller may look at that. */
  ask(name: string, signal = never): Promise<void> {
    const end = Promise.withResolvers<void>();
    this.#ends.set(name, end);
    const asked = this.queue.run(copyOf(name), signal, () => {
      this.begun.push(name);
      return end.promise;
    });
    asked.catch(() => undefined);
    return asked;
  }

  async end(name: string, failure?: Error): Promise<void> {
    if (failure === undefined) this.#ends.get(name)?.resolve();
    else this.#ends.get(name)?.reject(failure);
    await new Promise(setImmediate);
  }

  get states(): readonly string[] {
    return this.queue.all.map(({ volume, state }) => `${volume} ${state}`);
  }
}

describe('CopyQueue', () => {
  it('runs so many at once, and the others in the order in which they came', async () => {
    const scene = new Scene();
    for (const name of ['a', 'b', 'c', 'd']) void scene.ask(name);
    expect(scene.states).toEqual(['pvc-a running', 'pvc-b running', 'pvc-c waiting', 'pvc-d waiting']);
    await scene.end('b');
    expect(scene.begun).toEqual(['a', 'b', 'c']);
    await scene.end('a', new Error('no room'));
    expect(scene.begun).toEqual(['a', 'b', 'c', 'd']);
  });

  it('gives a place to whoever waited, not to who asks in that moment', async () => {
    const scene = new Scene();
    const first = scene.ask('a');
    for (const name of ['b', 'c']) void scene.ask(name);
    const late = first.then(() => scene.ask('late'));
    late.catch(() => undefined);
    await scene.end('a');
    expect(scene.states).toEqual(['pvc-b running', 'pvc-c running', 'pvc-late waiting']);
  });

  it('lets go what is given up while it waits, and begins nothing for it', async () => {
    const scene = new Scene();
    const stop = new AbortController();
    for (const name of ['a', 'b']) void scene.ask(name);
    const waiting = scene.ask('c', stop.signal);
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'Aborted', progress: 'transient' });
    await scene.end('a');
    expect(scene.begun).toEqual(['a', 'b']);
    expect(scene.states).toEqual(['pvc-b running']);
    await expect(scene.ask('d', stop.signal)).rejects.toMatchObject({ code: 'Aborted' });
    expect(scene.states).toEqual(['pvc-b running']);
  });

  it('says how far a copy is, and for what another one waits', () => {
    const scene = new Scene();
    scene.progress = { doneBytes: 120n << 20n, totalBytes: 400n << 20n };
    for (const name of ['a', 'b', 'c', 'd']) void scene.ask(name);
    const messages = scene.queue.all.map(({ message }) => message);
    const running = 'and 2 run at once, now for PersistentVolumeClaim/default/a, PersistentVolumeClaim/default/b';
    expect(messages.slice(1)).toEqual([
      'its data is being copied: 120Mi of 400Mi are on the disk',
      `its data is to be copied: it is the next, ${running}`,
      `its data is to be copied: 1 before it, ${running}`,
    ]);
  });
});
