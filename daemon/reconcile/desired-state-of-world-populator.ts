/**
 * From objects to the desired state of world: which pod wants which volume where. A function of what it is given; the
 * result replaces the whole world, so a pod's edited manifest and a lost claim need no code of their own.
 */
import { objectKey } from '../api/meta.ts';
import { isOwnedBy } from '../api/owner-reference.ts';
import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import { isTerminated, type StoredPod, type Volume } from '../api/pod.ts';
import { claimOfVolume, type PodClaim } from '../api/pod-claims.ts';
import { bytesOf, parseQuantity } from '../api/quantity.ts';
import { type VolumeUse, volumeUsesOf } from '../api/volume-uses.ts';
import { matchesNode } from '../plan/node-affinity.ts';
import { placementRefusal } from '../plan/pod-placement.ts';
import type { Nodes } from '../plan/this-node.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { ResolvedVolume, VolumePlugin, VolumeSpec } from '../ports/volume-plugin.ts';
import type {
  DesiredStateOfWorld,
  PodToMount,
  PodVolumeError,
  VolumeSize,
  VolumeToMount,
} from '../world/desired-state-of-world.ts';
import type { DiskLayout } from '../world/disk-layout.ts';
import { StorageError } from '../world/storage-error.ts';
import type { UniqueVolumeName } from '../world/unique-volume-name.ts';
import { type PodMount, sameRecipe, type VolumeRecipe } from '../world/volume-recipe.ts';
import type { PodReference } from '../world/volume-record.ts';
import { type Resolution, ResolutionMemory } from './resolution-memory.ts';

export interface PopulatorOptions {
  readonly objects: Pick<ObjectStore, 'get' | 'list'>;
  readonly plugins: readonly VolumePlugin[];
  readonly layout: DiskLayout;
  readonly nodes: Nodes;
  /**
   * Whether the pod has this volume, or any, on this machine already: what a node must have is asked before that, and not
   * again (requiredDuringSchedulingIgnoredDuringExecution).
   */
  readonly isHere: (podUid: string, volume?: UniqueVolumeName) => boolean;
  /** True once every source was read; see DesiredStateOfWorld.complete. */
  readonly complete: boolean;
  readonly memory?: ResolutionMemory;
}

export function populate(options: PopulatorOptions): DesiredStateOfWorld {
  const world = new Population(options);
  for (const pod of options.objects.list('Pod')) if (!isTerminated(pod)) world.addPod(pod);
  return world.result();
}

class Population {
  readonly #options: PopulatorOptions;
  readonly #memory: ResolutionMemory;
  readonly #volumes = new Map<UniqueVolumeName, VolumeToMount & { readonly pods: Map<string, PodToMount> }>();
  readonly #errors = new Map<string, PodVolumeError[]>();
  /** Of each ReadWriteOncePod volume, by name, the pod that has it. */
  readonly #soleUsers = new Map<string, PodReference>();

  constructor(options: PopulatorOptions) {
    this.#options = options;
    this.#memory = options.memory ?? new ResolutionMemory();
  }

  addPod(pod: StoredPod): void {
    const reference: PodReference = {
      namespace: pod.metadata.namespace,
      name: pod.metadata.name,
      uid: pod.metadata.uid,
    };
    const refusal = this.#refusalOf(pod);
    const errors: PodVolumeError[] = [];
    for (const use of volumeUsesOf(pod)) {
      const { name } = use.volume;
      try {
        if (refusal === undefined) this.#addVolume(pod, reference, use);
        else
          errors.push({
            pod: reference,
            volume: name,
            reason: refusal.reason,
            error: unresolved(name, refusal.message),
          });
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        errors.push({ pod: reference, volume: name, reason: reasonOf(error), error });
      }
    }
    if (errors.length > 0) this.#errors.set(reference.uid, errors);
  }

