/** An object as a manifest for another cluster: what a user declares, and nothing that a server or moored added. Pure. */

interface ExportOptions {
  /** It was asked for by name: owned and provisioned objects too. */
  readonly isNamed: boolean;
  readonly withVolumes: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

/** Annotations of controllers, ours and upstream's: believed elsewhere, they would make a claim Lost. */
const controllers = [
  /^pv\.kubernetes\.io\//,
  /^volume\.(beta\.)?kubernetes\.io\/(storage-provisioner|selected-node|storage-resizer)$/,
  /^volume\.alpha\.kubernetes\.io\/pre-resize-capacity$/,
  /^moored\.dev\//,
];

/** Undefined for what the other cluster makes by itself. */
export function exportedObject(object: object, options: ExportOptions): object | undefined {
  const { apiVersion, kind, metadata, spec, status: _, ...rest } = object as Fields;
  const meta = fieldsOf(metadata);
  const isOwned = Array.isArray(meta['ownerReferences']) && meta['ownerReferences'].length > 0;
  const isProvisioned = 'pv.kubernetes.io/provisioned-by' in fieldsOf(meta['annotations']);
  if (!options.isNamed && (isOwned || (isProvisioned && !options.withVolumes))) return undefined;
  const declared = spec === undefined ? {} : { spec: exportedSpec(kind, fieldsOf(spec), meta, options) };
  return { apiVersion, kind, metadata: exportedMetadata(meta), ...rest, ...declared };
}

function exportedMetadata({ name, namespace, labels, annotations }: Fields): object {
  const kept = Object.entries(fieldsOf(annotations)).filter(([key]) => !controllers.some((own) => own.test(key)));
  return {
    name,
    ...(namespace === '' ? {} : { namespace }),
    ...(labels === undefined ? {} : { labels }),
    ...(kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) }),
  };
}

function exportedSpec(kind: unknown, spec: Fields, meta: Fields, { withVolumes }: ExportOptions): object {
  if (kind === 'PersistentVolume') return exportedVolume(spec, meta);
  if (kind !== 'PersistentVolumeClaim') return spec;
  const { volumeName, ...claim } = spec;
  const notes = fieldsOf(meta['annotations']);
  const isControllers = notes['pv.kubernetes.io/bound-by-controller'] !== undefined;
  return volumeName === undefined || (isControllers && !withVolumes) ? claim : { ...claim, volumeName };
}

/** The claim by name alone: its uid is of this store. What was provisioned here must not be deleted there. */
function exportedVolume({ claimRef, ...spec }: Fields, meta: Fields): object {
  const notes = fieldsOf(meta['annotations']);
  const isProvisioned = notes['pv.kubernetes.io/provisioned-by'] !== undefined;
  const isControllers = notes['pv.kubernetes.io/bound-by-controller'] !== undefined && !isProvisioned;
  const { namespace, name } = fieldsOf(claimRef);
  return {
    ...spec,
    ...(isProvisioned ? { persistentVolumeReclaimPolicy: 'Retain' } : {}),
    ...(claimRef === undefined || isControllers ? {} : { claimRef: { namespace, name } }),
  };
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
