import type { DataSource, PersistentVolumeClaimSpec } from './persistent-volume-claim.ts';

/** dataSourceRef wins; where both are given the schema holds them equal. */
export function dataSourceOf(spec: PersistentVolumeClaimSpec): DataSource | undefined {
  return spec.dataSourceRef ?? spec.dataSource;
}

export function isSnapshotSource({ apiGroup, kind }: DataSource): boolean {
  return apiGroup === 'snapshot.storage.k8s.io' && kind === 'VolumeSnapshot';
}

export function isClaimSource({ apiGroup = '', kind }: DataSource): boolean {
  return apiGroup === '' && kind === 'PersistentVolumeClaim';
}
