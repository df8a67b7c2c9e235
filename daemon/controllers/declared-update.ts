/** An edited manifest meets the object it declared before: what may change, and what is the controllers' own. Pure. */
import type { DeclaredObject, StoredObject } from '../api/object.ts';
import type { ClaimReference, PersistentVolumeSpec } from '../api/persistent-volume.ts';
import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  StoredPersistentVolumeClaim,
} from '../api/persistent-volume-claim.ts';
import type { Pod } from '../api/pod.ts';
import { compareQuantities, parseQuantity } from '../api/quantity.ts';
import { sameValue } from '../api/same-value.ts';
import type { StorageClassSpec } from '../api/storage-class.ts';
import type { VolumeSnapshotContentSpec } from '../api/volume-snapshot-content.ts';
import { annotations, controllerAnnotations } from '../api/well-known.ts';
import { statefulSetChange } from './template-update.ts';

/** The object with the new declaration in it; undefined when nothing differs. */
export function applyDeclared(current: StoredObject, declared: DeclaredObject, file: string): StoredObject | undefined {
  const kept = Object.entries(current.metadata.annotations ?? {}).filter(([key]) => controllerAnnotations.has(key));
  const { labels, annotations: declaredAnnotations } = declared.metadata;
  const { labels: _labels, annotations: _annotations, ...metadata } = current.metadata;
  const spec = specOf(current, declared);
  const isSpecChanged = !sameValue(spec, current.spec);
  const next = {
    ...current,
    apiVersion: declared.apiVersion,
    metadata: {
      ...metadata,
      ...(labels === undefined ? {} : { labels }),
      annotations: { ...declaredAnnotations, ...Object.fromEntries(kept), [annotations.manifest]: file },
      generation: metadata.generation + (isSpecChanged ? 1 : 0),
    },
    spec,
    ...podStatus(declared),
  } as StoredObject;
  return sameValue(next, current) ? undefined : next;
}

/** Of what a user says of status only a pod's phase counts: it is how a pod without containers says that it has ended. */
function podStatus(declared: DeclaredObject): { readonly status?: Pod['status'] | undefined } {
  // Without a status the pod is as good as new: one that had ended begins again.
  return declared.kind === 'Pod' ? { status: declared.status } : {};
}

/** The declared spec with the fields that binding wrote into it. */
function specOf(current: StoredObject, declared: DeclaredObject): DeclaredObject['spec'] {
  if (declared.kind === 'PersistentVolumeClaim' && current.kind === 'PersistentVolumeClaim') {
    const { volumeName, storageClassName } = current.spec;
    return {
      ...(storageClassName === undefined ? {} : { storageClassName }),
      ...(volumeName === undefined ? {} : { volumeName }),
      ...declared.spec,
    };
  }
  if (declared.kind === 'PersistentVolume' && current.kind === 'PersistentVolume') {
    const claimRef = claimRefOf(current.spec.claimRef, declared.spec, isBoundByController(current));
    return claimRef === undefined ? declared.spec : { ...declared.spec, claimRef };
  }
  if (declared.kind === 'VolumeSnapshot' && current.kind === 'VolumeSnapshot') {
    const { volumeSnapshotClassName } = current.spec;
    return { ...(volumeSnapshotClassName === undefined ? {} : { volumeSnapshotClassName }), ...declared.spec };
  }
  if (declared.kind === 'VolumeSnapshotContent' && current.kind === 'VolumeSnapshotContent') {
    return { ...declared.spec, volumeSnapshotRef: current.spec.volumeSnapshotRef };
  }
  return declared.spec;
}

/** A reservation written by the user keeps the uid that binding gave it; one that binding made stays as it is. */
function claimRefOf(
  current: ClaimReference | undefined,
  declared: PersistentVolumeSpec,
  isControllers: boolean,
): ClaimReference | undefined {
  const wanted = declared.claimRef;
  if (wanted === undefined) return isControllers ? current : undefined;
  const isSame = current?.namespace === wanted.namespace && current.name === wanted.name;
  return isSame ? current : wanted;
}

function isBoundByController(object: StoredObject): boolean {
  return object.metadata.annotations?.[annotations.boundByController] !== undefined;
}

