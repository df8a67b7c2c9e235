import { constants, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path/posix';
import type { ChildProcesses, ChildResult } from '../ports/child-processes.ts';
import type { MountFlags } from '../ports/mounter.ts';
import type { NfsMounter, NfsMountRequest, NfsProbe } from '../ports/nfs-mounter.ts';
import { StorageError, type StorageErrorFacts } from '../world/storage-error.ts';
import type { KernelFeatures } from './kernel-features.ts';
import { codeOfNfsStderr, nfsMountArguments, nfsUnmountArguments, remountArguments } from './mount-commands.ts';
import { O_PATH } from './mount-syscalls.ts';
import { requireSuccess } from './mount-tools.ts';
import { openat2Opener, openatOpener, type PathOpener } from './open-beneath.ts';
import { storageErrorFromErrno } from './storage-error-from-errno.ts';
import { close, withFd } from './syscalls.ts';

/** A server that is there answers a mount in well under a second; one that boots may need a while. */
const mountDeadlineMs = 30_000;
const unmountDeadlineMs = 15_000;
/** Long: the child of a probe that hangs goes on by itself in the moment the server is back. */
const probeDeadlineMs = 60_000;

/** NFS by the tools of the machine, each in a child with a deadline. */
export class LinuxNfsMounter implements NfsMounter {
  readonly #opener: PathOpener;
  readonly #children: ChildProcesses;
  /** Children of probes that outlived SIGKILL, by server: no second one is sent after them. */
  readonly #lingering = new Map<string, number>();

  constructor(features: Pick<KernelFeatures, 'openat2'>, children: ChildProcesses) {
    this.#opener = features.openat2 ? openat2Opener : openatOpener;
    this.#children = children;
  }

  async mount(request: NfsMountRequest, signal: AbortSignal): Promise<void> {
    const { source, target } = request;
    const action = `Cannot mount "${source}" at "${target}"`;
    const fd = this.#openUnmounted(target, action);
    const place = `/proc/${process.pid}/fd/${fd}`;
    const args = nfsMountArguments(request, place);
    const facts = { operation: 'mount', source, target, flags: args.at(-1) ?? '' };
    try {
      const result = await this.#run('mount.nfs', args, { action, facts, deadlineMs: mountDeadlineMs, signal });
      const stderr = whatMountSaid(result.stderr.replaceAll(place, target));
      requireSuccess(action, { ...result, stderr }, facts, codeOfNfsStderr);
    } finally {
      close(fd);
    }
  }

  async setFlags(target: string, flags: MountFlags, signal: AbortSignal): Promise<void> {
    const action = `Cannot set the flags of "${target}"`;
    const args = remountArguments(target, flags);
    const facts = { operation: 'remount', target };
    const result = await this.#run('mount', args, { action, facts, deadlineMs: mountDeadlineMs, signal });
    requireSuccess(action, result, facts);
  }

  async unmount(target: string, { force }: { readonly force: boolean }, signal: AbortSignal): Promise<void> {
    const action = `Cannot unmount "${target}"${force ? ' by force' : ''}`;
    const facts = { operation: 'umount', target };
    const args = nfsUnmountArguments(target, force);
    const result = await this.#run('umount', args, { action, facts, deadlineMs: unmountDeadlineMs, signal });
    requireSuccess(action, result, facts);
  }

  async probe(server: string, targets: readonly string[], signal: AbortSignal): Promise<NfsProbe> {
    const action = `Cannot reach server "${server}"`;
    const pid = this.#lingering.get(server);
    if (pid !== undefined && isRunning(pid, 'stat')) {
      const message = `${action}: process ${pid} still waits for its answer`;
      throw new StorageError(message, { code: 'DeadlineExceeded', progress: 'uncertain', pid });
    }
    this.#lingering.delete(server);
    const facts = { operation: 'statfs', source: server };
    const options = { action, facts, deadlineMs: probeDeadlineMs, signal };
    const result = await this.#run('stat', ['-f', '-c', '%i', '--', ...targets], options).catch((thrown: unknown) => {
      if (thrown instanceof StorageError && thrown.facts.pid !== undefined)
        this.#lingering.set(server, thrown.facts.pid);
      throw thrown;
    });
    return probeOf(result, targets, action);
  }

  /** Asked of the parent directory: with something mounted on it, EXDEV before that is asked for anything. */
  #openUnmounted(target: string, action: string): number {
    try {
      return withFd(this.#opener.open(dirname(target), O_PATH | constants.O_DIRECTORY), (parent) =>
        this.#opener.openEntry(parent, basename(target), O_PATH | constants.O_DIRECTORY),
      );
    } catch (thrown) {
      throw storageErrorFromErrno(thrown, action, { operation: 'mount', target });
    }
  }

  async #run(tool: string, args: readonly string[], run: Run): Promise<ChildResult> {
    const { action, facts, deadlineMs, signal } = run;
    try {
      return await this.#children.run(tool, args, { signal, deadlineMs });
    } catch (thrown) {
      if (!(thrown instanceof StorageError) || thrown.code !== 'DeadlineExceeded') throw thrown;
      const { pid } = thrown.facts;
      throw new StorageError(`${action}: the server has not answered for ${deadlineMs / 1000} s`, {
        ...facts,
        ...(pid === undefined ? {} : { pid }),
        code: 'DeadlineExceeded',
        progress: 'uncertain',
        cause: thrown,
      });
    }
  }
}

interface Run {
  readonly action: string;
  readonly facts: StorageErrorFacts;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** For version 3 mount.nfs(8) may start rpc.statd, by a systemctl that has things to say of its own. */
function whatMountSaid(stderr: string): string {
  const own = stderr.split('\n').filter((line) => line.startsWith('mount.nfs'));
  return own.length === 0 ? stderr : own.join('\n');
}

/** With these words a server, or this machine's own permissions, has answered. */
const answers =
  /: (Stale file handle|Permission denied|Operation not permitted|No such file or directory|Not a directory)$/;

/**
 * stat(1) goes on after a path that fails, and says of each why. Whatever else it says is no answer: a soft mount gave up
 * (EIO, ETIMEDOUT), or a forced unmount ended the request (ERESTARTSYS, which has no name: "Unknown error 512").
 */
function probeOf({ exitCode, stderr }: ChildResult, targets: readonly string[], action: string): NfsProbe {
  const lines = stderr.split('\n').filter((line) => line !== '');
  const silent =
    lines.find((line) => !answers.test(line)) ?? (lines.length === 0 ? `exit status ${exitCode}` : undefined);
  if (exitCode !== 0 && silent !== undefined) {
    throw new StorageError(`${action}: ${silent}`, { code: 'Unavailable', progress: 'transient' });
  }
  const stale = lines.filter((line) => line.endsWith(': Stale file handle'));
  return { stale: targets.filter((target) => stale.some((line) => line.includes(`'${target}'`))) };
}

/** By name too: the number of a process that ended is given to others. */
function isRunning(pid: number, name: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === name;
  } catch {
    return false;
  }
}
