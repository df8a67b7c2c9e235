/** The objects that histories declare: few, so that they meet, and of every kind of volume. */
import type { FakeLun } from '../../daemon/ports/testing/fake-iscsi-initiator.ts';
import { iscsiSource } from '../support/iscsi-manifests.ts';
import { claim, claimVolume, documents, pod, storageClass } from '../support/manifests.ts';

export type Declaration =
  | { readonly kind: 'claim'; readonly index: number }
  | { readonly kind: 'pod'; readonly index: number; readonly variant: number };

/** What the storage network of the model has: a target with two LUNs behind two portals, and a file server. */
export const network = {
  iqn: 'iqn.2024-01.org.example:disks',
  portals: ['192.0.2.1:3260', '192.0.2.2:3260'],
  luns: { 'lun-a': 1, 'lun-b': 2 },
  server: 'filer.example.org',
} as const;

/** One that is blank, one with a filesystem and data on it. */
export const initialLuns: Readonly<Record<number, FakeLun>> = {
  [network.luns['lun-a']]: { wwid: 'naa.a', content: 'zeros' },
  [network.luns['lun-b']]: { wwid: 'naa.b', content: 'ext4', data: 'brought' },
};

interface ClaimForm {
  readonly name: string;
  readonly text: string;
}

/** Images that users brought: one with a filesystem and data on it, one blank. */
export const broughtImages = ['full', 'blank'] as const;

/** Is bound when its pod can be scheduled, and that waits for all claims of the pod (volumebinding.go, FindPodVolumes). */
export const delayedClaim = 'late';

const claims: readonly ClaimForm[] = [
  { name: 'kept', text: claim('kept', { storageClass: 'fast' }) },
  { name: 'temporary', text: claim('temporary', { storageClass: 'temp' }) },
  { name: 'late', text: claim('late', { storageClass: 'late' }) },
  { name: 'raw', text: claim('raw', { storageClass: 'fast', mode: 'Block' }) },
  ...broughtImages.map((name) => ({ name, text: claim(name, { storageClass: '', volumeName: name }) })),
];

/** Of volumes that are somewhere on the network. */
const networkClaims: readonly ClaimForm[] = [...Object.keys(network.luns), 'export'].map((name) => ({
  name,
  text: claim(name, { storageClass: '', volumeName: name }),
}));
const allClaims = [...claims, ...networkClaims];

interface PodForm {
  readonly volumes: Readonly<Record<string, string>>;
  readonly mode?: 'Block';
  readonly hasEnded?: true;
}

/** The least that mkfs.xfs takes is 300 MB. */
const inline = (fsType: 'ext4' | 'xfs'): string =>
  `csi: { driver: loop.moored.dev, volumeAttributes: { size: ${fsType === 'xfs' ? '320Mi' : '64Mi'}, fsType: ${fsType} } }`;

/** A volume's name says what it is of, so that a name that stays is a volume that stays. */
const variants: readonly PodForm[] = [
  { volumes: { kept: claimVolume('kept') } },
  { volumes: { 'kept-ro': claimVolume('kept', true) } },
  { volumes: { kept: claimVolume('kept'), dir: 'emptyDir: {}' } },
  { volumes: { inline: inline('ext4') } },
  { volumes: { 'inline-xfs': inline('xfs'), mem: 'emptyDir: { medium: Memory, sizeLimit: 1Mi }' } },
  { volumes: { temporary: claimVolume('temporary') } },
  { volumes: { late: claimVolume('late'), temporary: claimVolume('temporary') } },
  { volumes: { raw: claimVolume('raw') }, mode: 'Block' },
  { volumes: { full: claimVolume('full') } },
  { volumes: { full: claimVolume('full', true), blank: claimVolume('blank') } },
  { volumes: { dir: 'emptyDir: {}', mem: 'emptyDir: { medium: Memory }' } },
  { volumes: { kept: claimVolume('kept') }, hasEnded: true },
  // Given to a claim that nobody declares: a pod that had the volume before is no longer understood, and keeps it.
  { volumes: { kept: claimVolume('missing') } },
];

const share = (path: string, readOnly = false): string =>
  `nfs: { server: ${network.server}, path: ${path}, readOnly: ${readOnly} }`;

const networkVariants: readonly PodForm[] = [
  { volumes: { 'lun-a': claimVolume('lun-a') } },
  { volumes: { 'lun-a-ro': claimVolume('lun-a', true), 'lun-b': claimVolume('lun-b') } },
  { volumes: { 'lun-b': claimVolume('lun-b'), kept: claimVolume('kept') } },
  { volumes: { share: share('/share') } },
  { volumes: { 'share-ro': share('/share', true), export: claimVolume('export') } },
];
const allVariants = [...variants, ...networkVariants];

export const podCount = 5;

/** How many claims and forms of pods there are: on a machine by itself, or with a storage network too. */
export const counts = {
  local: { claims: claims.length, variants: variants.length },
  network: { claims: allClaims.length, variants: allVariants.length },
} as const;

export const keyOfDeclaration = (declaration: Declaration): string =>
  declaration.kind === 'claim'
    ? `PersistentVolumeClaim/default/${allClaims[declaration.index]?.name}`
    : `Pod/default/pod-${declaration.index}`;

export function textOf(declarations: readonly Declaration[]): string {
  return documents(
    ...declarations.map((declaration) => {
      if (declaration.kind === 'claim') return allClaims[declaration.index]?.text ?? '';
      const form = allVariants[declaration.variant];
      const text = pod(`pod-${declaration.index}`, form?.volumes ?? {}, form?.mode);
      return form?.hasEnded === true ? `${text}\nstatus: { phase: Succeeded }` : text;
    }),
  );
}

/** What is there from the beginning and stays: the classes, and the volumes that users brought. */
export function foundation(imageDirectory: string): string {
  return documents(
    storageClass('fast'),
    storageClass('temp', ['reclaimPolicy: Delete']),
    storageClass('late', ['volumeBindingMode: WaitForFirstConsumer']),
    ...broughtImages.map((name) =>
      staticVolume(name, [
        'csi:',
        '  driver: loop.moored.dev',
        `  volumeHandle: ${name}`,
        `  volumeAttributes: { path: ${imageDirectory}/${name}.img }`,
      ]),
    ),
  );
}

/** The volumes that are on the network. */
export function networkFoundation(): string {
  const [targetPortal, ...more] = network.portals;
  const portals = `portals: [${more.map((portal) => `"${portal}"`).join(', ')}]`;
  return documents(
    ...Object.entries(network.luns).map(([name, lun]) =>
      staticVolume(name, [iscsiSource({ iqn: network.iqn, lun, targetPortal, more: portals })]),
    ),
    staticVolume('export', [share('/export')]),
  );
}

/** A PersistentVolume for the claim of its name. */
function staticVolume(name: string, source: readonly string[]): string {
  return [
    'apiVersion: v1',
    'kind: PersistentVolume',
    `metadata: { name: ${name} }`,
    'spec:',
    '  capacity: { storage: 64Mi }',
    '  accessModes: [ReadWriteOnce]',
    '  storageClassName: ""',
    '  persistentVolumeReclaimPolicy: Retain',
    ...source.map((line) => `  ${line}`),
  ].join('\n');
}
