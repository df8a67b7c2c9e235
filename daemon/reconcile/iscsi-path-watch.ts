import type { Clock } from '../ports/clock.ts';
import type { IscsiInitiator } from '../ports/iscsi-initiator.ts';
import type { Logger } from '../ports/logger.ts';
import type { ActualStateOfWorld, ActualVolume } from '../world/actual-state-of-world.ts';
import type { UniqueVolumeName } from '../world/unique-volume-name.ts';
import { isRecordedSession, wayOf } from './attachments/iscsi-way.ts';

/** The kernel has no event for a path that could come back: portals that did not answer are tried as often. */
const lookEveryMs = 60_000;

export interface IscsiPathWatchOptions {
  readonly asw: ActualStateOfWorld;
  readonly initiator: IscsiInitiator;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly isBusy: (name: UniqueVolumeName) => boolean;
  readonly wake: () => void;
}

/**
 * While iSCSI volumes are attached: a look at sysfs each minute. A volume with a path less than it asks for (a portal was
 * down, an administrator logged out) becomes uncertain, and its attach makes what is missing, beside the mounts.
 */
export class IscsiPathWatch {
  readonly #options: IscsiPathWatchOptions;
  #cancel: (() => void) | undefined;

  constructor(options: IscsiPathWatchOptions) {
    this.#options = options;
  }

  /** After each pass. */
  update(): void {
    const isNeeded = [...this.#options.asw.volumes.values()].some(isAttachedIscsi);
    if (!isNeeded) this.stop();
    else this.#cancel ??= this.#options.clock.after(lookEveryMs, () => this.#look());
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #look(): void {
    const { asw, isBusy, wake } = this.#options;
    this.#cancel = undefined;
    for (const volume of asw.volumes.values()) {
      const { name } = volume.record;
      if (isAttachedIscsi(volume) && !isBusy(name) && this.#seemsToLackPath(volume)) asw.markAttachAsUncertain(name);
    }
    wake();
  }

  /** What cannot be seen now is not gone: the next look tells. */
  #seemsToLackPath(volume: ActualVolume): boolean {
    try {
      return this.#lacksPath(volume);
    } catch (error) {
      this.#options.logger.warn('paths cannot be seen', { volume: volume.record.name, error: String(error) });
      return false;
    }
  }

  #lacksPath({ record }: ActualVolume): boolean {
    const { initiator } = this.#options;
    const { attachment } = record.recipe;
    if (attachment?.kind !== 'iscsi') return false;
    return attachment.portals.some((portal) => {
      const path = record.iscsi?.paths.find((known) => known.portal === portal);
      const session = initiator.session(wayOf(attachment, portal));
      if (path === undefined || session === undefined || !isRecordedSession(path, session)) return true;
      return initiator.disk(session, attachment.lun) === undefined;
    });
  }
}

function isAttachedIscsi({ record, attachState }: ActualVolume): boolean {
  return attachState === 'Attached' && record.recipe.attachment?.kind === 'iscsi';
}
