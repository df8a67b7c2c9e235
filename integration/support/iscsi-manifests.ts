/** Manifests of iSCSI volumes, as a user would write them. */
import { claim, documents } from './manifests.ts';

export interface IscsiVolume {
  readonly iqn: string;
  readonly lun: number;
  readonly targetPortal?: string;
  /** More fields of spec.iscsi, in YAML flow style: "fsType: xfs, readOnly: true". */
  readonly more?: string;
  readonly mode?: 'Filesystem' | 'Block';
  readonly wwid?: string;
}

/** `iscsi: { … }`, for spec of a PersistentVolume and for a volume of a pod. */
export function iscsiSource({ iqn, lun, targetPortal = '127.0.0.1', more }: IscsiVolume): string {
  const extra = more === undefined ? '' : `, ${more}`;
  return `iscsi: { targetPortal: "${targetPortal}", iqn: "${iqn}", lun: ${lun}${extra} }`;
}

/** A volume, and a claim of the same name that is bound to it. */
export function iscsiClaim(name: string, volume: IscsiVolume): string {
  const { mode = 'Filesystem', wwid } = volume;
  const annotations = wwid === undefined ? '' : `, annotations: { moored.dev/wwid: "${wwid}" }`;
  const persistentVolume = [
    'apiVersion: v1',
    'kind: PersistentVolume',
    `metadata: { name: ${name}${annotations} }`,
    'spec:',
    '  capacity: { storage: 64Mi }',
    '  accessModes: [ReadWriteOnce]',
    `  volumeMode: ${mode}`,
    `  claimRef: { namespace: default, name: ${name} }`,
    `  ${iscsiSource(volume)}`,
  ].join('\n');
  return documents(persistentVolume, claim(name, { storageClass: '', volumeName: name, mode }));
}

export function chapSecret(name: string, values: Readonly<Record<string, string>>): string {
  const lines = Object.entries(values).map(([key, value]) => `  ${key}: "${value}"`);
  const head = ['apiVersion: v1', 'kind: Secret', `metadata: { name: ${name} }`, 'type: kubernetes.io/iscsi-chap'];
  return [...head, 'stringData:', ...lines].join('\n');
}
