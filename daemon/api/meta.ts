/** What every object carries, as in Kubernetes' ObjectMeta (k8s.io/apimachinery/pkg/apis/meta/v1). */

/** The kinds that moored manages. Anything else found in a manifest is listed as Ignored. */
export const kinds = [
  'Node',
  'StorageClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'StatefulSet',
  'Pod',
  'VolumeSnapshotClass',
  'VolumeSnapshot',
  'VolumeSnapshotContent',
] as const;
export type Kind = (typeof kinds)[number];

/** Metadata as a user may declare it. Cluster-scoped objects have the namespace ''. */
export interface DeclaredMeta {
  readonly name: string;
  readonly namespace: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Who an object belongs to, as in Kubernetes' ObjectMeta: it goes when none of its owners is there any more. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  /** The one owner that manages the object. */
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** Metadata of an object in the store; the daemon owns all that DeclaredMeta lacks. */
export interface ObjectMeta extends DeclaredMeta {
  readonly uid: string;
  /** Compare-and-set token: the store's counter at the last write of this object. */
  readonly resourceVersion: string;
  /** Rises by one whenever the accepted spec changes. */
  readonly generation: number;
  /** RFC 3339, UTC. */
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
}

export interface TypedObject<K extends Kind, Spec> {
  readonly apiVersion: string;
  readonly kind: K;
  readonly metadata: DeclaredMeta;
  readonly spec: Spec;
}

/** "Kind/namespace/name", or "Kind/name" for a cluster-scoped object: unique in a store. */
export type ObjectKey = string & { readonly __brand: 'ObjectKey' };

export function objectKey(kind: Kind, namespace: string, name: string): ObjectKey {
  return (namespace === '' ? `${kind}/${name}` : `${kind}/${namespace}/${name}`) as ObjectKey;
}

export function keyOf(object: { readonly kind: Kind; readonly metadata: DeclaredMeta }): ObjectKey {
  return objectKey(object.kind, object.metadata.namespace, object.metadata.name);
}
