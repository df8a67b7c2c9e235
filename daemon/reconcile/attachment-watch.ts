/**
 * What no mount table tells: a loop device that somebody detached, an image that was moved or removed, a device that is
 * gone, an emptyDir's directory that was deleted. inotify names the path, then sysfs is asked about the volumes that it
 * concerns; a slow look at all finds what inotify did not tell. Nothing of a volume is touched.
 */
import type { EventRecorder } from '../ports/events.ts';
import type { Host } from '../ports/host.ts';
import type { Logger } from '../ports/logger.ts';
import type { ActualStateOfWorld, ActualVolume } from '../world/actual-state-of-world.ts';
import { type AttachmentDrift, findAttachmentDrift } from '../world/attachment-drift.ts';
import type { ReasonCode } from '../world/reasons/reason-table.ts';
import type { UniqueVolumeName } from '../world/unique-volume-name.ts';
import type { VolumeRecord } from '../world/volume-record.ts';
import { type DriftLog, recordDrift } from './drift-log.ts';
import { backingOf } from './operations/loop-backing.ts';
import { watchedPaths } from './watched-paths.ts';

const standingKey = 'attachment';

export interface AttachmentWatchOptions {
  readonly asw: ActualStateOfWorld;
  readonly host: Pick<Host, 'attachments' | 'loopDevices' | 'directories'>;
  readonly driftLog: DriftLog;
  readonly events: EventRecorder;
  readonly logger: Logger;
  readonly isBusy: (name: UniqueVolumeName, podUid: string) => boolean;
  /** Called when the planner has something to repair, or a view to renew. */
  readonly wake: () => void;
}

export class AttachmentWatch {
  readonly #options: AttachmentWatchOptions;
  /** The records as of which the watches are. */
  readonly #records = new Map<UniqueVolumeName, VolumeRecord>();
  readonly #volumesByPath = new Map<string, Set<UniqueVolumeName>>();
  /** How many volumes have it watched: a directory of images is watched for each of them. */
  readonly #uses = new Map<string, number>();
  /** Not looked at yet: new, or an operation was working on them. */
  readonly #pending = new Set<UniqueVolumeName>();
  #unsubscribe: (() => void) | undefined;

  constructor(options: AttachmentWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#unsubscribe = this.#options.host.attachments.onChange((path) => this.#pathChanged(path));
  }

  stop(): void {
    this.#unsubscribe?.();
  }

