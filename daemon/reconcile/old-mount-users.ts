/** Who goes on with a mount that somebody took away lazily: looked for once after the loss, then while there is somebody. */
import type { Logger } from '../ports/logger.ts';
import type { MountHolders } from '../ports/mount-holders.ts';
import { describeHolders } from '../world/mount-holder.ts';
import type { UniqueVolumeName } from '../world/unique-volume-name.ts';
import type { DriftLog } from './drift-log.ts';

export interface OldMountUsersOptions {
  readonly holders: MountHolders;
  readonly driftLog: DriftLog;
  readonly logger: Logger;
  /** Called when what is known has changed. */
  readonly onChange: () => void;
}

export class OldMountUsers {
  readonly #options: OldMountUsersOptions;
  /** Device numbers of superblocks that lost a mount. */
  readonly #lost = new Map<UniqueVolumeName, string>();
  readonly #due = new Set<UniqueVolumeName>();
  readonly #controller = new AbortController();
  #looking: Promise<void> | undefined;

  constructor(options: OldMountUsersOptions) {
    this.#options = options;
  }

  /** @param deviceNumber of the superblock that was mounted there */
  mountLost(name: UniqueVolumeName, deviceNumber: string): void {
    this.#lost.set(name, deviceNumber);
    this.#look(name);
  }

  /** The slow look: at those that were still used. */
  lookAgain(): void {
    for (const name of this.#lost.keys()) this.#look(name);
  }

  async stop(): Promise<void> {
    this.#controller.abort();
    await this.#looking;
  }

  /** One child at a time, however many mounts go at once. */
  #look(name: UniqueVolumeName): void {
    this.#due.add(name);
    this.#looking ??= this.#lookAtDue().finally(() => {
      this.#looking = undefined;
    });
  }

  async #lookAtDue(): Promise<void> {
    for (const name of this.#due) {
      this.#due.delete(name);
      if (!this.#controller.signal.aborted) await this.#lookAt(name);
    }
  }

  async #lookAt(name: UniqueVolumeName): Promise<void> {
    const { holders, driftLog, onChange, logger } = this.#options;
    const deviceNumber = this.#lost.get(name);
    if (deviceNumber === undefined) return;
    try {
      const found = await holders.find({ kind: 'hidden', deviceNumber }, this.#controller.signal);
      // Another mount of it may have been lost meanwhile.
      if (found.length === 0 && !this.#due.has(name)) this.#lost.delete(name);
      if (driftLog.markHolders(name, describeHolders(found))) onChange();
    } catch (error) {
      logger.warn('users of an old mount cannot be looked for', { volume: name, error: String(error) });
    }
  }
}
