/**
 * Which NFS servers answer. While something of a server is mounted, a probe decides: one child a server, every 20 s. Else
 * the operations do that talk to it. Nothing in this process touches a mount.
 */
import type { Clock } from '../ports/clock.ts';
import type { EventRecorder, MooredEvent } from '../ports/events.ts';
import type { Host } from '../ports/host.ts';
import type { Logger } from '../ports/logger.ts';
import type { NfsServers, StalledServer } from '../ports/nfs-servers.ts';
import type { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import { asStorageError } from '../world/storage-error.ts';
import type { UniqueVolumeName } from '../world/unique-volume-name.ts';
import { type NfsUse, nfsUses, usesByServer } from './nfs-uses.ts';

/** A child costs 2 to 3 ms of a core: 0.01 %. */
const intervalMs = 20_000;
/** A busy server answers late. After this long its volumes are called stalled; the probe goes on waiting. */
const stalledAfterMs = 10_000;
/** Between the deadline of one probe and the next one. */
const retryMs = 5_000;

/** Of so many mounts one probe asks: an argument list has an end. The server itself is asked in any case. */
const mostTargets = 1_000;

export interface NfsServerMonitorOptions {
  readonly asw: ActualStateOfWorld;
  readonly host: Pick<Host, 'nfs' | 'mountTable'>;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly logger: Logger;
  /** Whether an operation is working on this mount. */
  readonly isBusy: (volumeName: UniqueVolumeName, podUid: string) => boolean;
  /** The server answers again: what waited for it need not wait longer. */
  readonly onAnswer: (server: string) => void;
  /** Something is to be shown or planned anew. */
  readonly onChange: () => void;
}

interface Watch {
  readonly controller: AbortController;
  isProbing: boolean;
  cancelTimer: () => void;
}

export class NfsServerMonitor implements NfsServers {
  readonly #options: NfsServerMonitorOptions;
  readonly #stalled = new Map<string, StalledServer>();
  readonly #stale = new Set<string>();
  readonly #watches = new Map<string, Watch>();
  #seen: readonly unknown[] = [];

  constructor(options: NfsServerMonitorOptions) {
    this.#options = options;
  }

  get stalled(): ReadonlyMap<string, StalledServer> {
    return this.#stalled;
  }

  /** Begins and ends watching, after each pass: a server is watched while the mount table shows a mount of it. */
  sync(): void {
    const { asw, host } = this.#options;
    const seen = [asw.revision, host.mountTable.current()];
    if (seen.every((value, index) => value === this.#seen[index])) return;
    this.#seen = seen;
    const uses = usesByServer(nfsUses(asw, host.mountTable.current()));
    for (const [server, ofServer] of uses) {
      const isMounted = ofServer.some((use) => use.isMounted);
      if (isMounted && !this.#watches.has(server)) this.#watch(server);
      if (!isMounted) this.#unwatch(server);
    }
    for (const server of this.#watches.keys()) if (!uses.has(server)) this.#unwatch(server);
    for (const server of this.#stalled.keys()) if (!uses.has(server)) this.#stalled.delete(server);
  }

  /** No probe begins after this. */
  stop(): void {
    for (const server of this.#watches.keys()) this.#unwatch(server);
  }

  answered(server: string): void {
    if (!this.#watches.has(server)) this.#markAnswering(server);
  }

  failed(server: string, cause: string): void {
    const watch = this.#watches.get(server);
    if (watch === undefined) this.#markStalled(server, cause);
    else this.#probeIn(server, watch, 0);
  }

  isStale(targetPath: string): boolean {
    return this.#stale.has(targetPath);
  }

  renewed(targetPath: string): void {
    this.#stale.delete(targetPath);
  }

  #watch(server: string): void {
    const watch: Watch = { controller: new AbortController(), isProbing: false, cancelTimer: () => undefined };
    this.#watches.set(server, watch);
    // After a restart the worst is to be known soon.
    this.#probeIn(server, watch, 0);
  }

  #unwatch(server: string): void {
    const watch = this.#watches.get(server);
    watch?.cancelTimer();
    watch?.controller.abort();
    this.#watches.delete(server);
  }

  #probeIn(server: string, watch: Watch, ms: number): void {
    if (watch.isProbing) return;
    watch.cancelTimer();
    watch.cancelTimer = this.#options.clock.after(ms, () => void this.#probe(server, watch));
  }

  async #probe(server: string, watch: Watch): Promise<void> {
    const { clock, host, logger } = this.#options;
    const { signal } = watch.controller;
    const mounted = this.#usesOf(server).flatMap((use) => (use.isMounted ? [use.targetPath] : []));
    const targets = mounted.slice(0, mostTargets);
    watch.isProbing = true;
    const cancelWait = clock.after(stalledAfterMs, () => this.#markStalled(server, noAnswer));
    let next = intervalMs;
    try {
      const { stale } = await host.nfs.probe(server, targets, signal);
      if (signal.aborted) return;
      this.#markAnswering(server);
      this.#markStale(server, stale);
    } catch (thrown) {
      if (signal.aborted) return;
      const error = asStorageError(thrown, `Cannot reach server "${server}"`);
      if (error.code === 'DeadlineExceeded') this.#markStalled(server, noAnswer);
      else if (error.code === 'Unavailable') this.#markStalled(server, error.message);
      // The probe itself could not run: that says nothing of the server.
      else logger.warn('server not probed', { server, error: error.message });
      next = retryMs;
    } finally {
      cancelWait();
      watch.isProbing = false;
    }
    this.#probeIn(server, watch, next);
  }

  #markStalled(server: string, cause: string): void {
    if (this.#stalled.has(server)) return;
    this.#stalled.set(server, { server, since: this.#options.clock.timestamp(), cause });
    this.#options.logger.warn('server does not answer', { server, cause });
    const message = `NFS server "${server}" does not answer: ${cause}`;
    this.#tellPods(this.#usesOf(server), { reason: 'ServerStalled', message });
    this.#options.onChange();
  }

  #markAnswering(server: string): void {
    const stalled = this.#stalled.get(server);
    if (stalled === undefined) return;
    this.#stalled.delete(server);
    this.#options.logger.info('server answers again', { server, since: stalled.since });
    const message = `NFS server "${server}" answers again`;
    this.#tellPods(this.#usesOf(server), { reason: 'ServerAnswers', message });
    this.#options.onAnswer(server);
    this.#options.onChange();
  }

  /** The server knows nothing of what is mounted: the mount is made anew as soon as nobody uses it. */
  #markStale(server: string, stale: readonly string[]): void {
    const { asw, isBusy, onChange } = this.#options;
    const found = this.#usesOf(server).filter(
      ({ targetPath, volumeName, pod }) => stale.includes(targetPath) && !isBusy(volumeName, pod.uid),
    );
    for (const { volumeName, pod, targetPath } of found) {
      this.#stale.add(targetPath);
      asw.markVolumeMountAs(volumeName, pod.uid, 'VolumeMountUncertain');
    }
    if (found.length === 0) return;
    const message = `NFS server "${server}" no longer knows what is mounted (stale file handle): it is mounted anew`;
    this.#tellPods(found, { reason: 'StaleFileHandle', message });
    onChange();
  }

  #usesOf(server: string): readonly NfsUse[] {
    const { asw, host } = this.#options;
    return usesByServer(nfsUses(asw, host.mountTable.current())).get(server) ?? [];
  }

  #tellPods(uses: readonly NfsUse[], event: Omit<MooredEvent, 'regarding'>): void {
    const pods = new Set(uses.map(({ pod }) => `Pod/${pod.namespace}/${pod.name}`));
    for (const regarding of pods) this.#options.events.record({ ...event, regarding });
  }
}

const noAnswer = `no answer for ${stalledAfterMs / 1000} s`;
