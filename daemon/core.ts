/** The parts that decide and do, wired to each other: controllers, worlds, reconciler, executor. */
import { MemoryEventRecorder } from './adapters/memory-event-recorder.ts';
import { StateObjectStore } from './adapters/state-object-store.ts';
import { ClaimController } from './controllers/claim-controller.ts';
import { DependentsController } from './controllers/dependents-controller.ts';
import { ManifestController } from './controllers/manifest-controller.ts';
import { Provisioning } from './controllers/provisioning.ts';
import type { Snapshots } from './controllers/snapshots.ts';
import { type Limits, limitedHost } from './limited-host.ts';
import { newSnapshots } from './new-snapshots.ts';
import type { NamedLabels } from './plan/node-affinity.ts';
import { type Nodes, nodesOf } from './plan/this-node.ts';
import type { Clock } from './ports/clock.ts';
import type { Host } from './ports/host.ts';
import type { Logger } from './ports/logger.ts';
import type { ManifestState } from './ports/manifest-source.ts';
import type { PodLeases } from './ports/pod-leases.ts';
import type { ServiceManager } from './ports/service-manager.ts';
import type { StateStore } from './ports/state-store.ts';
import type { VolumePlugin } from './ports/volume-plugin.ts';
import { provisioningParts } from './provisioning-parts.ts';
import { AttachmentWatch } from './reconcile/attachment-watch.ts';
import { populate } from './reconcile/desired-state-of-world-populator.ts';
import { DriftLog } from './reconcile/drift-log.ts';
import { IscsiPathWatch } from './reconcile/iscsi-path-watch.ts';
import { NfsServerMonitor } from './reconcile/nfs-server-monitor.ts';
import { OldMountUsers } from './reconcile/old-mount-users.ts';
import { OperationExecutor } from './reconcile/operation-executor.ts';
import type { OperationContext } from './reconcile/operations/operation-context.ts';
import { releaseTerminatedPods } from './reconcile/pod-release.ts';
import { Reconciler } from './reconcile/reconciler.ts';
import { reconstruct } from './reconcile/reconstructor.ts';
import { ResolutionMemory } from './reconcile/resolution-memory.ts';
import { TrashRecords } from './reconcile/trash-records.ts';
import { VolumeHealth } from './reconcile/volume-health.ts';
import {
  retiredVolumeRecord,
  retireVolumeRecord,
  volumeRecords,
  writeVolumeRecord,
} from './reconcile/volume-records.ts';
import { Revision } from './revision.ts';
import type { DaemonSnapshot } from './status/daemon-snapshot.ts';
import { podReadiness } from './status/pod-views.ts';
import { ActualStateOfWorld } from './world/actual-state-of-world.ts';
import type { DesiredStateOfWorld } from './world/desired-state-of-world.ts';
import type { DiskLayout } from './world/disk-layout.ts';
import type { UniqueVolumeName } from './world/unique-volume-name.ts';

/** A directory of an ended pod that stays (it is not empty, or cannot be read) is no event's business: it is asked again. */
const releaseRetryMs = 10_000;

