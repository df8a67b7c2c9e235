/**
 * A machine that outlives its daemons: virtual clock, kernel, state disk, manifests. The whole Core runs on it, with
 * faults between it and every port; it dies at any call of a port, and what a dead daemon does reaches nothing.
 */
import { Core } from '../../daemon/core.ts';
import type { Host } from '../../daemon/ports/host.ts';
import type { LogFields, Logger } from '../../daemon/ports/logger.ts';
import type { StateStore } from '../../daemon/ports/state-store.ts';
import { FakeClock } from '../../daemon/ports/testing/fake-clock.ts';
import { FakeHost } from '../../daemon/ports/testing/fake-host.ts';
import type { FakeLun, FakeTarget } from '../../daemon/ports/testing/fake-iscsi-initiator.ts';
import type { FakeImage } from '../../daemon/ports/testing/fake-kernel.ts';
import { FakeStateDisk, FakeStateStore } from '../../daemon/ports/testing/fake-state-store.ts';
import { FakeUnits } from '../../daemon/ports/testing/fake-units.ts';
import { diskLayout } from '../../daemon/world/disk-layout.ts';
import { plugins } from '../../plugins/index.ts';
import { type PortCall, wrapPort, wrapPorts } from '../support/port-calls.ts';
import { broughtImages, foundation, initialLuns, network, networkFoundation } from './declarations.ts';
import { chooseFault, type Fault, injected, lieOf } from './faults.ts';
import { ManifestDirectory, ModelManifestSource } from './manifest-directory.ts';
import { Random } from './random.ts';

const imageDirectory = '/srv';
export const layout = diskLayout('/var/lib/moored');

class DaemonDied extends Error {}

/** The table as it was read last is the daemon's own memory, and after its death the state store is too. */
const isTableInMemory = ({ port, method }: PortCall): boolean => port === 'mountTable' && method === 'current';

/** What a dead daemon still does: nothing but to its own memory. */
function afterDeath(call: PortCall, act: () => unknown): unknown {
  if (call.port === 'state' || isTableInMemory(call)) return act();
  throw new DaemonDied();
}

/** How long a sync of the state disk takes. */
const syncMs = 2;
/** RestartSec of the unit. */
const restartMs = 500;

/** One life of the daemon. */
export interface Life {
  core: Core;
  source: ModelManifestSource | undefined;
  isDead: boolean;
}

/** Sees every effect before it happens and after it, and every line of the log. */
export interface EffectWatcher {
  before(call: PortCall): void;
  after(call: PortCall): void;
  logged(core: Core, message: string, fields?: LogFields): void;
}

export interface Counts {
  readonly faults: Map<string, number>;
  calls: number;
  deaths: number;
}

export class Machine {
  readonly clock = new FakeClock();
  readonly host = new FakeHost();
  readonly disk = new FakeStateDisk();
  readonly units = new FakeUnits();
  readonly manifests = new ManifestDirectory(this.clock);
  readonly violations: string[] = [];
  readonly counts: Counts;
  /** The last happenings, for the report of a failure. */
  readonly journal: string[] = [];
  /** What a workload wrote last, by image or LUN. */
  readonly written = new Map<FakeImage | FakeLun, string>();
  readonly target: FakeTarget;
  /** Sessions of an admin who did not ask for LUNs: a device in one is of our making. */
  readonly unscanned = new Set<string>();
  /** Images that an admin moved away, and from where. */
  readonly aside: { readonly path: string; readonly image: FakeImage }[] = [];
  /** Paths of images that are not what they were: a volume on them may be refused for good. */
  readonly tampered = new Set<string>();
  random = new Random(1);
  faultPercent = 0;
  life: Life | undefined;
  watcher: EffectWatcher | undefined;
  isTraced = false;
  /** What was begun before a death and goes on without the daemon: mkfs in a child that nobody could end. */
  #store: FakeStateStore | undefined;
  #callsUntilDeath = Number.POSITIVE_INFINITY;
  #soon = 0;
  #uids = 0;
  /** Methods that answer with a promise: the others cannot be delayed, and throw. */
  readonly #asyncMethods = new Set<string>();
  #isRestarting = false;

  constructor(counts: Counts) {
    this.counts = counts;
    this.host.loopNumbers = 'lowestFree';
    const [full, blank] = broughtImages;
    this.host.addForeignImage(`${imageDirectory}/${full}.img`, 'ext4', 'brought');
    this.host.addForeignImage(`${imageDirectory}/${blank}.img`, 'hole');
    this.manifests.write('foundation.yaml', foundation(imageDirectory), [], 'whole');
    this.target = this.host.iscsi.addTarget(network.iqn, network.portals, structuredClone(initialLuns));
    this.manifests.write('network.yaml', networkFoundation(), [], 'whole');
  }

