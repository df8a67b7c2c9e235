import type { Pod, Volume } from './pod.ts';

/** A claim that a volume of a pod stands for. */
export interface PodClaim {
  readonly claimName: string;
  readonly readOnly: boolean;
  /** Made for the pod, and of no use to it unless the pod owns it. */
  readonly isEphemeral: boolean;
}

/** The claim behind a volume of the pod: named by it, or made for it as `<pod>-<volume>` (upstream: ephemeral.VolumeClaimName). */
export function claimOfVolume(podName: string, volume: Volume): PodClaim | undefined {
  const { name, persistentVolumeClaim: source, ephemeral } = volume;
  if (source !== undefined)
    return { claimName: source.claimName, readOnly: source.readOnly ?? false, isEphemeral: false };
  return ephemeral && { claimName: `${podName}-${name}`, readOnly: false, isEphemeral: true };
}

export function claimNamesOf({ metadata, spec }: Pick<Pod, 'metadata' | 'spec'>): readonly string[] {
  return (spec.volumes ?? []).flatMap((volume) => claimOfVolume(metadata.name, volume)?.claimName ?? []);
}