export interface CoreOptions {
  readonly state: StateStore;
  readonly host: Host;
  readonly leases: PodLeases;
  readonly services: ServiceManager;
  readonly layout: DiskLayout;
  readonly plugins: readonly VolumePlugin[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly chance: Chance;
  /** This machine as a node: its name and labels. */
  readonly machine: NamedLabels;
  /** A pod that has finished does not keep a claim that is to go. */
  readonly ignoresFinishedPods?: boolean;
  readonly limits: Limits;
  /** How many operations with children (mkfs, fsck, mount) may run at once. */
  readonly heavyLimit: number;
  /** How many images may be copied at once. */
  readonly copyLimit: number;
}

/** What makes two runs differ: given from outside, so that a simulation can be replayed. */
export interface Chance {
  readonly newUid: () => string;
  /** In [0, 1), for the jitter of backoffs. */
  readonly random: () => number;
  /** Calls back in the next turn of the event loop. */
  readonly soon: (callback: () => void) => void;
}

export class Core {
  readonly asw = new ActualStateOfWorld();
  readonly revision = new Revision();
  readonly events: MemoryEventRecorder;
  readonly objects: StateObjectStore;
  readonly dependents: DependentsController;
  readonly claims: ClaimController;
  readonly snapshots: Snapshots;
  readonly trash: TrashRecords;
  readonly manifests: ManifestController;
  readonly executor: OperationExecutor;
  readonly reconciler: Reconciler;
  readonly servers: NfsServerMonitor;
  readonly driftLog: DriftLog;
  readonly health: VolumeHealth;
  readonly #options: CoreOptions;
  readonly #memory = new ResolutionMemory();
  readonly #iscsiPathWatch: IscsiPathWatch;
  readonly #attachmentWatch: AttachmentWatch;
  readonly #oldMountUsers: OldMountUsers;
  readonly #startedAt: string;
  #cancelRelease: (() => void) | undefined;

