/** Objects of the store back into words: what always counts, and what the expectation mentions. */
import type { StoredObject } from '../../daemon/api/object.ts';
import type { StoredPersistentVolume } from '../../daemon/api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../../daemon/api/persistent-volume-claim.ts';
import type { StoredPod } from '../../daemon/api/pod.ts';
import { annotations } from '../../daemon/api/well-known.ts';
import { refuseOtherWords, type Words } from './case-format.ts';
import { claimWords, podWords, volumeWords } from './case-objects.ts';
import { marks } from './object-words.ts';

/** @param mentioned the words of the expectation: these are answered too */
export function volumeInWords(volume: StoredPersistentVolume, mentioned: Words | undefined): Words {
  const { metadata, spec, status } = volume;
  const reference = spec.claimRef;
  const claim = reference && [reference.name, reference.uid].filter((part) => part !== undefined).join('/');
  const { csi: _csi, ...rest } = spec;
  const all = {
    ...metaInWords(volume),
    capacity: spec.capacity.storage,
    class: spec.storageClassName,
    policy: spec.persistentVolumeReclaimPolicy,
    reason: status?.reason,
    message: status?.message,
    provisionedBy: metadata.annotations?.[annotations.provisionedBy],
    spec: rest,
  };
  const always = { phase: status?.phase, claim, marks: marksOf(volume, ['bbc']) };
  return inWords({ all, always, mentioned, known: volumeWords });
}

export function claimInWords(claim: StoredPersistentVolumeClaim, mentioned: Words | undefined): Words {
  const { metadata, spec, status } = claim;
  const { [annotations.storageProvisioner]: provisioner, [annotations.betaStorageProvisioner]: beta } =
    metadata.annotations ?? {};
  const all = {
    ...metaInWords(claim),
    class: spec.storageClassName,
    capacity: status?.capacity?.storage,
    modes: status?.accessModes,
    provisioner: provisioner === beta ? provisioner : `${provisioner} ${beta}`,
    attributesClass: status?.currentVolumeAttributesClassName,
    spec,
  };
  const always = { phase: status?.phase, volume: spec.volumeName, marks: marksOf(claim, ['bbc', 'bc']) };
  return inWords({ all, always, mentioned, known: claimWords });
}

export function metaInWords({ metadata }: StoredObject) {
  return {
    name: metadata.name,
    uid: metadata.uid,
    finalizers: metadata.finalizers,
    deleting: metadata.deletionTimestamp !== undefined,
    annotations: metadata.annotations,
    labels: metadata.labels,
    owners: (metadata.ownerReferences ?? []).map(({ kind, name }) => `${kind}/${name}`),
  };
}

export function podInWords(pod: StoredPod, mentioned: Words | undefined): Words {
  const { deleting, ...all } = metaInWords(pod);
  return inWords({ all: { ...all, deleting }, always: deleting ? { deleting } : {}, mentioned, known: podWords });
}

interface Answer {
  readonly all: Readonly<Record<string, unknown>> & { readonly name: string };
  readonly always: Readonly<Record<string, unknown>>;
  readonly mentioned: Words | undefined;
  readonly known: readonly string[];
}

export function inWords({ all, always, mentioned = { name: '' }, known }: Answer): Words {
  refuseOtherWords(mentioned, known, mentioned.name);
  const asked = Object.keys(mentioned).filter((word) => !(word in always));
  const answers = Object.entries({ ...Object.fromEntries(asked.map((word) => [word, all[word]])), ...always });
  return { ...Object.fromEntries(answers.filter(([, value]) => value !== undefined)), name: all.name };
}

function marksOf({ metadata }: StoredObject, names: readonly string[]): readonly string[] | undefined {
  const has = names.filter((name) =>
    Object.entries(marks[name] ?? {}).every(([key, value]) => metadata.annotations?.[key] === value),
  );
  return has.length === 0 ? undefined : has;
}
