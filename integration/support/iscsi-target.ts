/** iSCSI targets of tgt on this machine, and what the kernel says of sessions to them; without any code of the daemon. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { run } from './kernel-facts.ts';

export interface TestLun {
  /** Absolute path of the file behind it. */
  readonly image: string;
  /** Another one is another LUN, whatever its address. */
  readonly identity: string;
}

export interface TestAccount {
  readonly user: string;
  readonly password: string;
}

interface TestTarget {
  readonly luns: Map<number, TestLun>;
  readonly account?: TestAccount;
}

const tgt = (...args: readonly string[]) => run('tgtadm', '--lld', 'iscsi', ...args);

/** True, or what tgt says against it. */
function answer(...args: readonly string[]): true | string {
  try {
    tgt(...args);
    return true;
  } catch (error) {
    return String(error);
  }
}

/** Where it listens; each can be taken away. */
const portals = ['127.0.0.1', '127.0.0.2', '[::1]'] as const;

/**
 * tgt keeps its targets in memory: they are remembered here, for its restart. Portals come last, as with a real target: an
 * initiator that comes back to a target without its disks gives up.
 */
export class TgtServer {
  readonly #directory: string;
  readonly #targets = new Map<string, TestTarget>();
  #discoveryAccount: TestAccount | undefined;
  #process: ChildProcess | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async start(): Promise<this> {
    this.#process = spawn('tgtd', ['--foreground', '--iscsi', 'portal=127.0.0.1:3999'], { stdio: 'ignore' });
    await eventually(() => answers(() => tgt('--op', 'show', '--mode', 'sys')));
    for (const [iqn, target] of this.#targets) this.#make(iqn, target);
    if (this.#discoveryAccount !== undefined) this.requireDiscoveryAccount(this.#discoveryAccount);
    for (const address of portals) this.portalUp(address);
    return this;
  }

  /** At once: connections break in the middle of a write. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  /** Nobody can connect there any more; who is connected stays. */
  portalDown(address: (typeof portals)[number]): void {
    tgt('--op', 'delete', '--mode', 'portal', '--param', `portal=${address}:3260`);
  }

  portalUp(address: (typeof portals)[number]): void {
    tgt('--op', 'new', '--mode', 'portal', '--param', `portal=${address}:3260`);
  }

  addTarget(iqn: string, luns: Readonly<Record<number, number>>, account?: TestAccount): void {
    const numbers = Object.keys(luns).map(Number);
    const made = numbers.map((lun): [number, TestLun] => [lun, this.newImage(`${iqn}-${lun}`, luns[lun] ?? 0)]);
    const target = { luns: new Map(made), ...(account === undefined ? {} : { account }) };
    this.#targets.set(iqn, target);
    this.#make(iqn, target);
  }

  /** A LUN that was never attached. @param size MiB */
  newImage(name: string, size: number): TestLun {
    const image = join(this.#directory, `${createHash('sha256').update(name).digest('hex').slice(0, 8)}.lun`);
    writeFileSync(image, '');
    truncateSync(image, size * 2 ** 20);
    return { image, identity: createHash('sha256').update(name).digest('hex').slice(0, 8) };
  }

  lun(iqn: string, lun: number): TestLun {
    const found = this.#targets.get(iqn)?.luns.get(lun);
    if (found === undefined) throw new Error(`There is no LUN ${lun} of ${iqn}`);
    return found;
  }

  /** Waits until a LUN that is there has no command of a session any more: tgt refuses to delete one that is active. */
  async setLun(iqn: string, lun: number, unit: TestLun): Promise<void> {
    const target = this.#targets.get(iqn);
    if (target === undefined) throw new Error(`There is no target ${iqn}`);
    const tid = this.#numberOf(iqn);
    if (target.luns.has(lun)) {
      await eventually(() => answer('--op', 'delete', '--mode', 'logicalunit', '--tid', tid, '--lun', String(lun)));
    }
    target.luns.set(lun, unit);
    this.#makeLun(tid, lun, unit);
  }

  requireDiscoveryAccount(account: TestAccount): void {
    this.#discoveryAccount = account;
    tgt('--op', 'new', '--mode', 'account', '--user', account.user, '--password', account.password);
    tgt('--op', 'bind', '--mode', 'account', '--user', account.user);
  }

  forgetDiscoveryAccount(): void {
    if (this.#discoveryAccount !== undefined)
      tgt('--op', 'delete', '--mode', 'account', '--user', this.#discoveryAccount.user);
    this.#discoveryAccount = undefined;
  }

  #numberOf(iqn: string): string {
    return String([...this.#targets.keys()].indexOf(iqn) + 1);
  }

  #make(iqn: string, { luns, account }: TestTarget): void {
    const tid = this.#numberOf(iqn);
    tgt('--op', 'new', '--mode', 'target', '--tid', tid, '-T', iqn);
    for (const [lun, unit] of luns) this.#makeLun(tid, lun, unit);
    if (account !== undefined) {
      tgt('--op', 'new', '--mode', 'account', '--user', account.user, '--password', account.password);
      tgt('--op', 'bind', '--mode', 'account', '--tid', tid, '--user', account.user);
    }
    tgt('--op', 'bind', '--mode', 'target', '--tid', tid, '-I', 'ALL');
  }

  #makeLun(tid: string, lun: number, { image, identity }: TestLun): void {
    const place = ['--mode', 'logicalunit', '--tid', tid, '--lun', String(lun)];
    tgt('--op', 'new', ...place, '-b', image);
    tgt('--op', 'update', ...place, '--params', `scsi_id=${identity},scsi_sn=${identity}`);
  }
}

export interface SessionFacts {
  readonly name: string;
  readonly iqn: string;
  readonly address: string;
  readonly interface: string;
  readonly state: string;
  /** LUNs that have a device. */
  readonly luns: readonly number[];
}

export function iscsiSessions(iqn?: string): readonly SessionFacts[] {
  const directory = '/sys/class/iscsi_session';
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const all = names.flatMap((name) => {
    try {
      return [sessionFacts(join(directory, name), name)];
    } catch (error) {
      // It goes while it is read: EINVAL and ENODEV are how an attribute of a device that is going away answers.
      if (!['ENOENT', 'ENODEV', 'EINVAL'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      return [];
    }
  });
  return all.filter((session) => iqn === undefined || session.iqn === iqn);
}

function sessionFacts(directory: string, name: string): SessionFacts {
  const read = (file: string) => readFileSync(join(directory, file), 'utf8').trim();
  const device = join(directory, 'device');
  const entries = readdirSync(device);
  const connection = entries.find((entry) => entry.startsWith('connection')) ?? '';
  const luns = entries
    .filter((entry) => entry.startsWith('target'))
    .flatMap((target) => readdirSync(join(device, target)))
    .filter((entry) => /^\d+:\d+:\d+:\d+$/.test(entry))
    .map((entry) => Number(entry.split(':')[3]));
  return {
    name,
    iqn: read('targetname'),
    address: read(`device/${connection}/iscsi_connection/${connection}/persistent_address`),
    interface: read('ifacename'),
    state: read('state'),
    luns,
  };
}

/** The device of a LUN by udev's link. */
export function byPath(iqn: string, lun: number, address = '127.0.0.1'): string {
  return `/dev/disk/by-path/ip-${address}:3260-iscsi-${iqn}-lun-${lun}`;
}

function answers(call: () => unknown): true | string {
  try {
    call();
    return true;
  } catch (error) {
    return String(error);
  }
}