  /** Of a pod of another machine what is here is held: the name of this one may have been changed by mistake. */
  #refusalOf(pod: StoredPod): ReturnType<typeof placementRefusal> {
    const { nodes, isHere } = this.#options;
    const refusal = placementRefusal(pod, nodes);
    return refusal?.reason === 'FailedScheduling' && isHere(pod.metadata.uid) ? undefined : refusal;
  }

  #addVolume(stored: StoredPod, pod: PodReference, use: VolumeUse): void {
    const spec = this.#specOf(pod, use);
    const { plugin, resolved } = this.#resolve(stored, spec, use);
    const known = this.#volumes.get(resolved.name);
    if (known !== undefined && !sameRecipe(known.recipe, resolved.recipe)) {
      throw unresolved(use.volume.name, `volume "${resolved.name}" is already wanted in another way`, 'AlreadyExists');
    }
    const volume = known ?? {
      name: resolved.name,
      plugin: plugin.name,
      recipe: resolved.recipe,
      ...this.#sizeOf(spec, resolved.recipe),
      subject: subjectOf(spec, pod),
      pods: new Map<string, PodToMount>(),
    };
    this.#assertReachable(spec, pod, resolved.name, use.volume.name);
    this.#assertMayJoin(spec, pod, use.volume.name);
    volume.pods.set(pod.uid, mergeNames(volume.pods.get(pod.uid), podToMount(pod, resolved, use.volume.name)));
    this.#volumes.set(resolved.name, volume);
  }

  #resolve(pod: StoredPod, spec: VolumeSpec, { volume }: VolumeUse): Resolution {
    const source = spec.kind === 'inline' ? undefined : spec.volume;
    const known = this.#memory.get(pod, volume.name, source);
    if (known !== undefined) return known;
    const plugin = this.#pluginFor(spec, volume);
    const resolution = { plugin, resolved: plugin.resolve(spec, this.#options.layout), source };
    this.#memory.set(pod, volume.name, resolution);
    return resolution;
  }

  #specOf(pod: PodReference, use: VolumeUse): VolumeSpec {
    const source = claimOfVolume(pod.name, use.volume);
    if (source === undefined) {
      if (use.mode === 'Block')
        throw unresolved(use.volume.name, 'it is not a block volume, but is in volumeDevices', 'InvalidArgument');
      return { kind: 'inline', pod, volume: use.volume };
    }
    const volume = this.#boundVolume(pod, source, use.volume.name);
    const mode = volume.spec.volumeMode ?? 'Filesystem';
    if (mode !== use.mode) {
      const list = use.mode === 'Block' ? 'volumeDevices' : 'volumeMounts';
      throw unresolved(use.volume.name, `it has volumeMode ${mode}, but is specified in ${list}`, 'InvalidArgument');
    }
    return { kind: 'persistentVolume', pod, volume, readOnly: source.readOnly };
  }

  /** The kubelet's conditions (getPVCExtractPV, getPVSpec): claim Bound, and the volume bound back to this very claim. */
  #boundVolume(pod: PodReference, { claimName, isEphemeral }: PodClaim, volumeName: string): StoredPersistentVolume {
    const { objects } = this.#options;
    const claim = objects.get(objectKey('PersistentVolumeClaim', pod.namespace, claimName));
    if (claim?.kind !== 'PersistentVolumeClaim') {
      throw unresolved(volumeName, `claim "${claimName}" not found`, 'NotFound');
    }
    // What was made for another pod, or by hand, may hold data that is not to go with this one.
    if (isEphemeral && !isOwnedBy(claim.metadata, pod.uid)) {
      throw unresolved(volumeName, `claim "${claimName}" was not made for this pod (the pod is not its owner)`);
    }
    const phase = claim.status?.phase ?? 'Pending';
    const boundTo = claim.spec.volumeName;
    if (phase !== 'Bound' || boundTo === undefined) {
      throw unresolved(volumeName, `claim "${claimName}" is ${phase}`, 'Unavailable');
    }
    const volume = objects.get(objectKey('PersistentVolume', '', boundTo));
    if (volume?.kind !== 'PersistentVolume') {
      throw unresolved(volumeName, `claim "${claimName}" is bound to "${boundTo}", which does not exist`, 'NotFound');
    }
    if (volume.spec.claimRef?.uid !== claim.metadata.uid) {
      throw unresolved(volumeName, `volume "${boundTo}" is not bound to claim "${claimName}"`);
    }
    return volume;
  }

  /**
   * ReadWriteOncePod: the second pod is refused here, as the kubelet does at mount. By the PersistentVolume: of an NFS
   * export each pod has a volume of its own.
   */
  #assertMayJoin(spec: VolumeSpec, pod: PodReference, name: string): void {
    if (spec.kind !== 'persistentVolume' || !spec.volume.spec.accessModes.includes('ReadWriteOncePod')) return;
    const volume = spec.volume.metadata.name;
    const user = this.#soleUsers.get(volume) ?? pod;
    this.#soleUsers.set(volume, user);
    if (user.uid === pod.uid) return;
    throw unresolved(name, `it is ReadWriteOncePod and pod "${user.namespace}/${user.name}" uses it`);
  }

  /** The scheduler has looked at this too; a volume may have been bound by hand since (kubelet: checkNodeAffinity). */
  #assertReachable(spec: VolumeSpec, pod: PodReference, volume: UniqueVolumeName, name: string): void {
    const { nodes, isHere } = this.#options;
    if (spec.kind === 'inline' || matchesNode(spec.volume.spec.nodeAffinity?.required, nodes.own)) return;
    if (isHere(pod.uid, volume)) return;
    const cause = `volume "${spec.volume.metadata.name}" cannot be reached from node "${nodes.own.name}": no matching NodeSelectorTerms`;
    throw unresolved(name, cause);
  }

  /** A filesystem grows through a writable mount only; upstream leaves read-only volumes as they are, too. */
  #sizeOf(spec: VolumeSpec, { attachment }: VolumeRecipe): { readonly size?: VolumeSize } {
    const claimRef = spec.kind === 'persistentVolume' ? spec.volume.spec.claimRef : undefined;
    if (spec.kind === 'inline' || claimRef === undefined || attachment?.readOnly !== false) return {};
    const claim = this.#options.objects.get(objectKey('PersistentVolumeClaim', claimRef.namespace, claimRef.name));
    const known = claim?.kind === 'PersistentVolumeClaim' ? claim.status?.capacity?.storage : undefined;
    const persistentVolume = spec.volume.metadata.name;
    const desiredBytes = bytesOf(parseQuantity(spec.volume.spec.capacity.storage));
    // A claim without a capacity was bound before anybody could have grown its volume.
    const claimBytes = known === undefined ? desiredBytes : bytesOf(parseQuantity(known));
    return { size: { persistentVolume, desiredBytes, claimBytes } };
  }

  #pluginFor(spec: VolumeSpec, volume: Volume): VolumePlugin {
    const [plugin, second] = this.#options.plugins.filter((candidate) => candidate.canSupport(spec));
    if (plugin === undefined) throw unresolved(volume.name, `no plugin supports ${sourceOf(spec)}`, 'Unimplemented');
    if (second !== undefined) {
      throw unresolved(volume.name, `plugins "${plugin.name}" and "${second.name}" both support it`);
    }
    return plugin;
  }

  result(): DesiredStateOfWorld {
    return { volumes: this.#volumes, errors: this.#errors, complete: this.#options.complete };
  }
}

