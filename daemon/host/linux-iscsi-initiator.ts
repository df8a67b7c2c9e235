import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChildProcesses } from '../ports/child-processes.ts';
import type { IscsiDisk, IscsiInitiator, IscsiLogin, IscsiSession, IscsiWay } from '../ports/iscsi-initiator.ts';
import { StorageError, type StorageErrorOptions } from '../world/storage-error.ts';
import { deviceUsers } from './device-users.ts';
import { isOurInterface, ourInterface } from './iscsi-interface.ts';
import { IscsiLogins, portalParts } from './iscsi-login.ts';
import { IscsiRecordFiles } from './iscsi-record-file.ts';
import { IscsiSysfs, type SysfsSession } from './iscsi-sysfs.ts';
import { KeyedLock } from './keyed-lock.ts';

const deviceWaitMs = 30_000;
const multipathWaitMs = 10_000;
const goneWaitMs = 30_000;
const stepMs = 50;
/** A write to sysfs that asks the target: the kernel answers within its own command timeout of 30 s. */
const kernelDeadlineMs = 45_000;

/** open-iscsi's initiator. Each look reads sysfs anew: who logs in and out beside us is seen. */
export class LinuxIscsiInitiator implements IscsiInitiator {
  readonly #children: ChildProcesses;
  readonly #sysfs = new IscsiSysfs();
  readonly #logins: IscsiLogins;
  readonly #targets = new KeyedLock();
  readonly #bootId: string;

