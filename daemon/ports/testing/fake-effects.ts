/** What a fake machine does on request, and what it does instead when a test says so. */
import { StorageError, type StorageErrorCode } from '../../world/storage-error.ts';

export type Effect =
  | 'mountDevice'
  | 'mountTmpfs'
  | 'bind'
  | 'setFlags'
  | 'unmount'
  | 'mountNfs'
  | 'setNfsFlags'
  | 'unmountNfs'
  | 'probeNfs'
  | 'refresh'
  | 'attach'
  | 'restoreImage'
  | 'detach'
  | 'keepLoop'
  | 'probe'
  | 'mkfs'
  | 'fsck'
  | 'growFilesystem'
  | 'growLoop'
  | 'growImage'
  | 'seal'
  | 'remove'
  | 'removeTree'
  | 'empty'
  | 'createImage'
  | 'removeImage'
  | 'replaceImage'
  | 'trashImage'
  | 'login'
  | 'logout'
  | 'scan'
  | 'removeDisk'
  | 'copyImage'
  | 'renewIdentity'
  | 'publishImage'
  | 'thaw';

/** What the next call of an effect does instead of simply succeeding. */
export type Fault =
  /** Nothing happens, and the error is thrown. */
  | { readonly kind: 'fail'; readonly error: Error }
  /** The effect happens, and the error is thrown all the same: a deadline that ran out too early. */
  | { readonly kind: 'failAfterSuccess'; readonly error: Error }
  /** Nothing happens, and success is reported. */
  | { readonly kind: 'lie' }
  /** Hangs until the promise resolves, then succeeds. Only effects that are promises can hang. */
  | { readonly kind: 'hang'; readonly until: Promise<void> };

export function finalError(message = 'refused', code: StorageErrorCode = 'Internal'): StorageError {
  return new StorageError(message, { code, progress: 'final' });
}

export function uncertainError(message = 'timed out'): StorageError {
  return new StorageError(message, { code: 'DeadlineExceeded', progress: 'uncertain' });
}

export function transientError(message = 'not now'): StorageError {
  return new StorageError(message, { code: 'Unavailable', progress: 'transient' });
}

/** The effects of one machine: their log, their faults, and the death of the daemon that asks for them. */
export class EffectLog {
  /** Every effect that happened, as "name subject". */
  readonly entries: string[] = [];
  /** How often each effect was asked for, successful or not. */
  readonly calls = new Map<Effect, number>();
  readonly #faults = new Map<Effect, Fault[]>();
  readonly #lasting = new Map<Effect, Fault>();
  #effectsLeft = Number.POSITIVE_INFINITY;

  /** The next call (or the next ones, in order) of this effect. */
  next(effect: Effect, ...faults: readonly Fault[]): void {
    this.#faults.set(effect, [...(this.#faults.get(effect) ?? []), ...faults]);
  }

  /** Every call from now on, until `heal`. */
  always(effect: Effect, fault: Fault): void {
    this.#lasting.set(effect, fault);
  }

  heal(effect: Effect): void {
    this.#lasting.delete(effect);
    this.#faults.delete(effect);
  }

  /** After this many more effects the daemon is dead: it can do nothing any more. */
  dieAfter(effects: number): void {
    this.#effectsLeft = effects;
  }

  get isDead(): boolean {
    return this.#effectsLeft <= 0;
  }

  count(effect: Effect): void {
    this.calls.set(effect, (this.calls.get(effect) ?? 0) + 1);
  }

  /** @param lie what is answered when the fault is a lie */
  do<T>(effect: Effect, subject: string, act: () => T, lie: T): T {
    if (this.isDead && effect !== 'refresh') throw new Error('the daemon is dead');
    const fault = this.#faultOf(effect);
    if (fault?.kind === 'fail') throw fault.error;
    if (fault?.kind === 'lie') return lie;
    if (fault?.kind === 'hang') throw new Error(`${effect} is synchronous: it cannot hang`);
    const result = act();
    // A reading of the table changes nothing: it neither kills nor is it told.
    if (effect !== 'refresh') {
      this.entries.push(`${effect} ${subject}`);
      this.#effectsLeft--;
    }
    if (fault?.kind === 'failAfterSuccess') throw fault.error;
    return result;
  }

  async doAsync<T>(effect: Effect, subject: string, act: () => T, lie: T): Promise<T> {
    const [fault] = this.#faults.get(effect) ?? [this.#lasting.get(effect)];
    if (fault?.kind !== 'hang') {
      await Promise.resolve();
      return this.do(effect, subject, act, lie);
    }
    this.#faultOf(effect);
    await fault.until;
    const result = act();
    this.entries.push(`${effect} ${subject}`);
    return result;
  }

  #faultOf(effect: Effect): Fault | undefined {
    this.count(effect);
    return this.#faults.get(effect)?.shift() ?? this.#lasting.get(effect);
  }
}
