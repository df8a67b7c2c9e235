/** Whether a volume is smaller than it shall be. Pure. */
import type { ActualVolume } from './actual-state-of-world.ts';
import type { VolumeSize, VolumeToMount } from './desired-state-of-world.ts';

/**
 * The size to grow to; undefined when the volume is known to have it (kubelet: FSResizeRequired). What was grown by an
 * operation, and is not in its claim's status yet, is known from the record.
 */
export function wantedGrowth({ size }: VolumeToMount, actual: ActualVolume | undefined): VolumeSize | undefined {
  if (size === undefined) return undefined;
  const expanded = BigInt(actual?.record.expanded?.bytes ?? 0);
  const known = expanded > size.claimBytes ? expanded : size.claimBytes;
  return size.desiredBytes > known ? size : undefined;
}
