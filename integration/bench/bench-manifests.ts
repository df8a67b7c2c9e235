import { claim, claimVolume, documents, pod, storageClass } from '../support/manifests.ts';
import type { Job } from './sample.ts';

const className = 'bench';

/** There before the clock starts: a class is made once, not once a pod. */
export const classFile = { name: 'class.yaml', text: documents(storageClass(className)) };

export interface ManifestText {
  readonly name: string;
  readonly text: string;
}

export const podName = (index: number): string => `pod-${index}`;

/** One file a pod: what a user writes for it. */
export function podFile(kind: Job['kind'], index: number): ManifestText {
  const name = podName(index);
  const tmpfs = () => documents(pod(name, { data: 'emptyDir: { medium: Memory, sizeLimit: 16Mi }' }));
  const loop = () =>
    documents(claim(name, { storageClass: className, size: '64Mi' }), pod(name, { data: claimVolume(name) }));
  return { name: `${name}.yaml`, text: kind === 'tmpfs' ? tmpfs() : loop() };
}

export function podFiles({ kind, count }: Job): readonly ManifestText[] {
  return Array.from({ length: count }, (_, index) => podFile(kind, index));
}

/** The same pods in one file. */
export function oneFile(job: Job): ManifestText {
  return {
    name: 'pods.yaml',
    text: podFiles(job)
      .map(({ text }) => text)
      .join('---\n'),
  };
}
