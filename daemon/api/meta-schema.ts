import { annotations, dnsLabel, dnsSubdomain, labels } from './field-schemas.ts';
import type { DeclaredMeta } from './meta.ts';
import { fields, mapped, optional, type Schema } from './schema.ts';
import { annotations as annotationNames, controllerAnnotations } from './well-known.ts';

/** Legal in `kubectl get -o yaml` and owned by the server: accepted and dropped. */
const serverOwned: readonly string[] = [
  'generateName',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'ownerReferences',
  'finalizers',
  'managedFields',
];

/**
 * What controllers, ours or those of the cluster that a file was exported from, noted about an object. Believed in a
 * file, `bind-completed` would make a claim Lost at once, and `provisioned-by` would let us delete what we did not make.
 */
const droppedAnnotations: ReadonlySet<string> = new Set([
  ...controllerAnnotations,
  annotationNames.manifest,
  'volume.kubernetes.io/storage-resizer',
  'volume.kubernetes.io/provisioner-deletion-secret-name',
  'volume.kubernetes.io/provisioner-deletion-secret-namespace',
  'kubectl.kubernetes.io/last-applied-configuration',
]);

const declared = { name: dnsSubdomain, labels: optional(labels), annotations: optional(annotations) };

/** metadata of a Pod or a claim; without a namespace it is in "default". */
export const namespacedMeta: Schema<DeclaredMeta> = mapped(
  fields({ ...declared, namespace: optional(dnsLabel) }, serverOwned),
  (meta) => declaredMeta(meta, meta.namespace ?? 'default'),
);

/** metadata of a volume or a class; a namespace is dropped, as the API server does. */
export const clusterMeta: Schema<DeclaredMeta> = mapped(fields(declared, ['namespace', ...serverOwned]), (meta) =>
  declaredMeta(meta, ''),
);

function declaredMeta(meta: Omit<DeclaredMeta, 'namespace'>, namespace: string): DeclaredMeta {
  return {
    name: meta.name,
    namespace,
    ...(meta.labels === undefined ? {} : { labels: meta.labels }),
    ...(meta.annotations === undefined ? {} : { annotations: withoutControllerAnnotations(meta.annotations) }),
  };
}

function withoutControllerAnnotations(given: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(given).filter(([key]) => !droppedAnnotations.has(key)));
}
