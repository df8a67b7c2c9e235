import type { Kind, ObjectMeta, OwnerReference } from './meta.ts';

interface Owner {
  readonly apiVersion: string;
  readonly kind: Kind;
  readonly metadata: ObjectMeta;
}

/** A reference by which the owner manages the object (metav1.NewControllerRef). */
export function controllerReference(owner: Owner): OwnerReference {
  return { ...ownerReference(owner), controller: true, blockOwnerDeletion: true };
}

/** A reference by which the object goes with the owner, and nothing else. */
export function ownerReference({ apiVersion, kind, metadata: { name, uid } }: Owner): OwnerReference {
  return { apiVersion, kind, name, uid };
}

export function isOwnedBy({ ownerReferences = [] }: ObjectMeta, uid: string): boolean {
  return ownerReferences.some((reference) => reference.uid === uid);
}

export function controllerOf({ ownerReferences = [] }: ObjectMeta): OwnerReference | undefined {
  return ownerReferences.find(({ controller }) => controller === true);
}
