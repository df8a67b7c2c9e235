/**
 * Targets, sessions and the devices of their LUNs in memory. As the kernel and open-iscsi do: a login makes a session and
 * no device, a scan makes one device, a logout takes all devices of the session with it. What must never be asked for
 * (a device deleted or a session ended under a mount, a session of somebody else ended) is a violation.
 */
import { StorageError } from '../../world/storage-error.ts';
import type { IscsiDisk, IscsiInitiator, IscsiLogin, IscsiSession, IscsiWay } from '../iscsi-initiator.ts';

import type { Effect } from './fake-effects.ts';
import type { Content, FakeKernel } from './fake-kernel.ts';

export interface FakeLun {
  wwid: string;
  content: Content;
  filesystemBytes?: bigint;
  /** What a workload wrote last. */
  data?: string;
}

export interface FakeTarget {
  readonly luns: Map<number, FakeLun>;
  readonly portals: Map<string, 'up' | 'down'>;
  chap?: { readonly username: string; readonly password: string };
}

export interface FakeSession {
  readonly way: IscsiWay;
  readonly isOurs: boolean;
  state: string;
  readonly disks: Map<number, IscsiDisk>;
}

export class FakeIscsiInitiator implements IscsiInitiator {
  readonly targets = new Map<string, FakeTarget>();
  readonly sessions = new Map<string, FakeSession>();
  hasMultipath = false;
  /** Who else uses a device, by its path. */
  readonly users = new Map<string, string>();
  readonly readOnlyDisks = new Set<string>();
  readonly #kernel: FakeKernel;
  readonly #multipaths = new Map<string, IscsiDisk>();
  readonly #tails = new Map<string, Promise<unknown>>();
  #counter = 0;

  constructor(kernel: FakeKernel) {
    this.#kernel = kernel;
  }

  // --- what a test does to the machine and its network ----------------------------------------------------------------

  addTarget(iqn: string, portals: readonly string[], luns: Readonly<Record<number, FakeLun>>): FakeTarget {
    const target: FakeTarget = {
      portals: new Map(portals.map((portal) => [portal, 'up'])),
      luns: new Map(Object.entries(luns).map(([lun, unit]) => [Number(lun), unit])),
    };
    this.targets.set(iqn, target);
    return target;
  }

  /** An administrator logs in; with open-iscsi's defaults all LUNs come with it. */
  loginFromOutside(iqn: string, portal: string, options: { readonly scans: boolean } = { scans: true }): string {
    const id = this.#newSession({ iqn, portal, interface: 'default' }, false);
    const luns = options.scans ? [...(this.targets.get(iqn)?.luns.keys() ?? [])] : [];
    for (const lun of luns) this.#makeDisk(id, lun);
    return id;
  }

  /** The daemon has ended, and with it what waited in it. */
  forgetWaiting(): void {
    this.#tails.clear();
  }

  /** The session goes, with its devices, whatever is mounted from them. */
  dropSession(id: string): void {
    for (const disk of this.sessions.get(id)?.disks.values() ?? []) this.#kernel.disks.delete(disk.devicePath);
    this.sessions.delete(id);
  }

  reboot(): void {
    for (const id of [...this.sessions.keys()]) this.dropSession(id);
    this.#multipaths.clear();
  }

  // --- the port -------------------------------------------------------------------------------------------------------

  exclusive<T>(iqn: string, _signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const run = (this.#tails.get(iqn) ?? Promise.resolve()).then(work, work);
    this.#tails.set(
      iqn,
      run.catch(() => undefined),
    );
    return run;
  }

  session(way: IscsiWay): IscsiSession | undefined {
    const found = [...this.sessions].find(([, one]) => one.way.iqn === way.iqn && one.way.portal === way.portal);
    if (found === undefined) return undefined;
    return { id: found[0], state: found[1].state, hasOurInterface: found[1].isOurs };
  }