  get isUp(): boolean {
    return this.life !== undefined && !this.life.isDead;
  }

  trace(line: string): void {
    if (this.isTraced) this.journal.push(`${String(Math.round(this.clock.monotonic())).padStart(9)} ${line}`);
  }

  violation(text: string): void {
    if (this.violations.length < 20) this.violations.push(text);
    this.trace(`VIOLATION ${text}`);
  }

  /** Looks, and keeps nothing of what it finds. */
  wouldViolate(check: () => void): boolean {
    const [violations, lines] = [this.violations.length, this.journal.length];
    check();
    this.journal.splice(lines);
    return this.violations.splice(violations).length > 0;
  }

  /** Begins a life; it is up some turns later, or has died in its start and begins anew. */
  start(): void {
    this.#isRestarting = false;
    const store = new FakeStateStore(this.disk, this.clock, syncMs);
    const life: Life = { core: undefined as unknown as Core, source: undefined, isDead: false };
    const around = (call: PortCall, act: () => unknown): unknown => this.#around(life, call, act);
    const isPort = (name: string, value: object): boolean =>
      name === 'iscsi' || Object.getPrototypeOf(value) === Object.prototype;
    const host: Host = wrapPorts(this.host, isPort, around);
    const state: StateStore = wrapPort('state', store, around);
    const soon = (callback: () => void): void => {
      this.#soon++;
      setImmediate(() => {
        this.#soon--;
        this.#guarded(life, callback);
      });
    };
    life.core = new Core({
      ...{
        state,
        host,
        layout,
        plugins,
        limits: { pool: {} },
        heavyLimit: 3,
        copyLimit: 1,
        machine: { name: 'node1', labels: {} },
      },
      ...{ leases: this.units, services: this.units },
      clock: {
        monotonic: () => this.clock.monotonic(),
        timestamp: () => this.clock.timestamp(),
        after: (ms, callback) => this.clock.after(ms, () => this.#guarded(life, callback)),
      },
      logger: this.#loggerOf(life),
      chance: { soon, random: () => this.random.next(), newUid: () => `uid-${++this.#uids}` },
    });
    this.#store = store;
    this.life = life;
    this.trace('daemon starts');
    void this.#begin(life);
  }

  async #begin(life: Life): Promise<void> {
    const { core } = life;
    try {
      await core.reconstruct();
      if (life.isDead) return;
      core.start();
      life.source = new ModelManifestSource(this.manifests, this.clock, (state) => {
        this.#guarded(life, () => core.takeManifests(state));
      });
    } catch (error) {
      if (life.isDead) return;
      this.trace(`start failed: ${String(error)}`);
      this.kill('kill');
    }
  }

  /** Ends the life at once; systemd starts the next one. */
  kill(how: 'kill' | 'powerCut'): void {
    const { life } = this;
    if (life === undefined || life.isDead) return;
    this.trace(`daemon dies: ${how}`);
    this.counts.deaths++;
    life.isDead = true;
    life.source?.stop();
    this.#store?.kill();
    this.#callsUntilDeath = Number.POSITIVE_INFINITY;
    this.host.revive();
    if (how === 'powerCut') {
      this.host.reboot();
      this.disk.cutPower(this.random.below(this.disk.unsynced + 1));
    }
    this.#restartSoon();
  }

  /** Ends it in order: running operations may end first. */
  async stop(): Promise<void> {
    const { life } = this;
    if (life === undefined || life.isDead || life.source === undefined) return;
    life.source.stop();
    let isStopped = false;
    const stopped = life.core.stop(90_000).then(() => {
      isStopped = true;
    });
    for (let tries = 0; tries < 200 && !isStopped; tries++) await this.advance(5_000);
    if (!isStopped) this.violation('the daemon does not stop');
    else await stopped;
    this.kill('kill');
  }

  /** The admin moves an image away, and puts a blank one in its place or nothing. */
  takeImageAside(path: string, isReplaced: boolean): void {
    const { imageFiles } = this.host;
    const image = imageFiles.get(path);
    if (image === undefined) return;
    imageFiles.delete(path);
    this.aside.push({ path, image });
    this.tampered.add(path);
    if (!isReplaced) return;
    const { data: _data, ...blank } = image;
    imageFiles.set(path, { ...blank, inode: this.host.newId(), content: 'hole' });
  }

