/** The composition root: what is opened at start, in which order, and closed at the end. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { plugins } from '../plugins/index.ts';
import { ChokidarManifestSource } from './adapters/chokidar-manifest-source.ts';
import { JournalStateStore } from './adapters/journal-state-store.ts';
import { parseManifest } from './adapters/manifest-parser.ts';
import type { Config } from './config.ts';
import { startControlServer } from './control/control-server.ts';
import type { DrainReply, PlanReply, PlanRequest } from './control/protocol.ts';
import { type Chance, Core, type CoreOptions } from './core.ts';
import { DaemonControl } from './daemon-control.ts';
import { waitUntilDrained } from './drain.ts';
import { dryRun } from './dry-run.ts';
import { holdPod } from './hold-pod.ts';
import { doctorChecks } from './host/doctor.ts';
import { FileLock } from './host/file-lock.ts';
import { LeaseDirectory } from './host/lease-directory.ts';
import { type LinuxHost, openLinuxHost } from './host/linux-host.ts';
import { peerUid } from './host/peer-credentials.ts';
import { systemClock } from './host/system-clock.ts';
import { thisMachine } from './host/this-machine.ts';
import { type LeftBehind, leftBehind } from './left-behind.ts';
import type { NamedLabels } from './plan/node-affinity.ts';
import type { Logger } from './ports/logger.ts';
import type { ManifestListing } from './ports/manifest-source.ts';
import { type DiskLayout, diskLayout } from './world/disk-layout.ts';

/**
 * Operations with children (mkfs, fsck, mount) at once: four a core, because each of them also waits for the disk, for its
 * record and for the daemon itself. Measured with 250 volumes on 2 cores, in turns: 4 at once 3.7 s, 8 3.3 s.
 */
const heavyLimit = 4 * availableParallelism();

/** Copies of images at once: one a core, each with a child that moves what a disk can. */
const copyLimit = availableParallelism();
const atOnce = { heavyLimit, copyLimit };

const chance: Chance = { newUid: () => randomUUID(), random: Math.random, soon: setImmediate };

/** How long running operations may go on after the stop was asked for, before their children are ended. */
const stopGraceMs = 90_000;

export interface Daemon {
  /** Stops in order and leaves every mount as it is. */
  stop(): Promise<void>;
}

/** Starts the daemon; resolves when the worlds are rebuilt, the manifests were read and it answers on its socket. */
export async function startDaemon(config: Config, logger: Logger): Promise<Daemon> {
  const { stateDir, runDir, manifestDir } = config;
  mkdirSync(config.rootDir, { recursive: true, mode: 0o750 });
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const rootDir = realpathSync(config.rootDir);
  const layout = diskLayout(rootDir);
  const lock = new FileLock(`${stateDir}/lock`);
  const state = await JournalStateStore.open(stateDir);
  const host = openLinuxHost(rootDir, logger);
  const leases = new LeaseDirectory(`${runDir}/leases`, (problem) =>
    logger.error('leases cannot be read', { problem }),
  );
  const { services } = host;
  const outside = { state, host, leases, services, clock: systemClock, logger };
  const { name, labels } = thisMachine(config.node.name);
  const machine = { name, labels: { ...labels, ...config.node.labels } };
  const ignoresFinishedPods = config.claims.ignoreFinishedPods === true;
  const limits = limitsOf(config);
  const core = new Core({ ...outside, ...atOnce, layout, plugins, chance, machine, limits, ignoresFinishedPods });
  await core.reconstruct();
  const listings = new LastListing();
  const left = leftBehind(core, { host, layout, logger }, config.trash.graceMs);
  const server = await startControlServer({
    socketPath: `${runDir}/moored.sock`,
    handlers: daemonControl(config, core, { state, leases, layout, listings, logger, host, machine, left }),
    authorize: (socket) => peerUid(socket) === 0,
    onError: (error, request) => logger.error('control request failed', { request, error: String(error) }),
  });
  core.start();
  core.health.start();
  const source = new ChokidarManifestSource({
    directory: manifestDir,
    onProblem: ({ message }) => {
      logger.warn('manifests are not watched', { problem: message });
      core.events.record({ reason: 'ManifestsNotWatched', regarding: 'Manifests', message });
    },
  });
  await source.start((manifestState) => {
    if (manifestState.kind === 'listing') listings.value = manifestState.listing;
    core.takeManifests(manifestState);
  });
  await left.emptying?.start();
  return {
    stop: async () => {
      left.emptying?.stop();
      await source.stop();
      await server.close();
      await core.stop(stopGraceMs);
      await state.close();
      leases[Symbol.dispose]();
      await host[Symbol.asyncDispose]();
      lock[Symbol.dispose]();
    },
  };
}

function limitsOf({ pool, memory: { limit } }: Config): CoreOptions['limits'] {
  return { pool, ...(limit === undefined ? {} : { memory: { limit, memoryBytes: BigInt(totalmem()) } }) };
}

/** What was seen at the last good look, for plans and listings while the directory cannot be read. */
class LastListing {
  value: ManifestListing = { files: [], directoryId: '' };
}

interface ControlParts {
  readonly state: JournalStateStore;
  readonly leases: LeaseDirectory;
  readonly layout: DiskLayout;
  readonly listings: LastListing;
  readonly logger: Logger;
  readonly host: LinuxHost;
  readonly machine: NamedLabels;
  readonly left: LeftBehind;
}

function daemonControl(config: Config, core: Core, parts: ControlParts): DaemonControl {
  const { listings, logger, left } = parts;
  return new DaemonControl({
    startedAt: systemClock.timestamp(),
    pid: process.pid,
    isReady: () => core.manifests.state !== undefined,
    revision: core.revision,
    snapshot: () => core.snapshot(),
    manifests: () => ({
      state: core.manifests.state,
      lastFiles: listings.value.files,
      refused: core.manifests.refused,
    }),
    events: () => core.events.list(),
    plan: (request) => planWith(request, core, parts),
    drain: (): Promise<DrainReply> => {
      logger.info('draining');
      core.reconciler.drain();
      return waitUntilDrained(core);
    },
    hold: (request) => holdPod(request, core.snapshot(), parts.leases),
    doctor: async () => ({ checks: await doctorChecks(config) }),
    ...{ orphans: left.orphans, tools: left.tools, trash: core.trash, trashGraceMs: config.trash.graceMs },
  });
}

async function planWith({ files }: PlanRequest, core: Core, parts: ControlParts): Promise<PlanReply> {
  const { state, layout, listings, machine } = parts;
  const added = files.map(({ name, text }) => parseManifest(name, text));
  const names = new Set(added.map(({ name }) => name));
  const kept = listings.value.files.filter(({ name }) => !names.has(name));
  const { steps, problems } = await dryRun({
    state,
    asw: core.asw,
    listing: { ...listings.value, files: [...kept, ...added] },
    plugins,
    layout,
    clock: systemClock,
    newUid: chance.newUid,
    machine,
    draining: core.reconciler.isDraining,
  });
  return { steps, problems: [...added.flatMap((file) => file.problems), ...problems] };
}
