import type { ChildProcesses, ChildResult } from '../ports/child-processes.ts';
import type { BlankProof, CheckResult, Filesystems, GrowRequest } from '../ports/filesystems.ts';
import { type FilesystemType, isFilesystemType } from '../world/filesystem-type.ts';
import { decodeFsckExit, type FsckVerdict } from '../world/fsck-exit.ts';
import { StorageError, type StorageErrorCode } from '../world/storage-error.ts';
import { describeBlockDevice } from './block-device.ts';
import { forReading, forWriting } from './confinement.ts';
import { growFilesystem } from './filesystem-growth.ts';

interface Mkfs {
  readonly tool: string;
  readonly args: readonly string[];
  readonly minimumBytes: bigint;
  readonly capability?: 'sys_admin';
}

/**
 * No -F and no -f: without them each tool refuses a mounted device, and xfs and btrfs refuse a signature.
 * No discard (nodiscard, -K): the device is proven blank at both ends only; should that be wrong, what lies between stays
 * recoverable. On a loop device it makes no difference in time or space (10 GiB: 22 ms and 4.3 MB either way).
 * ext4: -m 0 as the kubelet, no blocks for root alone. Lazy, so that an image stays small (10 GiB: 4.3 MB, else 70 MB):
 * the kernel zeroes inode tables later, and a journal that was not zeroed is safe because its checksums carry the
 * filesystem's own UUID (metadata_csum, the default since e2fsprogs 1.43). Below 2 MiB mke2fs makes one without journal.
 * xfs: mkfs.xfs refuses less than 300 MB since 5.19. btrfs: what mkfs.btrfs 6.2 states with its own defaults. For both the
 * kernel wants CAP_SYS_ADMIN (BLKBSZSET, BTRFS_IOC_SCAN_DEV).
 */
const mkfsOf: Readonly<Record<FilesystemType, Mkfs>> = {
  ext4: {
    tool: 'mkfs.ext4',
    args: ['-q', '-m', '0', '-E', 'nodiscard,lazy_itable_init=1,lazy_journal_init=1'],
    minimumBytes: 2n << 20n,
  },
  xfs: { tool: 'mkfs.xfs', args: ['-q', '-K'], minimumBytes: 300n << 20n, capability: 'sys_admin' },
  btrfs: { tool: 'mkfs.btrfs', args: ['-q', '-K'], minimumBytes: 114_294_784n, capability: 'sys_admin' },
};

/** A large disk is slow, and a full check of one slower: these only end what hangs. */
const mkfsDeadlineMs = 10 * 60_000;
const fsckDeadlineMs = 60 * 60_000;
const blkidDeadlineMs = 30_000;

/** mkfs, fsck and the growers of the machine, in children. */
export class LinuxFilesystems implements Filesystems {
  readonly #children: ChildProcesses;

  constructor(children: ChildProcesses) {
    this.#children = children;
  }

  async make(
    device: string,
    fsType: FilesystemType,
    signal: AbortSignal,
    proof: BlankProof = 'bothEnds',
  ): Promise<void> {
    const { tool, args, minimumBytes, capability } = mkfsOf[fsType];
    const { sizeBytes, readOnly } = describeBlockDevice(device);
    if (sizeBytes < minimumBytes) throw tooSmall(device, fsType, { sizeBytes, minimumBytes });
    if (readOnly) throw refusedToMake(device, fsType, 'FailedPrecondition', 'the device is read-only');
    if (proof === 'bothEnds') await this.#assertNoSignature(device, fsType, signal);
    // An image without a written byte has nothing hostile on it, and a pod waits for its mkfs: 2 ms of processor time.
    const confinement = proof === 'bothEnds' ? { confinement: forWriting(device, capability) } : {};
    const options = { signal, deadlineMs: mkfsDeadlineMs, ...confinement };
    const result = await this.#children.run(tool, [...args, device], options);
    if (result.exitCode !== 0) throw mkfsFailed(device, fsType, result);
  }