  /** After each pass: watches follow the records, and what was busy is looked at. */
  update(): void {
    const { asw } = this.#options;
    for (const name of this.#records.keys()) if (asw.get(name) === undefined) this.#setRecord(name, undefined);
    for (const { record } of asw.volumes.values()) {
      if (this.#records.get(record.name) !== record) this.#setRecord(record.name, record);
    }
    for (const name of [...this.#pending]) this.#look(name);
  }

  /** The slow look: at everything. */
  lookAtAll(): void {
    for (const name of this.#options.asw.volumes.keys()) this.#look(name);
  }

  #pathChanged(path: string): void {
    for (const name of this.#volumesByPath.get(path) ?? []) this.#look(name);
  }

  #setRecord(name: UniqueVolumeName, record: VolumeRecord | undefined): void {
    const { attachments } = this.#options.host;
    const before = watchedPaths(this.#records.get(name));
    const now = watchedPaths(record);
    if (record === undefined) {
      this.#records.delete(name);
      this.#pending.delete(name);
    } else this.#records.set(name, record);
    for (const { path, told } of before) {
      if (now.some((kept) => kept.told === told)) continue;
      const names = this.#volumesByPath.get(told);
      names?.delete(name);
      if (names?.size === 0) this.#volumesByPath.delete(told);
      if (this.#use(path, -1) === 0) this.#attempt(name, () => attachments.unwatch(path));
    }
    for (const { path, told, as, madeAt } of now) {
      const known = before.find((earlier) => earlier.told === told);
      if (known?.madeAt === madeAt && known !== undefined) continue;
      if (known === undefined) this.#use(path, 1);
      this.#volumesByPath.set(told, (this.#volumesByPath.get(told) ?? new Set()).add(name));
      this.#attempt(name, () => attachments.watch(path, as));
      this.#pending.add(name);
    }
  }

  #use(path: string, change: 1 | -1): number {
    const uses = (this.#uses.get(path) ?? 0) + change;
    if (uses === 0) this.#uses.delete(path);
    else this.#uses.set(path, uses);
    return uses;
  }

  #look(name: UniqueVolumeName): void {
    const { asw, isBusy } = this.#options;
    this.#pending.delete(name);
    const volume = asw.get(name);
    if (volume === undefined) return;
    // Looked at again by `update` when its operation has ended.
    if (isBusy(name, '')) this.#pending.add(name);
    else this.#attempt(name, () => this.#lookAtAttachment(volume));
    this.#lookAtDirectories(volume);
  }

  /** What cannot be watched or seen now is seen at the next look. */
  #attempt(volume: UniqueVolumeName, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#options.logger.warn('a device cannot be watched', { volume, error: String(error) });
    }
  }

  #lookAtAttachment(volume: ActualVolume): void {
    const { driftLog, host, wake } = this.#options;
    const { name, attached, recipe } = volume.record;
    const isOurs = recipe.attachment?.kind === 'image' && volume.attachState === 'Attached';
    if (!isOurs || attached === undefined) return;
    const drift = findAttachmentDrift(volume, host.attachments.facts(attached.deviceNumber));
    if (drift === undefined) {
      if (driftLog.end(name, standingKey)) this.#tell(name, 'VolumeDeviceBack', `"${name}" is well again`);
      return;
    }
    if (drift.kind === 'loopDetached') {
      driftLog.count(name, drift.message);
      this.#tell(name, 'VolumeDeviceLost', drift.message);
      this.#options.asw.markAttachAsUncertain(name);
      wake();
    } else if (drift.kind === 'detachPending') this.#keepAttached(volume, drift);
    else this.#stand(name, drift);
  }

  /** Safe: the same device with the same file goes on as it was. */
  #keepAttached({ record: { name, attached } }: ActualVolume, drift: AttachmentDrift): void {
    const { driftLog, host, wake } = this.#options;
    if (attached?.loopBacking === undefined) return;
    try {
      host.loopDevices.keep(attached.devicePath, backingOf(attached.loopBacking));
      driftLog.count(name, drift.message);
      this.#tell(name, 'VolumeDeviceChanged', `${drift.message}; it is kept`);
      wake();
    } catch (error) {
      this.#stand(name, { ...drift, message: `${drift.message}, and cannot be kept: ${String(error)}` });
    }
  }

  #stand(name: UniqueVolumeName, { message, help = '' }: AttachmentDrift): void {
    const { driftLog, events, wake, logger } = this.#options;
    if (!driftLog.stand(name, standingKey, { message, help })) return;
    logger.error('a volume may lose its data', { volume: name, message });
    recordDrift(events, name, { reason: 'VolumeDeviceLost', message, help });
    wake();
  }

  /** An emptyDir that is a plain directory has no mount that could be missed. */
  #lookAtDirectories({ record, podStates }: ActualVolume): void {
    const { asw, host, driftLog, isBusy, wake } = this.#options;
    for (const { pod, mount, targetPath } of Object.values(record.pods)) {
      const isExpected = mount.kind === 'directory' && podStates.get(pod.uid) === 'VolumeMounted';
      if (!isExpected || isBusy(record.name, pod.uid)) continue;
      if (this.#isThere(host, targetPath)) continue;
      const message = `The directory "${targetPath}" is gone: somebody else removed it`;
      driftLog.count(record.name, message);
      this.#tell(record.name, 'VolumeDirectoryLost', message);
      asw.markVolumeMountAs(record.name, pod.uid, 'VolumeMountUncertain');
      wake();
    }
  }

  /** What cannot be read is not absent. */
  #isThere({ directories }: Pick<Host, 'directories'>, path: string): boolean {
    try {
      return directories.kindOf(path) === 'directory';
    } catch {
      return true;
    }
  }

  #tell(name: UniqueVolumeName, reason: ReasonCode, message: string): void {
    this.#options.logger.warn('volume drifted', { volume: name, message });
    recordDrift(this.#options.events, name, { reason, message, help: '' });
  }
}