  login({ iqn, portal, sessionChap, ...way }: IscsiLogin): Promise<void> {
    return this.#effect('login', `${iqn} ${portal}`, () => {
      const target = this.targets.get(iqn);
      if (target?.portals.get(portal) === 'down')
        throw refused('the portal cannot be reached', 'Unavailable', 'transient');
      if (!target?.portals.has(portal)) throw refused('it offers none', 'NotFound', 'final');
      const { chap } = target;
      const isKnown =
        sessionChap?.username.reveal() === chap?.username && sessionChap?.password.reveal() === chap?.password;
      if (chap !== undefined && !isKnown) throw refused('CHAP', 'PermissionDenied', 'final');
      if (this.session({ iqn, portal, ...way }) === undefined) this.#newSession({ iqn, portal, ...way }, true);
    });
  }

  logout(way: IscsiWay, { id }: IscsiSession): Promise<void> {
    return this.#effect('logout', `${way.iqn} ${way.portal}`, () => {
      const session = this.sessions.get(id);
      if (session?.isOurs === false) this.#kernel.violation(`logged out of somebody else's session to ${way.iqn}`);
      for (const { devicePath } of session?.disks.values() ?? []) {
        if (this.#kernel.isMounted(devicePath)) this.#kernel.violation(`logged out under a mount of ${devicePath}`);
      }
      this.dropSession(id);
    });
  }

  forget(): void {
    // Nothing is kept here.
  }

  disk({ id }: IscsiSession, lun: number): IscsiDisk | undefined {
    const disk = this.sessions.get(id)?.disks.get(lun);
    const target = this.targets.get(this.sessions.get(id)?.way.iqn ?? '');
    return disk && { ...disk, wwid: target?.luns.get(lun)?.wwid ?? disk.wwid };
  }

  disks({ id }: IscsiSession): readonly IscsiDisk[] {
    return [...(this.sessions.get(id)?.disks.values() ?? [])];
  }

  async scan(session: IscsiSession, lun: number): Promise<IscsiDisk> {
    const way = this.sessions.get(session.id)?.way;
    await this.#effect('scan', `${way?.iqn ?? ''} ${way?.portal ?? ''} ${lun}`, () => this.#makeDisk(session.id, lun));
    const disk = this.disk(session, lun);
    if (disk === undefined) throw refused('the device does not appear', 'DeadlineExceeded', 'uncertain');
    return disk;
  }

  rescan(): Promise<void> {
    return Promise.resolve();
  }

  multipath({ wwid }: IscsiDisk): IscsiDisk | undefined {
    return this.#multipaths.get(wwid);
  }

  waitForMultipath(disk: IscsiDisk): Promise<IscsiDisk | undefined> {
    return Promise.resolve(this.multipath(disk));
  }

  usersOf({ devicePath }: IscsiDisk): readonly string[] {
    const user = this.users.get(devicePath);
    const mounted = this.#kernel.isMounted(devicePath) ? ['mounted'] : [];
    return user === undefined ? mounted : [...mounted, user];
  }

  setReadOnly({ devicePath }: IscsiDisk): Promise<void> {
    this.readOnlyDisks.add(devicePath);
    return Promise.resolve();
  }

  removeMultipath(device: IscsiDisk): Promise<void> {
    return this.#effect('removeDisk', device.devicePath, () => {
      if (this.#kernel.isMounted(device.devicePath))
        this.#kernel.violation(`removed ${device.devicePath} under a mount`);
      this.#multipaths.delete(device.wwid);
      this.#kernel.disks.delete(device.devicePath);
    });
  }

  removeDisk(session: IscsiSession, lun: number): Promise<void> {
    const disk = this.disk(session, lun);
    return this.#effect('removeDisk', disk?.devicePath ?? '', () => {
      if (disk === undefined) return;
      if (this.#kernel.isMounted(disk.devicePath)) this.#kernel.violation(`deleted ${disk.devicePath} under a mount`);
      if (this.multipath(disk) !== undefined) this.#kernel.violation(`deleted ${disk.devicePath} under dm-multipath`);
      this.sessions.get(session.id)?.disks.delete(lun);
      this.#kernel.disks.delete(disk.devicePath);
    });
  }

  #effect(name: Effect, subject: string, act: () => void): Promise<void> {
    return this.#kernel.effects.doAsync(name, subject, act, undefined);
  }

  /** A disk of which the content stays on the target. */
  #addDisk(path: string, deviceNumber: string, lun: FakeLun): void {
    this.#kernel.disks.set(path, {
      deviceNumber,
      canonical: path,
      sizeBytes: 2n ** 30n,
      get content() {
        return lun.content;
      },
      set content(content: Content) {
        lun.content = content;
      },
    });
  }

  #newSession(way: IscsiWay, isOurs: boolean): string {
    this.#counter++;
    const id = `session${this.#counter}@boot`;
    this.sessions.set(id, { way, isOurs, state: 'LOGGED_IN', disks: new Map() });
    return id;
  }

  #makeDisk(id: string, lun: number): void {
    const session = this.sessions.get(id);
    const unit = this.targets.get(session?.way.iqn ?? '')?.luns.get(lun);
    if (session === undefined || unit === undefined) throw refused(`no LUN ${lun}`, 'NotFound', 'transient');
    if (session.disks.has(lun)) return;
    this.#counter++;
    const disk = { devicePath: `/dev/sd${this.#counter}`, deviceNumber: `8:${this.#counter * 16}`, wwid: unit.wwid };
    session.disks.set(lun, disk);
    this.#addDisk(disk.devicePath, disk.deviceNumber, unit);
    if (!this.hasMultipath || this.#multipaths.has(unit.wwid)) return;
    const map = { devicePath: `/dev/dm-${this.#counter}`, deviceNumber: `253:${this.#counter}`, wwid: unit.wwid };
    this.#multipaths.set(unit.wwid, map);
    this.#addDisk(map.devicePath, map.deviceNumber, unit);
  }
}

function refused(cause: string, code: StorageError['code'], progress: StorageError['progress']): StorageError {
  return new StorageError(`Cannot log in: ${cause}`, { code, progress });
}