  constructor(children: ChildProcesses) {
    this.#children = children;
    const records = new IscsiRecordFiles();
    // A session goes on without what its login needed, and nothing else would ever take that away.
    records.removeLeftovers(isOurInterface);
    this.#logins = new IscsiLogins(children, records);
    this.#bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  }

  exclusive<T>(iqn: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return this.#targets.run(iqn, signal, work);
  }

  session(way: IscsiWay): IscsiSession | undefined {
    const { address, port } = portalParts(way.portal);
    const there = this.#sysfs
      .sessions(way.iqn)
      .filter((session) => session.address === address && session.port === port && isOn(way, session));
    const session = there.find((one) => isOurInterface(one.interface)) ?? there[0];
    if (session === undefined) return undefined;
    return {
      id: `${session.name}@${this.#bootId}`,
      state: session.state,
      hasOurInterface: isOurInterface(session.interface),
    };
  }

  login(login: IscsiLogin, signal: AbortSignal): Promise<void> {
    return this.#logins.login(login, signal);
  }

  async logout(way: IscsiWay, session: IscsiSession, signal: AbortSignal): Promise<void> {
    if (!session.hasOurInterface) throw new Error(`Cannot log out of "${way.iqn}": the session is not ours`);
    await this.#logins.logout(way, session.id.replace(/^session(\d+)@.*$/, '$1'), signal);
    const isGone = await this.#until(() => this.session(way)?.id !== session.id || undefined, goneWaitMs, signal);
    if (isGone === true) return;
    throw failed(`Cannot log out of "${way.iqn}" at "${way.portal}": the kernel still has the session`, 'uncertain');
  }

  forget(way: IscsiWay): void {
    this.#logins.forget(way);
  }

  disk(session: IscsiSession, lun: number): IscsiDisk | undefined {
    const directory = this.#lunDirectory(session, lun);
    return directory === undefined ? undefined : this.#sysfs.diskIn(directory);
  }

  disks(session: IscsiSession): readonly IscsiDisk[] {
    const found = this.#find(session);
    const directories = found === undefined ? [] : this.#sysfs.lunDirectories(found);
    return directories.flatMap((directory) => this.#sysfs.diskIn(directory) ?? []);
  }

  async scan(session: IscsiSession, lun: number, signal: AbortSignal): Promise<IscsiDisk> {
    const found = this.#find(session);
    if (found === undefined) throw failed(`Cannot look for LUN ${lun}: the session has gone`, 'transient');
    await this.#writeSysfs(this.#sysfs.scanFile(found), `0 ${found.targetId} ${lun}`, signal);
    if (this.#lunDirectory(session, lun) === undefined) {
      throw new StorageError(
        `Cannot find LUN ${lun} of "${found.iqn}": the target does not have it for this initiator`,
        {
          code: 'NotFound',
          progress: 'transient',
          hint: 'cat /etc/iscsi/initiatorname.iscsi, and the LUN mapping of the target',
        },
      );
    }
    const disk = await this.#until(() => this.#readyDisk(session, lun), deviceWaitMs, signal);
    if (disk !== undefined) return disk;
    throw failed(`Cannot use LUN ${lun} of "${found.iqn}": its device does not appear`, 'uncertain');
  }

  /** With its node, and seen by udev, whose rules may give it to dm-multipath. */
  #readyDisk(session: IscsiSession, lun: number): IscsiDisk | undefined {
    const disk = this.disk(session, lun);
    if (disk === undefined || !existsSync(disk.devicePath)) return undefined;
    const isSeen = !existsSync('/run/udev/control') || existsSync(`/run/udev/data/b${disk.deviceNumber}`);
    return isSeen ? disk : undefined;
  }

  async rescan(session: IscsiSession, lun: number, signal: AbortSignal): Promise<void> {
    const directory = this.#lunDirectory(session, lun);
    if (directory !== undefined) await this.#writeSysfs(`${directory}/rescan`, '1', signal);
  }

  multipath(disk: IscsiDisk): IscsiDisk | undefined {
    return this.#sysfs.multipathOver(disk);
  }

  async waitForMultipath(disk: IscsiDisk, signal: AbortSignal): Promise<IscsiDisk | undefined> {
    if (!this.#sysfs.hasMultipath()) return undefined;
    return this.#until(() => this.multipath(disk), multipathWaitMs, signal);
  }

  usersOf(disk: IscsiDisk): readonly string[] {
    const numbers = [disk.deviceNumber, ...this.#sysfs.partitions(disk.deviceNumber)];
    const holders = numbers.flatMap((number) => this.#sysfs.otherHolders(number));
    return [...deviceUsers(disk), ...holders.map((name) => `part of "/dev/${name}"`)];
  }

  async setReadOnly({ devicePath }: IscsiDisk, signal: AbortSignal): Promise<void> {
    const { exitCode, stderr } = await this.#children.run('blockdev', ['--setro', devicePath], { signal });
    if (exitCode !== 0) throw failed(`Cannot make "${devicePath}" read-only: ${stderr.trim()}`, 'transient');
  }

  async removeMultipath(device: IscsiDisk, signal: AbortSignal): Promise<void> {
    await this.#flush(device, signal);
    const name = this.#sysfs.multipathName(device);
    const { exitCode, stdout, stderr } = await this.#children.run('multipath', ['-f', name], { signal });
    if (exitCode === 0) return;
    const cause = stderr.trim() || stdout.trim() || `multipath -f ended with ${exitCode}`;
    throw new StorageError(`Cannot remove "${device.devicePath}": ${cause}`, { code: 'Busy', progress: 'uncertain' });
  }

  async removeDisk(session: IscsiSession, lun: number, signal: AbortSignal): Promise<void> {
    const directory = this.#lunDirectory(session, lun);
    const disk = this.disk(session, lun);
    if (directory === undefined) return;
    if (disk !== undefined && existsSync(disk.devicePath)) await this.#flush(disk, signal);
    await this.#writeSysfs(`${directory}/delete`, '1', signal);
    const isGone = await this.#until(() => !existsSync(directory) || undefined, goneWaitMs, signal);
    if (isGone === true) return;
    throw failed(`Cannot delete "${disk?.devicePath ?? directory}": the kernel still has it`, 'uncertain');
  }

  /** While the target is away this waits, and then fails: what is not written must not be thrown away unseen. */
  async #flush({ devicePath }: IscsiDisk, signal: AbortSignal): Promise<void> {
    const { exitCode, stderr } = await this.#children.run('blockdev', ['--flushbufs', devicePath], {
      signal,
      deadlineMs: kernelDeadlineMs,
    });
    if (exitCode !== 0) throw failed(`Cannot write back "${devicePath}": ${stderr.trim()}`, 'transient');
  }

  /** In a child: the kernel asks the target before write(2) returns, and a target may not answer. */
  async #writeSysfs(file: string, text: string, signal: AbortSignal): Promise<void> {
    const { exitCode, stderr } = await this.#children.run('tee', [file], {
      signal,
      input: text,
      deadlineMs: kernelDeadlineMs,
    });
    if (exitCode !== 0) throw failed(`Cannot write "${text}" to "${file}": ${stderr.trim()}`, 'transient');
  }

  #lunDirectory(session: IscsiSession, lun: number): string | undefined {
    const found = this.#find(session);
    return found === undefined ? undefined : this.#sysfs.lunDirectory(found, lun);
  }

  #find({ id }: IscsiSession): SysfsSession | undefined {
    const [name = '', bootId] = id.split('@');
    return bootId === this.#bootId ? this.#sysfs.session(name) : undefined;
  }

  /** undefined: it did not come in time. Rejects when the operation is cancelled. */
  async #until<T>(look: () => T | undefined, waitMs: number, signal: AbortSignal): Promise<T | undefined> {
    const end = performance.now() + waitMs;
    for (;;) {
      const found = look();
      if (found !== undefined || performance.now() > end) return found;
      await sleep(stepMs, undefined, { signal });
    }
  }
}

/** Under our interface for this way; or, when no name of our own is asked for, the one that somebody else used. */
function isOn(way: IscsiWay, session: SysfsSession): boolean {
  if (session.interface === ourInterface(way)) return true;
  return session.interface === way.interface && (way.initiatorName ?? session.initiatorName) === session.initiatorName;
}

function failed(message: string, progress: StorageErrorOptions['progress'] & string): StorageError {
  return new StorageError(message, { code: progress === 'uncertain' ? 'DeadlineExceeded' : 'Unavailable', progress });
}
