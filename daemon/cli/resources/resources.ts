import { type ResourceKind, resourceKinds } from '../../control/protocol.ts';
import { UsageError } from '../exit-code.ts';
import { nodes } from './node-resource.ts';
import { persistentVolumeClaims, persistentVolumes, pods, storageClasses } from './object-resources.ts';
import { events, manifests, operations } from './record-resources.ts';
import type { Resources } from './resource.ts';
import { volumeSnapshotClasses, volumeSnapshotContents, volumeSnapshots } from './snapshot-resources.ts';
import { statefulSets } from './stateful-set-resource.ts';
import { trash } from './trash-resource.ts';
import { asw, dsw, volumes } from './world-resources.ts';

export const resources: Resources = {
  pods,
  statefulsets: statefulSets,
  persistentvolumeclaims: persistentVolumeClaims,
  persistentvolumes: persistentVolumes,
  storageclasses: storageClasses,
  volumesnapshots: volumeSnapshots,
  volumesnapshotclasses: volumeSnapshotClasses,
  volumesnapshotcontents: volumeSnapshotContents,
  nodes,
  volumes,
  dsw,
  asw,
  operations,
  events,
  manifests,
  trash,
};

/** The kind that a word of the command line means, as kubectl: short, singular or plural, in any case. */
export function findKind(word: string): ResourceKind | undefined {
  const wanted = word.toLowerCase();
  return resourceKinds.find((kind) => resources[kind].aliases.includes(wanted));
}

export function parseKind(word: string): ResourceKind {
  const kind = findKind(word);
  if (kind === undefined) throw new UsageError(`Cannot use the kind "${word}": unknown, known are ${knownKinds()}`);
  return kind;
}

/** "pods (po), …": each plural with its shortest name. */
export function knownKinds(): string {
  return resourceKinds.map((kind) => withShortName(kind, resources[kind].aliases[0] ?? kind)).join(', ');
}

function withShortName(kind: string, shortName: string): string {
  return shortName === kind ? kind : `${kind} (${shortName})`;
}
