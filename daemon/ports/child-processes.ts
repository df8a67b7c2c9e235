/**
 * For a tool that reads what a stranger may have written: a superblock can be made to break its reader. As much of it is
 * done as the machine can do; how much that is says `moorctl doctor`.
 */
export interface Confinement {
  /** The one device that the child may write to; without it there is none. */
  readonly writes?: string;
  /** Which capability the tool cannot do without, by its name in setpriv(1). */
  readonly capability?: 'sys_admin' | 'sys_resource';
  /** How much memory the child may map. Costs a third program to be started, so not where the tool takes little anyway. */
  readonly memoryBytes?: number;
}

export interface ChildOptions {
  /** Ends the child: SIGTERM to its process group, SIGKILL two seconds later. */
  readonly signal: AbortSignal;
  /** Milliseconds that the child may run; two minutes unless stated. */
  readonly deadlineMs?: number;
  /** What the child reads on stdin; without it stdin is empty. The place for a secret, which never goes on an argv. */
  readonly input?: string;
  /** Without it the child may do whatever the daemon may. */
  readonly confinement?: Confinement;
}

export interface ChildResult {
  /** A child that was ended by a signal has no result: see `run`. */
  readonly exitCode: number;
  /** The first 64 KiB of each; the rest is read and dropped. */
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

/**
 * The tools of the machine, each in a child that can be killed: whatever may hang on a device or a server is done there.
 * No shell, no inherited environment, no terminal.
 */
export interface ChildProcesses {
  /**
   * Runs a tool, by name from /usr/sbin, /usr/bin, /sbin, /bin or by absolute path, and answers whatever exit code it
   * ends with. Rejects with a StorageError:
   * - Unimplemented, transient: there is no such tool; the hint names the Debian package
   * - ResourceExhausted or Internal, transient: it could not be started
   * - DeadlineExceeded or Aborted, uncertain (transient if aborted before the start). The child may still be there when
   *   the kernel cannot end it (state D, a hung device): nobody waits for that
   * - Internal, uncertain: somebody else's signal ended it
   */
  run(tool: string, args: readonly string[], options: ChildOptions): Promise<ChildResult>;
}