/** Why the change is refused (the old declaration stays in force), or undefined. Upstream: validation of updates. */
export function forbiddenChange(current: StoredObject, declared: DeclaredObject): string | undefined {
  switch (declared.kind) {
    case 'StorageClass':
      return current.kind === 'StorageClass' ? classChange(current.spec, declared.spec) : undefined;
    case 'PersistentVolume':
      return current.kind === 'PersistentVolume' ? volumeChange(current.spec, declared.spec) : undefined;
    case 'PersistentVolumeClaim':
      return current.kind === 'PersistentVolumeClaim' ? claimChange(current, declared) : undefined;
    case 'VolumeSnapshotClass':
      return changed(['driver', 'deletionPolicy', 'parameters'], current.spec, declared.spec);
    case 'VolumeSnapshot':
      return (
        changed(['source'], current.spec, declared.spec) ?? changedOnce(current.spec, declared.spec, [snapshotClass])
      );
    case 'VolumeSnapshotContent':
      return current.kind === 'VolumeSnapshotContent' ? contentChange(current.spec, declared.spec) : undefined;
    case 'StatefulSet':
      return current.kind === 'StatefulSet' ? statefulSetChange(current.spec, declared.spec) : undefined;
    case 'Node':
    case 'Pod':
      return undefined;
  }
}

function classChange(current: StorageClassSpec, declared: StorageClassSpec): string | undefined {
  const fixed = ['provisioner', 'parameters', 'reclaimPolicy', 'volumeBindingMode'] as const;
  return changed(fixed, current, declared);
}

function volumeChange(current: PersistentVolumeSpec, declared: PersistentVolumeSpec): string | undefined {
  // Which nodes reach a volume may be said later, and then it is so (ValidatePersistentVolumeUpdate).
  const once = current.nodeAffinity === undefined ? ['nodeAffinity'] : [];
  const mutable = new Set(['capacity', 'accessModes', 'claimRef', 'storageClassName', 'mountOptions', ...once]);
  const keys = new Set([...Object.keys(current), ...Object.keys(declared)]);
  const fixed = [...keys].filter((key) => !mutable.has(key) && key !== 'persistentVolumeReclaimPolicy');
  return changed(fixed, current, declared);
}

const snapshotClass = 'volumeSnapshotClassName';

/** The policy may change: that is how a snapshot is kept. The uid of the reference is binding's. */
function contentChange(current: VolumeSnapshotContentSpec, declared: VolumeSnapshotContentSpec): string | undefined {
  const { uid: _uid, ...reference } = current.volumeSnapshotRef;
  const named = { ...current, volumeSnapshotRef: reference };
  return changed(['volumeSnapshotRef', 'driver', 'source', 'sourceVolumeMode', snapshotClass], named, declared);
}

/** Upstream lets a bound claim have another attributes class; here no driver could follow it. */
const fixedOfClaim = [
  ...['accessModes', 'volumeMode', 'selector', 'dataSource', 'dataSourceRef'],
  'volumeAttributesClassName',
];

function claimChange(claim: StoredPersistentVolumeClaim, declared: PersistentVolumeClaim): string | undefined {
  const { spec, metadata } = claim;
  const size = sizeChange(claim, declared.spec);
  if (size !== undefined) return size;
  return (
    changedOnce(spec, declared.spec, ['volumeName', 'storageClassName']) ??
    changed(fixedOfClaim, spec, declared.spec) ??
    changed([annotations.betaStorageClass], metadata.annotations ?? {}, declared.metadata.annotations ?? {})
  );
}

/** What may be given later, but not changed. */
function changedOnce(current: object, declared: object, keys: readonly string[]): string | undefined {
  const valueOf = (spec: object, key: string): unknown => Reflect.get(spec, key);
  const once = keys.find((key) => {
    const [before, wanted] = [valueOf(current, key), valueOf(declared, key)];
    return before !== undefined && wanted !== undefined && before !== wanted;
  });
  return once === undefined ? undefined : immutable(once);
}

/**
 * A bound claim may ask for more; whether it gets more is its class's to say. It may take a growth back that has not
 * come about, down to what it has; upstream wants a little more than that (ValidatePersistentVolumeClaimUpdate), which
 * would refuse a manifest that is simply put back.
 */
function sizeChange({ spec, status }: StoredPersistentVolumeClaim, { resources }: PersistentVolumeClaimSpec) {
  if (!sameValue(spec.resources.limits, resources.limits)) return immutable('resources.limits');
  const [before, wanted] = [spec, { resources }].map((one) => parseQuantity(one.resources.requests.storage));
  if (before === undefined || wanted === undefined) return undefined;
  const order = compareQuantities(wanted, before);
  if (order === 0) return undefined;
  if (status?.phase !== 'Bound') {
    return 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
  }
  const capacity = parseQuantity(status.capacity?.storage ?? spec.resources.requests.storage);
  if (order > 0 || compareQuantities(wanted, capacity) >= 0) return undefined;
  return 'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity';
}

function changed(keys: readonly string[], current: object, declared: object): string | undefined {
  const field = keys.find((key) => !sameValue(Reflect.get(current, key), Reflect.get(declared, key)));
  return field === undefined ? undefined : immutable(field);
}

function immutable(field: string): string {
  return `field is immutable: "${field}" cannot be changed, the declaration accepted before stays in force`;
}