  /** Somebody detaches an idle device and puts a file of his own on it, with a filesystem and data. */
  takeLoop(device: string | undefined): void {
    const { host } = this;
    if (device === undefined || !host.loops.has(device) || !this.isIdle(device)) return;
    const path = `/home/theirs-${host.newId()}.img`;
    const image: FakeImage = { inode: host.newId(), sizeBytes: 67_108_864n, content: 'ext4', data: 'theirs' };
    host.loops.set(device, { inode: image.inode, path, readOnly: false, image, sizeBytes: image.sizeBytes });
    this.trace(`  somebody takes ${device}`);
  }

  /** A device that goes under a pod's raw volume shows in no mount table: that is known, and not looked for here. */
  isIdle(device: string): boolean {
    const { host } = this;
    const isRaw = host.mounts.some(({ root }) => root === device.slice('/dev'.length));
    return !host.isMounted(device) && !isRaw && !host.openDevices.has(device);
  }

  giveLoopsBack(): void {
    const { loops } = this.host;
    for (const [device, { path }] of loops) if (path.startsWith('/home/')) loops.delete(device);
  }

  /** Puts the image back that was moved away last, if nothing has taken its place. */
  restoreImage(): void {
    const last = this.aside.pop();
    if (last === undefined) return;
    const { path, image } = last;
    if (this.host.imageFiles.has(path)) this.aside.unshift(last);
    else {
      this.host.imageFiles.set(path, image);
      if (!this.aside.some((other) => other.path === path)) this.tampered.delete(path);
    }
  }

  /** A format that was cut off is refused on an image that moored did not make, until somebody wipes it. */
  mendBroughtImages(): void {
    for (const [path, image] of this.host.imageFiles) {
      const isBrought = path.startsWith(`${imageDirectory}/`);
      if (isBrought && image.content === 'other' && image.data === undefined) image.content = 'zeros';
    }
    for (const lun of this.target.luns.values()) {
      if (lun.content === 'other' && lun.data === undefined) lun.content = 'zeros';
    }
  }

  dieAfter(calls: number): void {
    this.#callsUntilDeath = calls;
  }

  #restartSoon(): void {
    if (this.#isRestarting) return;
    this.#isRestarting = true;
    this.clock.after(restartMs, () => this.start());
  }

