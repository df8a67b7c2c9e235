/**
 * `moorctl plan`: the daemon's own merge, claim rules, populator and planner over copies of its state, with every
 * effect replaced by its success. Nothing outside this call changes.
 */
import { MemoryEventRecorder } from './adapters/memory-event-recorder.ts';
import { MemoryStateStore } from './adapters/memory-state-store.ts';
import { StateObjectStore } from './adapters/state-object-store.ts';
import { keyOf, kinds } from './api/meta.ts';
import type { StoredObject } from './api/object.ts';
import type { PlannedStep } from './control/protocol.ts';
import { ClaimController } from './controllers/claim-controller.ts';
import { DependentsController } from './controllers/dependents-controller.ts';
import { DryProvisioning } from './controllers/dry-provisioning.ts';
import { ManifestController } from './controllers/manifest-controller.ts';
import { hostnameOf, type NamedLabels } from './plan/node-affinity.ts';
import type { Operation } from './plan/operation.ts';
import { plan } from './plan/plan.ts';
import { simulate } from './plan/simulate.ts';
import { nodesOf } from './plan/this-node.ts';
import type { Clock } from './ports/clock.ts';
import type { Logger } from './ports/logger.ts';
import type { ManifestListing, ManifestProblem } from './ports/manifest-source.ts';
import type { StateStore } from './ports/state-store.ts';
import type { VolumePlugin } from './ports/volume-plugin.ts';
import { populate } from './reconcile/desired-state-of-world-populator.ts';
import { ActualStateOfWorld } from './world/actual-state-of-world.ts';
import type { DesiredStateOfWorld } from './world/desired-state-of-world.ts';
import type { DiskLayout } from './world/disk-layout.ts';
import type { UniqueVolumeName } from './world/unique-volume-name.ts';
import type { VolumeRecord } from './world/volume-record.ts';

export interface DryRunOptions {
  readonly state: StateStore;
  readonly asw: ActualStateOfWorld;
  readonly listing: ManifestListing;
  readonly plugins: readonly VolumePlugin[];
  readonly layout: DiskLayout;
  readonly clock: Clock;
  readonly newUid: () => string;
  readonly machine: NamedLabels;
  readonly draining: boolean;
}

export interface DryRun {
  readonly steps: readonly PlannedStep[];
  readonly problems: readonly ManifestProblem[];
}

export async function dryRun(options: DryRunOptions): Promise<DryRun> {
  const { asw, plugins, layout, clock, newUid } = options;
  const state = new MemoryStateStore(options.state);
  const objects = new StateObjectStore(state);
  const before = new Map(allObjects(objects).map((object) => [keyOf(object), object]));
  const common = { objects, clock, logger: silent, events: new MemoryEventRecorder(clock), newUid };
  const manifests = new ManifestController({ ...common, state });
  manifests.take({ kind: 'listing', listing: options.listing });
  // Of what is to come, all that is made is ready.
  new DependentsController({ ...common, readiness: () => () => true }).sync();
  const provisioning = new DryProvisioning({ ...options, objects, hostname: hostnameOf(options.machine) });
  const nodes = () => nodesOf(options.machine, objects.list('Node'));
  const isHere = (podUid: string, volume?: UniqueVolumeName) => asw.hasPod(podUid, volume);
  const claims = new ClaimController({ ...common, nodes, isHere, provisioning, random: () => 0 });
  claims.sync();
  await claims.idle();
  await claims.stop();
  const dsw = populate({ objects, plugins, layout, nodes: nodes(), isHere, complete: true });
  const steps = [
    ...objectSteps(before, allObjects(objects)),
    ...provisioning.steps,
    ...operationSteps(dsw, asw, options.draining),
  ];
  return { steps, problems: manifests.refused };
}

