import type { DeviceMountRequest } from '../ports/mounter.ts';
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
  const unsafe = request.options.find((option) => isUnsafe(option));
  if (unsafe !== undefined) {
    const message = `Cannot mount "${request.device}" with option "${unsafe}": it is not an option of the filesystem`;
    throw new StorageError(message, { code: 'InvalidArgument', source: request.device, target: request.target });
  }
  const options = [...request.options, ...optionsOf(request.flags)].join(',');
  const mode = request.flags.readOnly ? '-r' : '-w';
  return ['-c', '-i', '-n', mode, '-t', request.fsType, '-o', options, request.device, target];
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
