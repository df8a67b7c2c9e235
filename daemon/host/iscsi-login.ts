import type { ChildProcesses } from '../ports/child-processes.ts';
import type { IscsiLogin, IscsiWay } from '../ports/iscsi-initiator.ts';
import { asStorageError, StorageError } from '../world/storage-error.ts';
import { IscsiInterfaces, ourInterface } from './iscsi-interface.ts';
import { chapSettings, type IscsiRecordFiles } from './iscsi-record-file.ts';
import { iscsiadmError, iscsiadmExit } from './iscsiadm-exit.ts';
import { KeyedLock } from './keyed-lock.ts';

const discoveryDeadlineMs = 30_000;
const loginDeadlineMs = 40_000;
const recordDeadlineMs = 15_000;

/** "[2001:db8::7]:3260" in its parts, the address as sysfs and open-iscsi's file names have it. */
export function portalParts(portal: string): { readonly address: string; readonly port: string } {
  const colon = portal.lastIndexOf(':');
  return { address: portal.slice(0, colon).replace(/^\[|\]$/g, ''), port: portal.slice(colon + 1) };
}

export class IscsiLogins {
  readonly #children: ChildProcesses;
  readonly #records: IscsiRecordFiles;
  readonly #interfaces: IscsiInterfaces;
  readonly #portals = new KeyedLock();

  constructor(children: ChildProcesses, records: IscsiRecordFiles) {
    this.#children = children;
    this.#records = records;
    this.#interfaces = new IscsiInterfaces(children, records);
  }

  login(login: IscsiLogin, signal: AbortSignal): Promise<void> {
    return this.#interfaces.use(login, signal, async (name) => {
      // The discovery record of a portal is one for all targets.
      const group = await this.#portals.run(login.portal, signal, () => this.#discover(login, name, signal));
      await this.#makeRecord(login, group, signal);
      await this.#login(login, signal);
    });
  }

  /**
   * @returns the target's portal group. Behind an address translation the portal lists other addresses than its own: then
   * the group of any of them, for without one open-iscsi keeps the record elsewhere, and for one interface only
   */
  async #discover(login: IscsiLogin, name: string, signal: AbortSignal): Promise<string> {
    const { iqn, portal, discoveryChap } = login;
    const { address, port } = portalParts(portal);
    const mode = discoveryChap === undefined ? 'discovery' : 'discoverydb';
    const args = ['-m', mode, '-t', 'sendtargets', '-p', portal, '-I', name, '-o', 'nonpersistent', '--discover'];
    const run = () => this.#children.run('iscsiadm', args, { signal, deadlineMs: discoveryDeadlineMs });
    const withRecord =
      discoveryChap === undefined ? run() : this.#records.withDiscovery(address, port, discoveryChap, run);
    const { exitCode, stdout, stderr } = await withRecord.catch((thrown: unknown) => {
      throw leavingNothing(thrown);
    });
    if (exitCode !== 0 && exitCode !== iscsiadmExit.noObjectsFound) {
      throw leavingNothing(iscsiadmError(`Cannot discover the targets of "${portal}"`, exitCode, stderr));
    }
    const targets = parseDiscovery(stdout);
    const ours = targets.filter((target) => target.iqn === iqn);
    const [first] = ours;
    if (first === undefined) throw unknownTarget(login, [...new Set(targets.map((target) => target.iqn))]);
    return (ours.find((target) => target.portal === portal) ?? first).group;
  }

  async #makeRecord(login: IscsiLogin, group: string, signal: AbortSignal): Promise<void> {
    const { iqn, portal, sessionChap } = login;
    const args = ['-m', 'node', '-T', iqn, '-p', `${portal},${group}`, '-I', ourInterface(login), '-o', 'new'];
    const { exitCode, stderr } = await this.#children.run('iscsiadm', args, { signal, deadlineMs: recordDeadlineMs });
    if (exitCode !== 0 && exitCode !== iscsiadmExit.sessionExists) {
      throw iscsiadmError(`Cannot make the record of "${iqn}" at "${portal}"`, exitCode, stderr);
    }
    const settings = new Map([
      // All LUNs of the target would come with a login otherwise (kubernetes#90982); and at boot, when nobody asked.
      ['node.session.scan', 'manual'],
      ['node.startup', 'manual'],
      // Our own backoff tries again, and says so; iscsid would go on for two minutes in silence.
      ['node.session.initial_login_retry_max', '2'],
      ['node.conn[0].timeo.login_timeout', '10'],
      ...chapSettings('node.session.auth', sessionChap),
    ]);
    this.#records.changeNode({ iqn, ...portalParts(portal), interface: ourInterface(login) }, settings);
  }

  async #login(way: IscsiWay, signal: AbortSignal): Promise<void> {
    const { iqn, portal } = way;
    const args = ['-m', 'node', '-T', iqn, '-p', portal, '-I', ourInterface(way), '--login'];
    const { exitCode, stderr } = await this.#children.run('iscsiadm', args, { signal, deadlineMs: loginDeadlineMs });
    if (exitCode === 0 || exitCode === iscsiadmExit.sessionExists) return;
    const error = iscsiadmError(`Cannot log in to "${iqn}" at "${portal}"`, exitCode, stderr);
    // A record that led nowhere is not kept, nor the password in it.
    if (error.progress !== 'uncertain') this.forget(way);
    throw error;
  }

  /** @param session its number in the kernel */
  async logout(way: IscsiWay, session: string, signal: AbortSignal): Promise<void> {
    const args = ['-m', 'session', '-r', session, '--logout'];
    // By number, and yet iscsiadm wants to read the interface.
    const { exitCode, stderr } = await this.#interfaces.use(way, signal, () =>
      this.#children.run('iscsiadm', args, { signal, deadlineMs: loginDeadlineMs }),
    );
    const isGone = exitCode === iscsiadmExit.noObjectsFound || exitCode === iscsiadmExit.sessionNotFound;
    if (exitCode !== 0 && !isGone) {
      throw iscsiadmError(`Cannot log out of "${way.iqn}" at "${way.portal}"`, exitCode, stderr);
    }
    this.forget(way);
  }

  forget(way: IscsiWay): void {
    this.#records.removeNode({ iqn: way.iqn, ...portalParts(way.portal), interface: ourInterface(way) });
  }
}

interface DiscoveredTarget {
  readonly portal: string;
  readonly group: string;
  readonly iqn: string;
}

/** "192.0.2.7:3260,1 iqn.2024-01.org.example:disks" a line */
export function parseDiscovery(stdout: string): readonly DiscoveredTarget[] {
  return [...stdout.matchAll(/^(\S+:\d+),(-?\d+) (\S+)/gm)].map(([, portal = '', group = '', iqn = '']) => ({
    portal,
    group,
    iqn,
  }));
}

/** A discovery leaves nothing behind: however it fails, nothing has happened. */
function leavingNothing(thrown: unknown): StorageError {
  const { code, message, progress, facts } = asStorageError(thrown, 'Cannot discover');
  return new StorageError(message, { ...facts, code, progress: progress === 'uncertain' ? 'transient' : progress });
}

function unknownTarget({ iqn, portal }: IscsiLogin, offered: readonly string[]): StorageError {
  const list = offered.length === 0 ? 'none' : offered.map((name) => `"${name}"`).join(', ');
  return new StorageError(`Cannot find "${iqn}" at "${portal}": it offers ${list}`, {
    code: 'NotFound',
    progress: 'final',
    operation: 'iscsiadm',
    hint: 'a target may show itself only to some initiators: cat /etc/iscsi/initiatorname.iscsi',
  });
}
