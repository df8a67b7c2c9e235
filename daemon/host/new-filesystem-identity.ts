import type { ChildProcesses, ChildResult, Confinement } from '../ports/child-processes.ts';
import { decodeFsckExit } from '../world/fsck-exit.ts';
import { StorageError } from '../world/storage-error.ts';
import { forReading, forWriting } from './confinement.ts';

const probeDeadlineMs = 30_000;
/** A check of a large filesystem is slow: this only ends what hangs. */
const deadlineMs = 60 * 60_000;

interface Tools {
  readonly children: ChildProcesses;
  readonly signal: AbortSignal;
}

/**
 * Gives the filesystem on a device that nobody has mounted another UUID. Each tool refuses a filesystem whose log is not
 * at rest: ext4's is replayed by e2fsck, xfs's by a mount, and that of btrfs is (a freeze commits; it has no log then).
 * What is on it a pod has written, so whatever parses it is confined; a mount is the kernel's.
 * @param directory any one: in a mount namespace of its own the filesystem is mounted over it for a moment
 */
export async function renewFilesystemIdentity(
  device: string,
  directory: string,
  tools: Tools,
): Promise<'renewed' | 'noFilesystem'> {
  const before = await identityOf(device, tools);
  if (before === undefined) return 'noFilesystem';
  switch (before.fsType) {
    case 'ext4':
      await checkExt4(device, tools);
      await must('tune2fs', ['-U', 'random', device], tools, forWriting(device));
      break;
    case 'xfs':
      // The namespace ends with its only process, and the mount with it: nothing is left to clean up, whoever dies.
      await must(
        'unshare',
        ['--mount', '--', 'mount', '-t', 'xfs', '-o', 'nouuid,nosuid,nodev,noexec', device, directory],
        tools,
      );
      // As xfs_admin(8) does it, without its shell. Without the capability it cannot flush the device (BLKFLSBUF).
      await must(
        'xfs_db',
        ['-x', '-p', 'xfs_admin', '-c', 'uuid generate', device],
        tools,
        forWriting(device, 'sys_admin'),
      );
      break;
    case 'btrfs':
      // -m: one superblock is written, not each block of metadata.
      await must('btrfstune', ['-f', '-m', device], tools, forWriting(device));
      break;
    default:
      return 'noFilesystem';
  }
  // xfs_db exits with 0 whatever it did.
  const after = await identityOf(device, tools);
  if (after !== undefined && after.uuid !== before.uuid) return 'renewed';
  throw refusal(device, `it still has the UUID ${before.uuid}`);
}

interface Identity {
  readonly fsType: string;
  readonly uuid: string;
}

/** undefined: nothing that blkid knows, or nothing with a UUID. */
async function identityOf(device: string, { children, signal }: Tools): Promise<Identity | undefined> {
  const args = ['-p', '-o', 'export', device];
  const result = await children.run('blkid', args, { signal, deadlineMs: probeDeadlineMs, confinement: forReading });
  if (result.exitCode === 2 && result.stderr.trim() === '') return undefined;
  if (result.exitCode !== 0) throw refusal(device, said(result));
  const fields = new Map(result.stdout.split('\n').map((line) => line.split('=', 2) as [string, string]));
  const [fsType, uuid] = [fields.get('TYPE'), fields.get('UUID')];
  return fsType === undefined || uuid === undefined ? undefined : { fsType, uuid };
}

/** Forced, because tune2fs wants it so; preening, which replays the journal and repairs what is safe to. */
async function checkExt4(device: string, { children, signal }: Tools): Promise<void> {
  const result = await children.run('e2fsck', ['-f', '-p', device], {
    signal,
    deadlineMs,
    confinement: forWriting(device),
  });
  if (decodeFsckExit(result.exitCode).failures.length === 0) return;
  throw new StorageError(`Cannot use the copy on "${device}": e2fsck: ${said(result)}`, {
    code: 'FilesystemErrors',
    operation: 'e2fsck',
    source: device,
    exitCode: result.exitCode,
    stderr: result.stderr,
  });
}

async function must(
  tool: string,
  args: readonly string[],
  { children, signal }: Tools,
  confinement?: Confinement,
): Promise<void> {
  const confined = confinement === undefined ? {} : { confinement };
  const result = await children.run(tool, args, { signal, deadlineMs, ...confined });
  if (result.exitCode !== 0) throw refusal(args.at(-1) ?? '', `${tool}: ${said(result)}`);
}

function refusal(device: string, cause: string): StorageError {
  return new StorageError(`Cannot give the filesystem on "${device}" a UUID of its own: ${cause}`, {
    code: 'Internal',
    progress: 'transient',
    source: device,
  });
}

function said({ stderr, stdout, exitCode }: ChildResult): string {
  return (stderr.trim() || stdout.trim()).split('\n', 1)[0] || `exit code ${exitCode}`;
}