  constructor(given: CoreOptions) {
    const { asw } = this;
    this.objects = new StateObjectStore(given.state);
    const options = { ...given, host: limitedHost(given, this.objects, asw) };
    const { state, host, leases, services, clock, logger, chance, heavyLimit } = options;
    const { newUid, random, soon } = chance;
    this.#options = options;
    this.#startedAt = clock.timestamp();
    this.events = new MemoryEventRecorder(clock);
    this.trash = new TrashRecords(state, host.images, clock);
    this.driftLog = new DriftLog(clock);
    const common = { objects: this.objects, events: this.events, clock, logger, newUid };
    this.snapshots = newSnapshots({ ...options, ...common, asw, random, executor: () => this.executor });
    const parts = { ...provisioningParts(options, asw, () => this.executor), onTrashed: this.trash.remember };
    const provisioning = new Provisioning({ ...common, ...parts, restoring: this.snapshots.restoring });
    this.dependents = new DependentsController({ ...common, readiness: () => podReadiness(this.snapshot()) });
    const scheduling = { nodes: () => this.#nodes(), isHere: (podUid: string) => asw.hasPod(podUid) };
    this.claims = new ClaimController({ ...options, ...common, ...scheduling, provisioning, random });
    this.manifests = new ManifestController({ ...common, state });
    this.servers = new NfsServerMonitor({
      ...{ ...common, asw, host },
      isBusy: (volumeName, podUid) => this.executor.isBusy(volumeName, podUid),
      onAnswer: (server) => this.executor.retryNow(server),
      onChange: () => this.reconciler.wake(),
    });
    this.executor = new OperationExecutor({
      ...common,
      asw,
      servers: this.servers,
      contextFor: (signal) => this.#operationContext(signal),
      random,
      heavyLimit,
      onEnd: () => this.reconciler.wake(),
    });
    const onChange = () => this.revision.bump();
    this.#oldMountUsers = new OldMountUsers({ holders: host.holders, logger, driftLog: this.driftLog, onChange });
    const onSlowLook = () => {
      this.#attachmentWatch.lookAtAll();
      this.#oldMountUsers.lookAgain();
    };
    this.health = new VolumeHealth({ ...common, asw, host, onSlowLook, onChange });
    this.reconciler = new Reconciler({
      ...common,
      asw,
      executor: this.executor,
      driftLog: this.driftLog,
      onMountLost: (name, deviceNumber) => this.#oldMountUsers.mountLost(name, deviceNumber),
      mountTable: host.mountTable,
      ...{ leases, services },
      secrets: this.manifests.secrets,
      populate: () => this.#populate(),
      onPass: () => this.#afterPass(),
      soon,
    });
    const isBusy = (name: UniqueVolumeName, podUid = '') => this.executor.isBusy(name, podUid);
    const wake = () => this.reconciler.wake();
    this.#attachmentWatch = new AttachmentWatch({ ...common, asw, host, driftLog: this.driftLog, isBusy, wake });
    this.#iscsiPathWatch = new IscsiPathWatch({ asw, initiator: host.iscsi, clock, logger, isBusy, wake });
  }

  /** Rebuilds the actual state of world; mounts and unmounts nothing. */
  async reconstruct(): Promise<void> {
    const { state, host, layout, logger } = this.#options;
    const { asw, events } = this;
    await this.snapshots.thawAll();
    await reconstruct({ asw, records: volumeRecords(state), host, layout, logger, events });
  }

  start(): void {
    this.objects.onChange(() => {
      this.manifests.objectsChanged();
      this.#objectsChanged();
    });
    this.dependents.sync();
    this.claims.sync();
    this.snapshots.sync();
    this.#attachmentWatch.start();
    this.reconciler.start();
  }

  takeManifests(state: ManifestState): void {
    this.manifests.take(state);
    this.#objectsChanged();
  }

  /** Nothing new begins; what runs may take `graceMs` to end. Mounts stay. */
  async stop(graceMs: number): Promise<void> {
    this.reconciler.stop();
    this.#iscsiPathWatch.stop();
    this.#attachmentWatch.stop();
    this.servers.stop();
    this.#cancelRelease?.();
    await this.health.stop();
    await this.#oldMountUsers.stop();
    // First, for a claim's operation may be a copy that takes hours.
    await this.snapshots.stop();
    await this.claims.stop();
    await this.executor.stop(graceMs);
  }

  snapshot(): DaemonSnapshot {
    const { asw, objects, reconciler, executor, servers } = this;
    const { host, clock } = this.#options;
    return {
      objects,
      nodes: this.#nodes(),
      startedAt: this.#startedAt,
      asw,
      dsw: reconciler.dsw,
      holds: reconciler.holds,
      draining: reconciler.isDraining,
      mounts: host.mountTable.current(),
      running: executor.running,
      failed: executor.failed,
      stalledServers: servers.stalled,
      waits: new Map([this.claims, this.dependents, this.snapshots].flatMap(({ waits }) => [...waits])),
      copies: this.snapshots.copies,
      drift: this.driftLog.volumes,
      conditions: this.health.conditions,
      now: clock.monotonic(),
    };
  }

  #populate(): DesiredStateOfWorld {
    const { plugins, layout } = this.#options;
    const { objects, asw, manifests } = this;
    const isHere = (podUid: string, volume?: UniqueVolumeName) => asw.hasPod(podUid, volume);
    const made = { plugins, layout, memory: this.#memory };
    return populate({ ...made, objects, nodes: this.#nodes(), isHere, complete: manifests.isComplete });
  }

  #nodes(): Nodes {
    return nodesOf(this.#options.machine, this.objects.list('Node'));
  }

  #objectsChanged(): void {
    this.dependents.sync();
    this.claims.sync();
    this.snapshots.sync();
    this.reconciler.objectsChanged();
  }

  #afterPass(): void {
    const { objects, asw, events } = this;
    const { host, layout, logger, clock } = this.#options;
    this.#iscsiPathWatch.update();
    this.#attachmentWatch.update();
    this.health.update(host.mountTable.current());
    const { directories } = host;
    const isAllReleased = releaseTerminatedPods({ objects, asw, directories, layout, events, logger });
    this.#cancelRelease?.();
    this.#cancelRelease = isAllReleased ? undefined : clock.after(releaseRetryMs, () => this.reconciler.wake());
    this.dependents.volumesChanged();
    this.claims.volumesChanged();
    this.servers.sync();
    this.revision.bump();
  }

  #operationContext(signal: AbortSignal): OperationContext {
    const { state, host, layout, clock } = this.#options;
    const { asw, events, servers } = this;
    return {
      ...{ asw, host, layout, clock, signal, events, servers },
      secrets: this.manifests.secrets,
      retiredRecord: (name) => retiredVolumeRecord(state, name),
      saveRecord: (name) => writeVolumeRecord(state, asw.get(name)?.record),
      retireRecord: (record) => retireVolumeRecord(state, record),
      durable: () => state.durable(),
    };
  }
}