  async check(device: string, fsType: string, signal: AbortSignal): Promise<CheckResult> {
    if (!isFilesystemType(fsType)) {
      const accepted = 'moored checks ext4, xfs and btrfs';
      throw new StorageError(`Cannot check "${device}" as "${fsType}": ${accepted}`, {
        code: 'InvalidArgument',
        operation: 'fsck',
        source: device,
      });
    }
    // fsck.xfs(8) and fsck.btrfs(8) do nothing: both replay their log at mount, and refuse the mount when they cannot.
    if (fsType !== 'ext4') return { corrected: false };
    const result = await this.#children.run('e2fsck', ['-p', device], {
      signal,
      deadlineMs: fsckDeadlineMs,
      confinement: forWriting(device),
    });
    const verdict = decodeFsckExit(result.exitCode);
    if (verdict.failures.length > 0) throw checkFailed(device, verdict, result);
    return { corrected: verdict.corrected };
  }

  grow(request: GrowRequest, signal: AbortSignal): Promise<void> {
    return growFilesystem(request, this.#children, signal);
  }

  /** mke2fs looks for a signature on a terminal only (check_plausibility) and else writes over it, so we look. */
  async #assertNoSignature(device: string, fsType: FilesystemType, signal: AbortSignal): Promise<void> {
    const args = ['-p', '-o', 'export', device];
    const { exitCode, stdout, stderr } = await this.#children.run('blkid', args, {
      signal,
      deadlineMs: blkidDeadlineMs,
      confinement: forReading,
    });
    if (exitCode === 2) return;
    const found = (stdout.trim() || stderr.trim()).replaceAll('\n', ' ');
    throw refusedToMake(device, fsType, 'NotBlank', `blkid finds "${found}"`);
  }
}

function tooSmall(
  device: string,
  fsType: FilesystemType,
  { sizeBytes, minimumBytes }: { readonly sizeBytes: bigint; readonly minimumBytes: bigint },
): StorageError {
  const minimum = (minimumBytes + (1n << 20n) - 1n) >> 20n;
  return refusedToMake(
    device,
    fsType,
    'InvalidArgument',
    `it has ${sizeBytes} bytes, ${fsType} needs at least ${minimum}Mi`,
  );
}

/** Before mkfs was started: nothing has happened. */
function refusedToMake(device: string, fsType: string, code: StorageErrorCode, cause: string): StorageError {
  return new StorageError(`Cannot make ${fsType} on "${device}": ${cause}`, {
    code,
    operation: 'mkfs',
    source: device,
  });
}

/**
 * What the mkfs tools say, with LC_ALL=C; `refused` is said before the first byte is written. A full filesystem under an
 * image reaches mke2fs as EIO (loop(4) knows no ENOSPC in buffered writes) and mkfs.btrfs as "not permitted".
 */
const mkfsTexts: readonly { readonly pattern: RegExp; readonly code: StorageErrorCode; readonly refused: boolean }[] = [
  {
    pattern: /is mounted|contains a mounted|in use by the system|Device or resource busy/,
    code: 'Busy',
    refused: true,
  },
  { pattern: /existing filesystem|existing partition|partition table/, code: 'NotBlank', refused: true },
  { pattern: /too small|must be larger|Not enough space to build/, code: 'InvalidArgument', refused: true },
  { pattern: /No space left on device/, code: 'ResourceExhausted', refused: false },
  { pattern: /Input\/output error|error during mkfs/, code: 'Unavailable', refused: false },
];

function mkfsFailed(device: string, fsType: FilesystemType, { exitCode, stdout, stderr }: ChildResult): StorageError {
  const said = stderr.trim() || stdout.trim();
  const known = mkfsTexts.find(({ pattern }) => pattern.test(said));
  return new StorageError(`Cannot make ${fsType} on "${device}": ${firstLine(said) || `exit code ${exitCode}`}`, {
    code: known?.code ?? 'Internal',
    progress: known?.refused === true ? 'final' : 'uncertain',
    operation: 'mkfs',
    source: device,
    exitCode,
    stderr: said,
    ...(known?.refused === true
      ? {}
      : { hint: 'dmesg | tail; df of the filesystem that holds the image, if it is one' }),
  });
}

function checkFailed(
  device: string,
  { failures }: FsckVerdict,
  { exitCode, stdout, stderr }: ChildResult,
): StorageError {
  // e2fsck tells the finding on stdout and the verdict on stderr.
  const said = [stdout.trim(), stderr.trim()].filter((text) => text !== '').join('\n');
  const facts = { operation: 'e2fsck', source: device, exitCode, stderr: said };
  if (failures.includes('uncorrectedErrors')) {
    return new StorageError(`Cannot check "${device}": it has errors that are not safe to correct unasked`, {
      ...facts,
      code: 'FilesystemErrors',
      hint: `take a copy of it, then: e2fsck -f ${device}`,
    });
  }
  // It says that last, and first that the superblock is none, which may be as well.
  if (said.includes('Memory allocation failed')) {
    return new StorageError(`Cannot check "${device}": that takes more memory than a check may have`, {
      ...facts,
      code: 'ResourceExhausted',
      hint: `if you trust what is on it: e2fsck -p ${device}`,
    });
  }
  const isBusy = /is mounted|is in use/.test(said);
  return new StorageError(`Cannot check "${device}": ${firstLine(said.replace(`${device}: `, '').trim())}`, {
    ...facts,
    code: isBusy ? 'Busy' : 'Internal',
    progress: 'transient',
  });
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
