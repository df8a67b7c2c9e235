/** Snapshots, their classes and contents, and claims made of them, as a user would write them. */
import { claim } from './manifests.ts';

const apiVersion = 'apiVersion: snapshot.storage.k8s.io/v1';

export function snapshotClass(name: string, lines: readonly string[] = ['deletionPolicy: Delete']): string {
  const head = [apiVersion, 'kind: VolumeSnapshotClass', `metadata: { name: ${name} }`, 'driver: loop.moored.dev'];
  return [...head, ...lines].join('\n');
}

export function snapshot(name: string, claimName = 'data', className = 'nightly'): string {
  return [
    ...[apiVersion, 'kind: VolumeSnapshot', `metadata: { name: ${name} }`, 'spec:'],
    ...(className === '' ? [] : [`  volumeSnapshotClassName: ${className}`]),
    `  source: { persistentVolumeClaimName: ${claimName} }`,
  ].join('\n');
}

export function snapshotOfContent(name: string, contentName: string): string {
  const spec = `spec: { source: { volumeSnapshotContentName: ${contentName} } }`;
  return [apiVersion, 'kind: VolumeSnapshot', `metadata: { name: ${name} }`, spec].join('\n');
}

export function snapshotContent(name: string, snapshotName: string, handle: string, policy = 'Retain'): string {
  return [
    ...[apiVersion, 'kind: VolumeSnapshotContent', `metadata: { name: ${name} }`, 'spec:'],
    `  volumeSnapshotRef: { namespace: default, name: ${snapshotName} }`,
    `  deletionPolicy: ${policy}`,
    '  driver: loop.moored.dev',
    `  source: { snapshotHandle: ${handle} }`,
  ].join('\n');
}

/** A claim whose volume is a copy of a snapshot, or of another claim's volume. */
export function claimFrom(
  name: string,
  source: { readonly snapshot: string } | { readonly claim: string },
  options: Parameters<typeof claim>[1] = {},
): string {
  const dataSource =
    'snapshot' in source
      ? `{ apiGroup: snapshot.storage.k8s.io, kind: VolumeSnapshot, name: ${source.snapshot} }`
      : `{ kind: PersistentVolumeClaim, name: ${source.claim} }`;
  return `${claim(name, options)}\n  dataSource: ${dataSource}`;
}