  #guarded(life: Life, callback: () => void): void {
    if (life.isDead) return;
    try {
      callback();
    } catch (error) {
      if (life.isDead) return;
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.violation(`the daemon ends by an exception that nobody caught: ${text}`);
      this.kill('kill');
    }
  }

  #loggerOf(life: Life): Logger {
    const log: Logger['info'] = (message, fields) => {
      if (life.isDead) return;
      if (this.isTraced) this.trace(`  ${message} ${JSON.stringify(fields)}`);
      this.watcher?.logged(life.core, message, fields);
      if (message === 'claims do not settle') this.violation(message);
    };
    return { info: log, warn: log, error: log, debug: log };
  }

  // --- between the daemon and its ports ---------------------------------------------------------------------------------

  #around(life: Life, call: PortCall, act: () => unknown): unknown {
    if (life.isDead) return afterDeath(call, act);
    this.counts.calls++;
    if (call.method !== 'entries' && !isTableInMemory(call) && this.#dies()) return this.#dieAt(call, act);
    const name = `${call.port}.${call.method}`;
    const isAsync = this.#asyncMethods.has(name);
    const isFaulty = this.faultPercent > 0 && this.random.below(100) < this.faultPercent;
    const fault = isFaulty ? chooseFault(call, isAsync, this.random) : undefined;
    // Between the attach and what is done with the device: an operation has to look whose it is just before.
    if (isFaulty && call.method === 'probe' && this.random.is(0.5)) this.takeLoop(String(call.args[0]));
    if (fault === undefined) return this.#plain(life, call, act);
    this.counts.faults.set(fault.kind, (this.counts.faults.get(fault.kind) ?? 0) + 1);
    this.trace(`  ${fault.kind} in ${name} ${JSON.stringify(fault)}`);
    return isAsync ? this.#asyncFault(life, call, act, fault) : this.#syncFault(life, call, act, fault);
  }

  #syncFault(life: Life, call: PortCall, act: () => unknown, fault: Fault): unknown {
    if (fault.kind === 'lie') return lieOf(call);
    if (fault.kind === 'failBefore') throw injected(call, fault.progress);
    const result = this.#plain(life, call, act);
    if (fault.kind !== 'failAfter') return result;
    // The first call of a method is not known to answer with a promise yet.
    if (result instanceof Promise) result.catch(() => undefined);
    throw injected(call, 'uncertain');
  }

  #dieAt(call: PortCall, act: () => unknown): unknown {
    const isBefore = this.random.is(0.5);
    this.trace(`  dies ${isBefore ? 'before' : 'after'} ${call.port}.${call.method}`);
    if (!isBefore) this.#last(call, act);
    else if (call.method === 'make' && this.random.is(0.5)) this.#cutOff(String(call.args[0]));
    this.kill('kill');
    return afterDeath(call, act);
  }

  #dies(): boolean {
    this.#callsUntilDeath--;
    return this.#callsUntilDeath < 0;
  }

  /** The effect that the daemon did not live to see the end of. */
  #last(call: PortCall, act: () => unknown): void {
    try {
      this.watcher?.before(call);
      const result = act();
      if (result instanceof Promise) result.catch(() => undefined);
    } catch {
      // Its error is nobody's any more.
    }
  }

  /** mkfs ends with the daemon or by a signal, in the middle. */
  #cutOff(device: string): void {
    if (this.host.loops.has(device) || this.host.disks.has(device)) this.host.cutOffFormat(device);
  }

  #plain(life: Life, call: PortCall, act: () => unknown): unknown {
    this.watcher?.before(call);
    const result = act();
    if (!(result instanceof Promise)) {
      this.watcher?.after(call);
      return result;
    }
    this.#asyncMethods.add(`${call.port}.${call.method}`);
    return result.then((value: unknown) => {
      if (!life.isDead) this.watcher?.after(call);
      return value;
    });
  }

  async #asyncFault(life: Life, call: PortCall, act: () => unknown, fault: Fault): Promise<unknown> {
    await Promise.resolve();
    switch (fault.kind) {
      case 'lie':
        return lieOf(call);
      case 'failBefore':
        if (call.method === 'make' && fault.progress === 'uncertain') this.#cutOff(String(call.args[0]));
        throw injected(call, fault.progress);
      case 'failAfter':
        await this.#plain(life, call, act);
        throw injected(call, 'uncertain');
      case 'delay': {
        await this.#sleep(life, call, fault.beforeMs);
        const result = await this.#plain(life, call, act);
        await this.#sleep(life, call, fault.afterMs, true);
        return result;
      }
    }
  }

  /** A child that runs for `ms`: ended by the operation's signal, or with the daemon. */
  #sleep(life: Life, call: PortCall, ms: number, isDone = false): Promise<void> {
    if (ms === 0) return Promise.resolve();
    const signal = call.args.find((arg) => arg instanceof AbortSignal);
    const device = call.method === 'make' ? String(call.args[0]) : undefined;
    return new Promise((resolve, reject) => {
      if (device !== undefined) this.host.openDevices.add(device);
      const goesOn = this.random.is(0.3);
      const end = (): void => {
        if (device !== undefined) this.host.openDevices.delete(device);
      };
      const cancel = this.clock.after(ms, () => {
        end();
        if (!life.isDead) resolve();
        // A power cut has ended it long ago; a kill of the daemon leaves the child what it is.
        else if (device !== undefined && !isDone && goesOn) this.#cutOff(device);
      });
      signal?.addEventListener('abort', () => {
        if (life.isDead) return;
        cancel();
        end();
        if (device !== undefined && !isDone) this.#cutOff(device);
        reject(injected(call, 'uncertain'));
      });
    });
  }

  // --- time ---------------------------------------------------------------------------------------------------------------

  /** Until nothing happens any more of itself; time stands still. */
  async settle(): Promise<void> {
    for (let turn = 0; ; turn++) {
      await new Promise(setImmediate);
      if (this.#soon === 0 && !this.host.isNotifying) return;
      if (turn > 2_000) {
        this.violation('the daemon does not come to rest');
        return;
      }
    }
  }

  /** Lets `ms` pass, from one timer to the next. */
  async advance(ms: number): Promise<void> {
    const end = this.clock.monotonic() + ms;
    await this.settle();
    for (;;) {
      const next = this.clock.nextAt;
      if (next === undefined || next > end) break;
      this.clock.advance(Math.max(next - this.clock.monotonic(), 0));
      await this.settle();
    }
    this.clock.advance(end - this.clock.monotonic());
  }
}
