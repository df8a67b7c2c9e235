/** How much may be promised to volumes that fill up later: images on one filesystem, tmpfs in the memory. Pure. */

import { figure } from '../world/figure.ts';

/** Of something that has a size: a part of it, or so many bytes. */
export type Share =
  | { readonly kind: 'bytes'; readonly bytes: bigint }
  | { readonly kind: 'percent'; readonly percent: number };

/** What moored.yaml says of the filesystems that images lie on. */
export interface PoolLimits {
  /** Sizes of images in all, by what the filesystem has beside the reserve; undefined: as much as is asked. */
  readonly overcommit?: number;
  /** What shall stay free of each filesystem. */
  readonly reserve?: Share;
}

export interface FilesystemSpace {
  /** What `df` calls its size, less what is kept for root. */
  readonly sizeBytes: bigint;
  readonly freeBytes: bigint;
}

/** One filesystem and the images on it. */
export interface Pool extends FilesystemSpace {
  /** Sizes of its images, written or not; without the one that is asked for. */
  readonly promisedBytes: bigint;
}

export interface PoolRequest {
  /** The size that the image shall have. */
  readonly sizeBytes: bigint;
  /** What is new of it: all of an image that is made, the difference of one that grows. */
  readonly newBytes: bigint;
}

export function shareOf(share: Share | undefined, whole: bigint): bigint {
  if (share === undefined) return 0n;
  return share.kind === 'bytes' ? share.bytes : (whole * BigInt(Math.round(share.percent * 1000))) / 100_000n;
}

/** Why an image cannot be promised its size, with all figures; undefined when it can. */
export function poolRefusal(limits: PoolLimits, { sizeBytes, newBytes }: PoolRequest, pool: Pool): string | undefined {
  const reserve = shareOf(limits.reserve, pool.sizeBytes);
  const most = mostPromised(limits, pool);
  const isOver = most !== undefined && pool.promisedBytes + sizeBytes > most;
  if (!isOver && newBytes <= pool.freeBytes - reserve) return undefined;
  const ratio =
    most === undefined ? 'no limit by overcommit' : `${figure(most)} at most by overcommit ${limits.overcommit}`;
  return [
    `${figure(newBytes)} asked`,
    `${figure(pool.promisedBytes + sizeBytes - newBytes)} promised`,
    ratio,
    `${figure(pool.sizeBytes)} capacity`,
    `${figure(pool.freeBytes)} free`,
    `${figure(reserve)} in reserve`,
  ].join(', ');
}

/** What may still be promised to a new image. */
export function poolRoom(limits: PoolLimits, pool: Pool): bigint {
  const free = pool.freeBytes - shareOf(limits.reserve, pool.sizeBytes);
  const most = mostPromised(limits, pool);
  const left = most === undefined ? free : most - pool.promisedBytes;
  const room = left < free ? left : free;
  return room > 0n ? room : 0n;
}

/** Why a tmpfs cannot be made beside those that are there; undefined when it can. */
export function memoryRefusal(
  limit: Share,
  { asked, promised, memory }: { readonly asked: bigint; readonly promised: bigint; readonly memory: bigint },
): string | undefined {
  const most = shareOf(limit, memory);
  if (promised + asked <= most) return undefined;
  return `${figure(asked)} asked, ${figure(promised)} promised to others, ${figure(most)} at most of ${figure(memory)} memory`;
}

function mostPromised({ overcommit, reserve }: PoolLimits, { sizeBytes }: FilesystemSpace): bigint | undefined {
  if (overcommit === undefined) return undefined;
  const capacity = sizeBytes - shareOf(reserve, sizeBytes);
  return capacity > 0n ? (capacity * BigInt(Math.round(overcommit * 1000))) / 1000n : 0n;
}
