import type { MountInfo } from '../world/mount-info.ts';

/**
 * The same mounts, so ordered that of two on one path the later one covers the earlier. The kernel lists mounts by age,
 * which is not enough: a moved mount keeps its id, and a cloned one gets its id before it is attached.
 *
 * Of two mounts one covers the other if it is mounted on it (is its descendant), or if their branches part at a common
 * ancestor and its branch hangs at a prefix of the other's mount point: what lies at "/x" hides what lies at "/x/y".
 */
export function inCoverOrder(mounts: readonly MountInfo[]): readonly MountInfo[] {
  const slotsByPath = new Map<string, number[]>();
  const shared = new Set<number[]>();
  mounts.forEach((mount, slot) => {
    const slots = slotsByPath.get(mount.mountPoint);
    if (slots === undefined) {
      slotsByPath.set(mount.mountPoint, [slot]);
    } else {
      slots.push(slot);
      shared.add(slots);
    }
  });
  if (shared.size === 0) return mounts;
  const byId = new Map(mounts.map((mount) => [mount.id, mount]));
  const ordered = [...mounts];
  for (const slots of shared) {
    const covering = slots.flatMap((slot) => mounts[slot] ?? []).sort((a, b) => compareCover(a, b, byId));
    covering.forEach((mount, index) => {
      ordered[slots[index] ?? 0] = mount;
    });
  }
  return ordered;
}

/** Negative when `b` covers `a`. */
function compareCover(a: MountInfo, b: MountInfo, byId: ReadonlyMap<bigint, MountInfo>): number {
  const branchOfA = ancestry(a, byId);
  const branchOfB = ancestry(b, byId);
  let depth = 0;
  while (branchOfA[depth] !== undefined && branchOfA[depth] === branchOfB[depth]) depth += 1;
  const atA = branchOfA[depth];
  const atB = branchOfB[depth];
  if (atA === undefined || atB === undefined) return branchOfA.length - branchOfB.length;
  return atB.mountPoint.length - atA.mountPoint.length;
}

/** From the root mount down to `mount` itself. */
function ancestry(mount: MountInfo, byId: ReadonlyMap<bigint, MountInfo>): readonly MountInfo[] {
  const chain: MountInfo[] = [];
  const seen = new Set<bigint>();
  for (let at: MountInfo | undefined = mount; at !== undefined && !seen.has(at.id); at = byId.get(at.parentId)) {
    seen.add(at.id);
    chain.unshift(at);
  }
  return chain;
}
