import type { DeviceMountRequest, MountFlags } from '../ports/mounter.ts';
import type { NfsMountRequest } from '../ports/nfs-mounter.ts';
import { StorageError, type StorageErrorCode } from '../world/storage-error.ts';
import { optionsOf } from './mount-attributes.ts';

/**
 * mount(8) for a block filesystem:
 * -c does not resolve paths, so that the target may be a descriptor; -i calls no /sbin/mount.<type>; -n keeps no mtab;
 * -w fails on a write-protected device, where mount(8) by itself would quietly mount read-only.
 * nosuid and nodev come last: of two contradicting options the later one counts.
 */
export function mountArguments(request: DeviceMountRequest, target: string): readonly string[] {
  if (!/^(?!no|auto$)[a-z0-9]+$/.test(request.fsType)) {
    // mount(8) takes a list, tries each for "auto", and reads "noext3" as "any but ext3".
    const message = `Cannot mount "${request.device}" as "${request.fsType}": not the name of one filesystem`;
    throw new StorageError(message, { code: 'InvalidArgument', source: request.device, target: request.target });
  }
  requireSafeOptions(request.device, request.options);
  const options = [...request.options, ...optionsOf(request.flags)].join(',');
  const mode = request.flags.readOnly ? '-r' : '-w';
  return ['-c', '-i', '-n', mode, '-t', request.fsType, '-o', options, request.device, target];
}

/**
 * mount.nfs(8), called directly: through mount(8) it would be the same program after one more. retry=0 makes it try once,
 * where it would else try for two minutes: when to try again is the daemon's to decide. -n keeps no mtab.
 */
export function nfsMountArguments(request: NfsMountRequest, target: string): readonly string[] {
  requireSafeOptions(request.source, request.options);
  const options = [...request.options, 'retry=0', ...optionsOf(request.flags)].join(',');
  return [request.source, target, '-n', '-o', options];
}

/** mount(8) with "remount,bind" sets what belongs to the mount alone. What is not repeated would be lifted. */
export function remountArguments(target: string, flags: MountFlags): readonly string[] {
  const options = ['remount', 'bind', flags.readOnly ? 'ro' : 'rw', ...optionsOf({ ...flags, readOnly: false })];
  return ['-c', '-i', '-n', '-o', options.join(','), target];
}

/** umount(8): -i calls no helper, which for version 3 would ask the server; -c looks at no path. Never lazy. */
export function nfsUnmountArguments(target: string, force: boolean): readonly string[] {
  return ['-c', '-i', ...(force ? ['-f'] : []), target];
}

function requireSafeOptions(source: string, options: readonly string[]): void {
  const unsafe = options.find((option) => isUnsafe(option));
  if (unsafe === undefined) return;
  const message = `Cannot mount "${source}" with option "${unsafe}": it is not an option of the filesystem`;
  throw new StorageError(message, { code: 'InvalidArgument', source });
}

/** Options that mount(8) takes for itself or that loosen a mount; and nothing that hides a second option. */
function isUnsafe(option: string): boolean {
  const name = option.split('=', 1)[0] ?? '';
  const own = ['suid', 'dev', 'exec', 'user', 'users', 'owner', 'group', 'loop', 'offset', 'sizelimit', 'encryption'];
  const changes = ['bind', 'rbind', 'move', 'remount', 'rw', 'ro', 'defaults', 'helper', 'uhelper', 'fstab', 'comment'];
  return /^[xX]-|[,\s"\\]|^$/.test(option) || own.includes(name) || changes.includes(name);
}

/** What mount(8) and umount(8) say, with LC_ALL=C; their exit status is 32 for nearly everything. */
const codeOfText: readonly (readonly [RegExp, StorageErrorCode])[] = [
  [/special device .* does not exist|No such file or directory|mount point does not exist/, 'NotFound'],
  [/unknown filesystem type/, 'Unimplemented'],
  [/already mounted|is busy|Device or resource busy/, 'Busy'],
  [/write-protected|read-only/i, 'FailedPrecondition'],
  [/Structure needs cleaning/, 'FilesystemErrors'],
  [/can't read superblock|Input\/output error/, 'Unavailable'],
  [/wrong fs type, bad option, bad superblock/, 'InvalidArgument'],
  [/permission denied|Operation not permitted/i, 'PermissionDenied'],
  [/Cannot allocate memory|No space left/, 'ResourceExhausted'],
];

export function codeOfStderr(stderr: string): StorageErrorCode {
  return codeOfText.find(([pattern]) => pattern.test(stderr))?.[1] ?? 'Internal';
}

/** What mount.nfs(8) says; its exit status is 32 as well. The first that fits counts. */
const codeOfNfsText: readonly (readonly [RegExp, StorageErrorCode])[] = [
  [/timed out|refused|No route to host|unreachable|Host is down|not responding|RPC: |Connection reset/i, 'Unavailable'],
  [/Failed to resolve server|name resolution/i, 'Unavailable'],
  [/rpc\.statd is not running/i, 'FailedPrecondition'],
  [/access denied/i, 'PermissionDenied'],
  [/requested NFS version|Protocol not supported|incorrect mount option|Invalid argument/i, 'InvalidArgument'],
  [/Stale file handle/i, 'NotFound'],
];

export function codeOfNfsStderr(stderr: string): StorageErrorCode {
  return codeOfNfsText.find(([pattern]) => pattern.test(stderr))?.[1] ?? codeOfStderr(stderr);
}