function objectSteps(before: ReadonlyMap<string, StoredObject>, after: readonly StoredObject[]): PlannedStep[] {
  const left = new Set<string>(after.map(keyOf));
  const changes = after.flatMap((object): PlannedStep[] => {
    const old = before.get(keyOf(object));
    const kind = changeOf(old, object);
    return kind === undefined ? [] : [step(kind, keyOf(object), 'the manifests say so')];
  });
  const removed = [...before.keys()].filter((key) => !left.has(key));
  return [...changes, ...removed.map((key) => step('removeObject', key, 'nothing needs it any more'))];
}

function changeOf(old: StoredObject | undefined, object: StoredObject): string | undefined {
  if (old === undefined) return 'createObject';
  if (old.metadata.resourceVersion === object.metadata.resourceVersion) return undefined;
  const isDeleting = object.metadata.deletionTimestamp !== undefined;
  return isDeleting && old.metadata.deletionTimestamp === undefined ? 'deleteObject' : 'updateObject';
}

/** The planner, run to its end over a copy of the actual state of world. */
function operationSteps(dsw: DesiredStateOfWorld, actual: ActualStateOfWorld, draining: boolean): PlannedStep[] {
  const asw = new ActualStateOfWorld();
  for (const volume of actual.volumes.values()) asw.restoreVolume(volume);
  const idle = {
    running: new Set<string>(),
    busyVolumes: new Set<string>(),
    backoff: new Map<string, never>(),
    now: 0,
    heavySlots: Number.POSITIVE_INFINITY,
    retrySlots: Number.POSITIVE_INFINITY,
    inProcessSlots: Number.POSITIVE_INFINITY,
    runningByServer: new Map<string, never>(),
    stalledServers: new Set<string>(),
    draining,
  };
  const steps: PlannedStep[] = [];
  for (;;) {
    const { operations } = plan(dsw, asw, idle);
    if (operations.length === 0) return steps;
    for (const operation of operations) {
      steps.push(...describeOperation(operation, asw));
      simulate(asw, operation);
    }
  }
}

function describeOperation(operation: Operation, asw: ActualStateOfWorld): readonly PlannedStep[] {
  const record = asw.get(operation.volumeName)?.record;
  const irreversible = irreversiblePart(operation, record);
  const steps = [step(operation.kind, subjectOf(operation, record?.pods), operation.reason)];
  return irreversible === undefined ? steps : [{ ...irreversible, destructive: true }, ...steps];
}

/** What cannot be taken back inside an operation, as a step of its own. */
function irreversiblePart(operation: Operation, record: VolumeRecord | undefined): PlannedStep | undefined {
  switch (operation.kind) {
    case 'mountDevice': {
      const fsType = operation.volume.recipe.deviceMount?.fsType;
      if (fsType === undefined || record?.format !== undefined) return undefined;
      return step('formatDevice', operation.volumeName, `${fsType}, only if the device is proven blank`);
    }
    case 'forgetVolume': {
      const attachment = record?.recipe.attachment;
      if (attachment?.kind !== 'image' || attachment.create === undefined) return undefined;
      return step('removeImage', attachment.path, 'an inline volume ends with its pod');
    }
    case 'unmountVolume': {
      const pod = record?.pods[operation.podUid];
      if (pod?.mount.kind !== 'directory') return undefined;
      return step('removeDirectory', pod.targetPath, 'an emptyDir ends with its pod');
    }
    default:
      return undefined;
  }
}

function subjectOf(operation: Operation, pods: Record<string, { readonly targetPath: string }> | undefined): string {
  if (operation.kind === 'mountVolume') return operation.pod.targetPath;
  if (operation.kind === 'unmountVolume') return pods?.[operation.podUid]?.targetPath ?? operation.volumeName;
  return operation.volumeName;
}

function step(kind: string, subject: string, reason: string): PlannedStep {
  return { kind, subject, reason, destructive: false };
}

function allObjects(objects: StateObjectStore): readonly StoredObject[] {
  return kinds.flatMap((kind): readonly StoredObject[] => objects.list(kind));
}

const nothing = (): void => {};
const silent: Logger = { info: nothing, warn: nothing, error: nothing, debug: nothing };
