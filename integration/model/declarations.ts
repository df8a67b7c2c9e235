/** The objects that histories declare: few, so that they meet, and of every kind of volume. */
import { claim, claimVolume, documents, pod, storageClass } from '../support/manifests.ts';

export type Declaration =
  | { readonly kind: 'claim'; readonly index: number }
  | { readonly kind: 'pod'; readonly index: number; readonly variant: number };

interface ClaimForm {
  readonly name: string;
  readonly text: string;
  /** Name of the volume that a user brought for it. */
  readonly volume?: string;
}

/** Images that users brought: one with a filesystem and data on it, one blank. */
export const broughtImages = ['full', 'blank'] as const;

const claims: readonly ClaimForm[] = [
  { name: 'kept', text: claim('kept', { storageClass: 'fast' }) },
  { name: 'temporary', text: claim('temporary', { storageClass: 'temp' }) },
  { name: 'late', text: claim('late', { storageClass: 'late' }) },
  { name: 'raw', text: claim('raw', { storageClass: 'fast', mode: 'Block' }) },
  ...broughtImages.map((name) => ({ name, text: claim(name, { storageClass: '', volumeName: name }), volume: name })),
];

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
];

export const claimCount = claims.length;
export const podCount = 5;
export const variantCount = variants.length;

export const keyOfDeclaration = (declaration: Declaration): string =>
  declaration.kind === 'claim'
    ? `PersistentVolumeClaim/default/${claims[declaration.index]?.name}`
    : `Pod/default/pod-${declaration.index}`;

export function textOf(declarations: readonly Declaration[]): string {
  return documents(
    ...declarations.map((declaration) => {
      if (declaration.kind === 'claim') return claims[declaration.index]?.text ?? '';
      const form = variants[declaration.variant];
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
      [
        'apiVersion: v1',
        'kind: PersistentVolume',
        `metadata: { name: ${name} }`,
        'spec:',
        '  capacity: { storage: 64Mi }',
        '  accessModes: [ReadWriteOnce]',
        '  storageClassName: ""',
        '  persistentVolumeReclaimPolicy: Retain',
        '  csi:',
        '    driver: loop.moored.dev',
        `    volumeHandle: ${name}`,
        `    volumeAttributes: { path: ${imageDirectory}/${name}.img }`,
      ].join('\n'),
    ),
  );
}
