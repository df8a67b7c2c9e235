/** Counts changes of what the daemon would answer, and lets clients wait for the next one. */
export class Revision {
  #value = 1;
  readonly #waiters = new Set<() => void>();

  get value(): number {
    return this.#value;
  }

  bump(): void {
    this.#value++;
    const waiters = [...this.#waiters];
    for (const wake of waiters) wake();
  }

  /** The revision, once it is not `since` or the signal aborts; never rejects. */
  after(since: number | undefined, signal: AbortSignal): Promise<number> {
    if (since !== this.#value || signal.aborted) return Promise.resolve(this.#value);
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiters.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve(this.#value);
      };
      this.#waiters.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}
