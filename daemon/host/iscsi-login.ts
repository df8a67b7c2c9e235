import { createHash } from 'node:crypto';
import type { ChildProcesses, ChildResult } from '../ports/child-processes.ts';
import type { IscsiLogin, IscsiWay } from '../ports/iscsi-initiator.ts';
import { StorageError } from '../world/storage-error.ts';
import { chapSettings, type IscsiRecordFiles } from './iscsi-record-file.ts';
import { iscsiadmError, iscsiadmExit } from './iscsiadm-exit.ts';
import { KeyedLock } from './keyed-lock.ts';

/**
 * Every login goes through an interface record of our own: nobody else uses it, so a session under it was opened here,
 * and no record of an administrator (his CHAP, his node.startup) is ever changed.
 */
const ourInterfaces = 'moored';
const discoveryDeadlineMs = 30_000;
const loginDeadlineMs = 40_000;
const recordDeadlineMs = 15_000;

export function isOurInterface(name: string): boolean {
  return name === ourInterfaces || name.startsWith(`${ourInterfaces}-`);
}

/** One for each pair of base interface and initiator name. */
export function ourInterface({ interface: base, initiatorName = '' }: IscsiWay): string {
  if (base === 'default' && initiatorName === '') return ourInterfaces;
  return `${ourInterfaces}-${createHash('sha256').update(`${base}\n${initiatorName}`).digest('hex').slice(0, 8)}`;
}

/** "[2001:db8::7]:3260" in its parts, the address as sysfs and open-iscsi's file names have it. */
export function portalParts(portal: string): { readonly address: string; readonly port: string } {
  const colon = portal.lastIndexOf(':');
  return { address: portal.slice(0, colon).replace(/^\[|\]$/g, ''), port: portal.slice(colon + 1) };
}

export class IscsiLogins {
  readonly #children: ChildProcesses;
  readonly #records: IscsiRecordFiles;
  readonly #portals = new KeyedLock();

  constructor(children: ChildProcesses, records: IscsiRecordFiles) {
    this.#children = children;
    this.#records = records;
  }

  async login(login: IscsiLogin, signal: AbortSignal): Promise<void> {
    const { iqn, portal } = login;
    const action = `Cannot log in to "${iqn}" at "${portal}"`;
    await this.#ensureInterface(login, signal);
    // The discovery record of a portal is one for all targets.
    const group = await this.#portals.run(portal, signal, () => this.#discover(login, signal));
    await this.#makeRecord(login, group, signal);
    const { exitCode, stderr } = await this.#node(login, ['--login'], loginDeadlineMs, signal);
    if (exitCode === 0 || exitCode === iscsiadmExit.sessionExists) return;
    const error = iscsiadmError(action, exitCode, stderr);
    // A record that led nowhere is not kept, nor the password in it.
    if (error.progress !== 'uncertain') await this.forget(login, signal);
    throw error;
  }