function podToMount(pod: PodReference, resolved: ResolvedVolume, outerName: string): PodToMount {
  const { specName, targetPath, mount } = resolved;
  return { pod, specName, outerNames: [outerName], targetPath, mount };
}

/** Two names of one claim in one pod share one mount; it is read-only only if both ask for that. */
function mergeNames(known: PodToMount | undefined, added: PodToMount): PodToMount {
  if (known === undefined) return added;
  if (!sameRecipe(writable(known.mount), writable(added.mount))) {
    // An inline volume may have the name of a PersistentVolume: upstream gives both one directory.
    const cause = `"${known.outerNames[0]}" of this pod has its place, "${known.targetPath}"`;
    throw unresolved(added.outerNames[0] ?? '', cause, 'AlreadyExists');
  }
  const isWritable = 'readOnly' in known.mount && !known.mount.readOnly;
  return { ...(isWritable ? known : added), outerNames: [...known.outerNames, ...added.outerNames] };
}

function writable(mount: PodMount): PodMount {
  return 'readOnly' in mount ? { ...mount, readOnly: false } : mount;
}

function subjectOf(spec: VolumeSpec, pod: PodReference): string {
  if (spec.kind === 'inline') return `pod ${pod.namespace}/${pod.name}`;
  const claim = spec.volume.spec.claimRef;
  return claim === undefined ? spec.volume.metadata.name : `claim ${claim.namespace}/${claim.name}`;
}

function sourceOf(spec: VolumeSpec): string {
  const entries = Object.keys(spec.kind === 'inline' ? spec.volume : spec.volume.spec);
  const plain = new Set(['name', 'capacity', 'accessModes', 'claimRef', 'volumeMode', 'storageClassName']);
  const source = entries.find((key) => !plain.has(key) && key !== 'mountOptions' && !key.startsWith('persistent'));
  const driver = spec.kind === 'inline' ? spec.volume.csi?.driver : spec.volume.spec.csi?.driver;
  return driver === undefined ? `source "${source ?? 'unknown'}"` : `CSI driver "${driver}"`;
}

function unresolved(volume: string, cause: string, code: StorageError['code'] = 'FailedPrecondition'): StorageError {
  return new StorageError(`Cannot resolve volume "${volume}": ${cause}`, { code, operation: 'resolve' });
}

function reasonOf(error: StorageError): PodVolumeError['reason'] {
  return error.code === 'Unavailable' ? 'ClaimNotBound' : 'VolumeNotResolved';
}
