/** Every rule by which a volume is not a claim's, for whoever asks why a claim waits. Pure. */
import { selects } from '../api/label-selection.ts';
import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import { compareQuantities, parseQuantity } from '../api/quantity.ts';
import { attributesClassOf, classOfClaim, classOfVolume, isClaimedBy, modeOf } from './claim-matching.ts';
import { matchesNode, type NamedLabels } from './node-affinity.ts';

export interface Exclusion {
  /** The field that decides, as it is called in the manifest. */
  readonly rule: string;
  readonly detail: string;
}

type Rule = (
  claim: StoredPersistentVolumeClaim,
  volume: StoredPersistentVolume,
  node: NamedLabels,
) => string | undefined | false;

/** In the order of what weighs most: the first tells most about the volume. */
const rules: Readonly<Record<string, Rule>> = {
  deletionTimestamp: (_claim, { metadata }) => metadata.deletionTimestamp !== undefined && 'it is being deleted',
  claimRef: (claim, volume) => {
    const { claimRef } = volume.spec;
    if (claimRef === undefined || isClaimedBy(volume, claim)) return undefined;
    const isSameName = claimRef.namespace === claim.metadata.namespace && claimRef.name === claim.metadata.name;
    const which = isSameName ? ' of another uid, an earlier one of this name' : '';
    return `it is bound to claim ${claimRef.namespace}/${claimRef.name}${which}`;
  },
  phase: (_claim, { spec, status }) =>
    spec.claimRef === undefined && status?.phase !== 'Available' && `its phase is ${status?.phase ?? 'Pending'}`,
  storageClassName: (claim, volume) =>
    classOfVolume(volume) !== (classOfClaim(claim) ?? '') &&
    `class is "${classOfVolume(volume)}", wanted "${classOfClaim(claim) ?? ''}"`,
  volumeMode: (claim, volume) =>
    modeOf(volume) !== modeOf(claim) && `volumeMode is ${modeOf(volume)}, wanted ${modeOf(claim)}`,
  capacity: ({ spec }, volume) => {
    const [capacity, request] = [volume.spec.capacity.storage, spec.resources.requests.storage];
    const isSmall = compareQuantities(parseQuantity(capacity), parseQuantity(request)) < 0;
    return isSmall && `capacity ${capacity} is less than ${request}`;
  },
  accessModes: ({ spec }, volume) => {
    const missing = spec.accessModes.filter((mode) => !volume.spec.accessModes.includes(mode));
    return missing.length > 0 && `accessModes lack ${missing.join(', ')}`;
  },
  volumeAttributesClassName: (claim, volume) =>
    attributesClassOf(volume) !== attributesClassOf(claim) &&
    `volumeAttributesClassName is "${attributesClassOf(volume)}", wanted "${attributesClassOf(claim)}"`,
  selector: ({ spec }, { metadata }) =>
    spec.volumeName === undefined && !selects(spec.selector, metadata.labels) && 'labels do not match the selector',
  volumeName: ({ spec }, { metadata }) =>
    spec.volumeName !== undefined && spec.volumeName !== metadata.name && `the claim names volume "${spec.volumeName}"`,
  nodeAffinity: (_claim, { spec }, node) =>
    !matchesNode(spec.nodeAffinity?.required, node) && `nodeAffinity does not match node "${node.name}"`,
};

/** Reserved for the claim, a volume is not asked for its class and labels. */
const notOfReserved = new Set(['storageClassName', 'selector', 'phase']);

export function exclusionsOf(
  claim: StoredPersistentVolumeClaim,
  volume: StoredPersistentVolume,
  node: NamedLabels,
): readonly Exclusion[] {
  const isReserved = volume.spec.claimRef !== undefined && isClaimedBy(volume, claim);
  return Object.entries(rules).flatMap(([rule, applies]) => {
    if (isReserved && notOfReserved.has(rule)) return [];
    const detail = applies(claim, volume, node);
    return typeof detail === 'string' ? [{ rule, detail }] : [];
  });
}
