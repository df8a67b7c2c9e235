/** One piece of work at a time for a key, in the order of asking. */
export class KeyedLock {
  readonly #tails = new Map<string, Promise<void>>();

  /** @throws the signal's reason, when it is aborted before the turn has come */
  async run<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const { promise: turn, resolve: release } = Promise.withResolvers<void>();
    const tail = before.then(() => turn);
    this.#tails.set(key, tail);
    try {
      await before;
      signal.throwIfAborted();
      return await work();
    } finally {
      release();
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }
}
