/**
 * Whether this machine can be a pod's, with all of its claims, and which volumes they then get (scheduler plugins
 * volumebinding and volumerestrictions). There is one node to choose from; the words are upstream's all the same. Pure.
 */
import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { StoredPod } from '../api/pod.ts';
import { bytesOf, compareQuantities, parseQuantity } from '../api/quantity.ts';
import type { StoredStorageClass } from '../api/storage-class.ts';
import { annotations } from '../api/well-known.ts';
import { classOfClaim } from './claim-matching.ts';
import { matchesNode, matchesTopology } from './node-affinity.ts';
import { elsewhere, noNodeAvailable, placementConflict, placementRefusal, type Refusal } from './pod-placement.ts';
import { type ClaimsOfPod, claimsOfPod } from './scheduled-claims.ts';
import type { NodeFacts, Nodes } from './this-node.ts';
import type { VolumeRequest } from './volume-index.ts';

export interface SchedulingWorld {
  readonly nodes: Nodes;
  claim(namespace: string, name: string): StoredPersistentVolumeClaim | undefined;
  volume(name: string): StoredPersistentVolume | undefined;
  storageClass(name: string): StoredStorageClass | undefined;
  bestVolumeFor(request: VolumeRequest): StoredPersistentVolume | undefined;
  podsUsing(claim: { readonly namespace: string; readonly name: string }): readonly StoredPod[];
  /** Whether something of the pod is on this machine already. */
  isHere(podUid: string): boolean;
  /** Room for new volumes of a class that is provisioned here; undefined when that says nothing. */
  freeBytes(storageClass: StoredStorageClass): bigint | undefined;
}

export interface Binding {
  readonly claim: StoredPersistentVolumeClaim;
  readonly volume: StoredPersistentVolume;
}

export type Schedule =
  | {
      readonly kind: 'scheduled';
      /** Delayed claims and the volumes that they get. */
      readonly bindings: readonly Binding[];
      /** Delayed claims for which a volume is made on this node. */
      readonly provisions: readonly StoredPersistentVolumeClaim[];
    }
  | ({ readonly kind: 'refused'; readonly missesSpace: boolean } & Refusal)
  /** Something else must be done first that says itself what it waits for; the scheduler's words for it. */
  | { readonly kind: 'waits'; readonly message: string };

/** The four reasons of plugin volumebinding (binder.go) and the one of volumerestrictions. */
const conflicts = {
  bind: "node(s) didn't find available persistent volumes to bind",
  node: "node(s) didn't match PersistentVolume's node affinity",
  space: 'node(s) did not have enough free storage',
  noVolume: 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)',
  oncePod: 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode',
} as const;

export function schedulePod(pod: StoredPod, world: SchedulingWorld): Schedule {
  const { nodes } = world;
  const isHere = world.isHere(pod.metadata.uid);
  const refusal = placementRefusal(pod, nodes);
  if (refusal?.reason === 'OtherNode') return { kind: 'refused', missesSpace: false, ...refusal };
  const found = claimsOfPod(pod, world);
  if (found.kind === 'unready') return { kind: 'waits', message: `0/1 nodes are available: ${found.message}.` };
  const { claims } = found;
  const choice = chooseVolumes(claims, nodes.own, world);
  const own = [
    ...(refusal === undefined || isHere ? [] : optional(placementConflict(pod, nodes.own))),
    ...(isUsedByAnother(pod, claims, world) ? [conflicts.oncePod] : []),
    ...choice.conflicts,
  ];
  if (own.length === 0) return { kind: 'scheduled', bindings: choice.bindings, provisions: choice.provisions };
  const others = nodes.others.map((node) => conflictsOn(pod, claims, node, world));
  return {
    kind: 'refused',
    reason: 'FailedScheduling',
    message: noNodeAvailable([own, ...others]),
    missesSpace: own.includes(conflicts.space),
  };
}

/** Of a node that is not ours to give: as the scheduler would say it. */
function conflictsOn(pod: StoredPod, claims: ClaimsOfPod, node: NodeFacts, world: SchedulingWorld): readonly string[] {
  const placement = placementConflict(pod, node);
  if (placement !== undefined) return [placement];
  const { conflicts: found } = chooseVolumes(claims, node, world);
  return found.length > 0 ? found : [elsewhere];
}

interface Choice {
  readonly conflicts: readonly string[];
  readonly bindings: readonly Binding[];
  readonly provisions: readonly StoredPersistentVolumeClaim[];
}

/** All claims of a pod are decided together: none gets a volume when one of them gets none. */
function chooseVolumes({ bound, delayed }: ClaimsOfPod, node: NodeFacts, world: SchedulingWorld): Choice {
  const found = new Set<string>();
  for (const { volumeName } of bound) {
    const volume = world.volume(volumeName);
    if (volume === undefined) found.add(conflicts.noVolume);
    else if (!matchesNode(volume.spec.nodeAffinity?.required, node)) found.add(conflicts.node);
  }
  const bindings: Binding[] = [];
  const provisions: StoredPersistentVolumeClaim[] = [];
  const chosen = new Set<string>();
  // The small ones first, so that a large claim finds what they could not use.
  for (const claim of delayed.toSorted(byRequest)) {
    if (claim.metadata.annotations?.[annotations.selectedNode] === node.name) {
      provisions.push(claim);
      continue;
    }
    const accepts = ({ metadata, spec }: StoredPersistentVolume) =>
      !chosen.has(metadata.name) && matchesNode(spec.nodeAffinity?.required, node);
    const volume = world.bestVolumeFor({ claim, onlyReserved: false, accepts });
    if (volume !== undefined) {
      chosen.add(volume.metadata.name);
      bindings.push({ claim, volume });
      continue;
    }
    const conflict = provisioningConflict(claim, node, world);
    if (conflict === undefined) provisions.push(claim);
    else found.add(conflict);
  }
  return { conflicts: [...found], bindings, provisions };
}

/** Why no volume can be made for the claim on this node (checkVolumeProvisions, hasEnoughCapacity). */
function provisioningConflict(
  claim: StoredPersistentVolumeClaim,
  node: NodeFacts,
  world: SchedulingWorld,
): string | undefined {
  const storageClass = world.storageClass(classOfClaim(claim) ?? '');
  if (storageClass === undefined) return conflicts.bind;
  const { provisioner, allowedTopologies } = storageClass.spec;
  if (provisioner === '' || provisioner === 'kubernetes.io/no-provisioner') return conflicts.bind;
  if (!matchesTopology(allowedTopologies, node.labels)) return conflicts.bind;
  const free = node.name === world.nodes.own.name ? world.freeBytes(storageClass) : undefined;
  const request = bytesOf(parseQuantity(claim.spec.resources.requests.storage));
  return free === undefined || request <= free ? undefined : conflicts.space;
}

function isUsedByAnother(pod: StoredPod, { all }: ClaimsOfPod, world: SchedulingWorld): boolean {
  return all.some(
    ({ metadata, spec }) =>
      spec.accessModes.includes('ReadWriteOncePod') &&
      world.podsUsing(metadata).some(({ metadata: { uid } }) => uid !== pod.metadata.uid && world.isHere(uid)) &&
      !world.isHere(pod.metadata.uid),
  );
}

function byRequest(a: StoredPersistentVolumeClaim, b: StoredPersistentVolumeClaim): number {
  const [first, second] = [a, b].map(({ spec }) => parseQuantity(spec.resources.requests.storage));
  return first === undefined || second === undefined ? 0 : compareQuantities(first, second);
}

function optional<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}
