/** Is the mount at a path the one that we made? Answered from one reading of the mount table, never from belief. */
import type { MountInfo } from './mount-info.ts';
import type { MountTable } from './mount-table.ts';
import { isNfsMountOf } from './nfs-source.ts';
import type { ObservedMount } from './volume-record.ts';

export interface ExpectedMount {
  readonly path: string;
  /** Facts that must hold; a fact that is not known (a crash before it was recorded) is left out. */
  readonly identity: Partial<ObservedMount>;
  /** What was mounted, where the identity alone is not enough. */
  readonly source?: string;
  /** "server:/path" of an NFS mount; see `isNfsMountOf`. */
  readonly nfsSource?: string;
  readonly readOnly: boolean;
  readonly allowDevices?: boolean;
}

export type MountFinding =
  | { readonly kind: 'asExpected'; readonly mount: MountInfo }
  /** Ours, but read-only, nosuid or nodev is not as asked: somebody remounted it. */
  | { readonly kind: 'flagsDiffer'; readonly mount: MountInfo; readonly differing: string }
  | { readonly kind: 'absent' }
  /** Ours lies under somebody else's. */
  | { readonly kind: 'covered'; readonly by: MountInfo }
  /** Something is mounted there, and none of it is ours. */
  | { readonly kind: 'foreign'; readonly mount: MountInfo };

export function findMount(table: MountTable, expected: ExpectedMount): MountFinding {
  const stack = table.at(expected.path);
  const top = stack.at(-1);
  if (top === undefined) return { kind: 'absent' };
  if (!isOurs(top, expected)) {
    const isBelow = stack.some((mount) => isOurs(mount, expected));
    return isBelow ? { kind: 'covered', by: top } : { kind: 'foreign', mount: top };
  }
  const differing = differingFlags(top, expected);
  return differing === '' ? { kind: 'asExpected', mount: top } : { kind: 'flagsDiffer', mount: top, differing };
}

function isOurs(mount: MountInfo, { identity, source, nfsSource }: ExpectedMount): boolean {
  if (source !== undefined && mount.source !== source) return false;
  return hasIdentity(mount, identity) && (nfsSource === undefined || isNfsMountOf(mount, nfsSource));
}

/** The kernel ends the root of a bind so when its file has gone: a disk that was taken away takes its node along. */
const unlinked = '//deleted';

function hasIdentity(mount: MountInfo, identity: Partial<ObservedMount>): boolean {
  return (
    (identity.device === undefined || identity.device === mount.device) &&
    (identity.root === undefined || mount.root === identity.root || mount.root === `${identity.root}${unlinked}`) &&
    (identity.fsType === undefined || identity.fsType === mount.fsType)
  );
}

function differingFlags(mount: MountInfo, expected: ExpectedMount): string {
  const wanted = [expected.readOnly ? 'ro' : 'rw', 'nosuid', ...(expected.allowDevices ? [] : ['nodev'])];
  return wanted.filter((flag) => !mount.options.includes(flag)).join(',');
}

export function observedOf(mount: MountInfo): ObservedMount {
  return { device: mount.device, root: mount.root, fsType: mount.fsType };
}

/** "ext4 from /dev/loop3", for messages. */
export function describeMount(mount: MountInfo): string {
  return `${mount.fsType} from ${mount.source === '' ? mount.device : mount.source}`;
}
