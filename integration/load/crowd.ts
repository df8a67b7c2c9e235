/** Crowds of pods, as manifests. */
import type { ManifestText } from '../bench/bench-manifests.ts';
import { claim, claimVolume, documents, pod, storageClass } from '../support/manifests.ts';

/** Its images are put away with their claims: nothing of a round is left for the next one. */
const className = 'load';
export const classFile: ManifestText = {
  name: 'class.yaml',
  text: documents(storageClass(className, ['reclaimPolicy: Delete'])),
};

/** Pods, and the mounts that the kernel has for them. */
export interface Crowd {
  readonly files: readonly ManifestText[];
  readonly pods: number;
  readonly mounts: number;
}

const none: Crowd = { files: [], pods: 0, mounts: 0 };

function repeated(count: number, file: (index: number) => ManifestText): readonly ManifestText[] {
  return Array.from({ length: count }, (_, index) => file(index));
}

/** One tmpfs each. */
export function memoryPods(prefix: string, count: number): Crowd {
  const files = repeated(count, (index) => {
    const name = `${prefix}-${index}`;
    return {
      name: `${name}.yaml`,
      text: documents(pod(name, { data: 'emptyDir: { medium: Memory, sizeLimit: 1Mi }' })),
    };
  });
  return { files, pods: count, mounts: count };
}

/** A directory each, no mount. */
export function plainPods(prefix: string, count: number): Crowd {
  const files = repeated(count, (index) => {
    const name = `${prefix}-${index}`;
    return { name: `${name}.yaml`, text: documents(pod(name, { data: 'emptyDir: {}' })) };
  });
  return { files, pods: count, mounts: 0 };
}

/** So many pods on each of some claims: a loop device and a global mount a claim, a bind a pod. */
export function boundPods(prefix: string, claims: number, podsEach: number): Crowd {
  const claimFiles = repeated(claims, (index) => ({
    name: `${prefix}-claim-${index}.yaml`,
    text: documents(claim(`${prefix}-${index}`, { storageClass: className, size: '16Mi' })),
  }));
  const podFiles = repeated(claims * podsEach, (index) => {
    const name = `${prefix}-${index}`;
    return {
      name: `${name}.yaml`,
      text: documents(pod(name, { data: claimVolume(`${prefix}-${index % claims}`) })),
    };
  });
  return { files: [...claimFiles, ...podFiles], pods: claims * podsEach, mounts: claims + claims * podsEach };
}

export function together(...crowds: readonly Crowd[]): Crowd {
  return crowds.reduce(
    (sum, { files, pods, mounts }) => ({
      files: [...sum.files, ...files],
      pods: sum.pods + pods,
      mounts: sum.mounts + mounts,
    }),
    none,
  );
}