  /**
   * @returns the target's portal group. Behind an address translation the portal lists other addresses than its own: then
   * the group of any of them, for without one open-iscsi keeps the record elsewhere, and for one interface only
   */
  async #discover(login: IscsiLogin, signal: AbortSignal): Promise<string> {
    const { iqn, portal, discoveryChap } = login;
    const { address, port } = portalParts(portal);
    const mode = discoveryChap === undefined ? 'discovery' : 'discoverydb';
    const args = ['-m', mode, '-t', 'sendtargets', '-p', portal, '-o', 'nonpersistent', '--discover'];
    const run = () => this.#children.run('iscsiadm', args, { signal, deadlineMs: discoveryDeadlineMs });
    const action = `Cannot discover the targets of "${portal}"`;
    const { exitCode, stdout, stderr } =
      discoveryChap === undefined ? await run() : await this.#records.withDiscovery(address, port, discoveryChap, run);
    if (exitCode !== 0 && exitCode !== iscsiadmExit.noObjectsFound) throw discoveryError(action, exitCode, stderr);
    const targets = parseDiscovery(stdout);
    const ours = targets.filter((target) => target.iqn === iqn);
    const [first] = ours;
    if (first === undefined)
      throw unknownTarget(
        login,
        targets.map((target) => target.iqn),
      );
    return (ours.find((target) => target.portal === portal) ?? first).group;
  }

  async #ensureInterface(way: IscsiWay, signal: AbortSignal): Promise<void> {
    const name = ourInterface(way);
    const known = await this.#interface(name, ['-o', 'show'], signal);
    const wanted = await this.#interfaceSettings(way, signal);
    if (known.exitCode === 0 && wanted.every(([key, value]) => settingIn(known.stdout, key) === value)) return;
    if (known.exitCode !== 0)
      require0(await this.#interface(name, ['-o', 'new'], signal), `Cannot make interface "${name}"`);
    for (const [key, value] of wanted) {
      const result = await this.#interface(name, ['-o', 'update', '-n', key, '-v', value], signal);
      require0(result, `Cannot set "${key}" of interface "${name}"`);
    }
  }

  /** What the interface that is asked for says, with the initiator name that is asked for. */
  async #interfaceSettings({ interface: base, initiatorName }: IscsiWay, signal: AbortSignal) {
    const settings: [string, string][] = [];
    if (base === 'default') {
      settings.push(['iface.transport_name', 'tcp']);
    } else {
      const { exitCode, stdout, stderr } = await this.#interface(base, ['-o', 'show'], signal);
      if (exitCode !== 0) throw iscsiadmError(`Cannot read interface "${base}"`, exitCode, stderr);
      for (const [, key = '', value = ''] of stdout.matchAll(/^(iface\.\w+) = (.+)$/gm)) {
        if (key !== 'iface.iscsi_ifacename' && value !== '<empty>') settings.push([key, value]);
      }
    }
    const others = settings.filter(([key]) => key !== 'iface.initiatorname' || initiatorName === undefined);
    return initiatorName === undefined ? others : [...others, ['iface.initiatorname', initiatorName] as const];
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

  async logout(way: IscsiWay, signal: AbortSignal): Promise<void> {
    const { exitCode, stderr } = await this.#node(way, ['--logout'], loginDeadlineMs, signal);
    const isGone = exitCode === iscsiadmExit.noObjectsFound || exitCode === iscsiadmExit.sessionNotFound;
    if (exitCode !== 0 && !isGone)
      throw iscsiadmError(`Cannot log out of "${way.iqn}" at "${way.portal}"`, exitCode, stderr);
    await this.forget(way, signal);
  }

  async forget(way: IscsiWay, signal: AbortSignal): Promise<void> {
    const { exitCode, stderr } = await this.#node(way, ['-o', 'delete'], recordDeadlineMs, signal);
    if (exitCode === 0 || exitCode === iscsiadmExit.noObjectsFound) return;
    throw iscsiadmError(`Cannot delete the record of "${way.iqn}" at "${way.portal}"`, exitCode, stderr);
  }

  #node(way: IscsiWay, verb: readonly string[], deadlineMs: number, signal: AbortSignal): Promise<ChildResult> {
    const args = ['-m', 'node', '-T', way.iqn, '-p', way.portal, '-I', ourInterface(way), ...verb];
    return this.#children.run('iscsiadm', args, { signal, deadlineMs });
  }

  #interface(name: string, verb: readonly string[], signal: AbortSignal): Promise<ChildResult> {
    return this.#children.run('iscsiadm', ['-m', 'iface', '-I', name, ...verb], {
      signal,
      deadlineMs: recordDeadlineMs,
    });
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

function settingIn(record: string, key: string): string | undefined {
  return record
    .split('\n')
    .find((line) => line.startsWith(`${key} = `))
    ?.slice(`${key} = `.length);
}

function require0({ exitCode, stderr }: ChildResult, action: string): void {
  if (exitCode !== 0) throw iscsiadmError(action, exitCode, stderr);
}

/** A discovery leaves nothing behind: however it fails, nothing has happened. */
function discoveryError(action: string, exitCode: number, stderr: string): StorageError {
  const error = iscsiadmError(action, exitCode, stderr);
  const { code, message, progress, facts } = error;
  return new StorageError(message, { ...facts, code, progress: progress === 'uncertain' ? 'transient' : progress });
}

function unknownTarget({ iqn, portal }: IscsiLogin, offered: readonly string[]): StorageError {
  const list = offered.length === 0 ? 'none' : [...new Set(offered)].map((name) => `"${name}"`).join(', ');
  return new StorageError(`Cannot find "${iqn}" at "${portal}": it offers ${list}`, {
    code: 'NotFound',
    progress: 'final',
    operation: 'iscsiadm',
    hint: 'a target may show itself only to some initiators: cat /etc/iscsi/initiatorname.iscsi',
  });
}
