import type { ChildProcesses, ChildResult } from '../ports/child-processes.ts';
import type { GrowRequest } from '../ports/filesystems.ts';
import type { FilesystemType } from '../world/filesystem-type.ts';
import { StorageError, type StorageErrorCode } from '../world/storage-error.ts';
import { describeBlockDevice } from './block-device.ts';
import { forWriting } from './confinement.ts';
import { readFilesystemSize } from './filesystem-size.ts';

interface Grower {
  readonly tool: string;
  readonly args: (request: GrowRequest) => readonly string[];
}

/**
 * As the kubelet (mount-utils, resizefs_linux.go). Without a size each takes all of the device, and does nothing when the
 * filesystem fills it already. resize2fs finds the mount by the device and then asks the kernel (EXT4_IOC_RESIZE_FS);
 * where it sees no mount it opens the device exclusively, so a mount that is hidden from it makes it fail, not write.
 */
const growers: Readonly<Record<FilesystemType, Grower>> = {
  ext4: { tool: 'resize2fs', args: ({ device }) => [device] },
  xfs: { tool: 'xfs_growfs', args: ({ mountPoint }) => ['-d', mountPoint] },
  btrfs: { tool: 'btrfs', args: ({ mountPoint }) => ['filesystem', 'resize', 'max', mountPoint] },
};

/** ext4 writes one group descriptor after another: a disk of many TiB takes its time. */
const deadlineMs = 10 * 60_000;

/** The tool's exit code is the answer of the kernel's ioctl. Throws StorageError. */
export async function growFilesystem(
  request: GrowRequest,
  children: ChildProcesses,
  signal: AbortSignal,
): Promise<void> {
  if (request.fsType === 'btrfs' && (await isBtrfsFull(request, children, signal))) return;
  const { tool, args } = growers[request.fsType];
  // The others never look at the device: they tell the kernel to, which asks for CAP_SYS_ADMIN.
  const confinement = request.fsType === 'ext4' ? { confinement: forWriting(request.device, 'sys_resource') } : {};
  const result = await children.run(tool, args(request), { signal, deadlineMs, ...confinement });
  if (result.exitCode !== 0) throw growthFailed(request, tool, result);
}

/** fs/btrfs/ioctl.c, btrfs_ioctl_resize: "if (new_size < SZ_256M) ret = -EINVAL", even where nothing would change. */
const smallestBtrfsBytes = 256n << 20n;

/** Whether it takes all of its device (as the kubelet's NeedResize asks for btrfs); the kernel counts in sectors of 4 KiB. */
async function isBtrfsFull(
  { device, mountPoint }: GrowRequest,
  children: ChildProcesses,
  signal: AbortSignal,
): Promise<boolean> {
  const { sizeBytes } = describeBlockDevice(device);
  const taken = await readFilesystemSize(device, 'btrfs', children, signal);
  if (taken >= sizeBytes - (sizeBytes % 4096n)) return true;
  if (sizeBytes >= smallestBtrfsBytes) return false;
  throw new StorageError(`Cannot grow btrfs on "${device}": Linux gives it no new size below 256Mi`, {
    code: 'InvalidArgument',
    progress: 'transient',
    operation: 'btrfs',
    source: device,
    target: mountPoint,
    hint: 'ask for 256Mi or more',
  });
}

/** What the tools say, with LC_ALL=C. */
const texts: readonly { readonly pattern: RegExp; readonly code: StorageErrorCode; readonly hint?: string }[] = [
  {
    // ext4 asks for CAP_SYS_RESOURCE, xfs and btrfs for CAP_SYS_ADMIN.
    pattern: /Permission denied to resize|Operation not permitted|Permission denied/,
    code: 'PermissionDenied',
    hint: 'give moored CAP_SYS_RESOURCE and CAP_SYS_ADMIN, or grow it at rest with: resize2fs',
  },
  { pattern: /Read-only file system/, code: 'FailedPrecondition', hint: 'dmesg | tail' },
  { pattern: /Input\/output error|Structure needs cleaning/, code: 'Unavailable', hint: 'dmesg | tail' },
  { pattern: /No space left on device/, code: 'ResourceExhausted' },
  { pattern: /busy|in progress|in use/i, code: 'Busy' },
];

/** Each of them grows step by step and leaves a filesystem that is whole: it is tried again. */
function growthFailed({ device, fsType, mountPoint }: GrowRequest, tool: string, result: ChildResult): StorageError {
  const { exitCode, stdout, stderr } = result;
  const said = stderr.trim() || stdout.trim();
  const known = texts.find(({ pattern }) => pattern.test(said));
  return new StorageError(`Cannot grow ${fsType} on "${device}": ${causeIn(said) || `exit code ${exitCode}`}`, {
    code: known?.code ?? 'Internal',
    progress: 'transient',
    operation: tool,
    source: device,
    target: mountPoint,
    exitCode,
    stderr: said,
    ...(known?.hint === undefined ? {} : { hint: known.hint }),
  });
}

/** The last line says what failed: those before it are the tool's greeting. */
function causeIn(said: string): string {
  return said.split('\n').at(-1)?.trim() ?? '';
}
