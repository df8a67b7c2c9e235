import { check, errorOf, libc } from './syscalls.ts';

/** Children by the C library. Everything here is in each glibc from 2.29 on (Debian 12 has 2.36, 13 has 2.41). */
const c = {
  pipe2: libc.func('int pipe2(void *ends, int flags)'),
  waitpid: libc.func('int waitpid(int pid, void *status, int options)'),
  sigfillset: libc.func('int sigfillset(void *set)'),
  spawn: libc.func('int posix_spawn(void *pid, str path, void *actions, void *attributes, str *argv, str *envp)'),
  actionsInit: libc.func('int posix_spawn_file_actions_init(void *actions)'),
  actionsDestroy: libc.func('int posix_spawn_file_actions_destroy(void *actions)'),
  actionsDup2: libc.func('int posix_spawn_file_actions_adddup2(void *actions, int fd, int newFd)'),
  actionsOpen: libc.func('int posix_spawn_file_actions_addopen(void *actions, int fd, str path, int flags, uint mode)'),
  actionsChdir: libc.func('int posix_spawn_file_actions_addchdir_np(void *actions, str path)'),
  attributesInit: libc.func('int posix_spawnattr_init(void *attributes)'),
  attributesSetFlags: libc.func('int posix_spawnattr_setflags(void *attributes, short flags)'),
  attributesSetDefault: libc.func('int posix_spawnattr_setsigdefault(void *attributes, void *signals)'),
};

const O_CLOEXEC = 0o2000000;
const WNOHANG = 1;
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
const POSIX_SPAWN_SETSID = 0x80;

/** The structures are the C library's own; the largest has 336 bytes in glibc. */
const structureBytes = 1024;
const sigsetBytes = 128;

export interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

/** pipe2(2); no child inherits an end unless it is given it. */
export function pipe(): Pipe {
  const ends = Buffer.alloc(8);
  check('pipe2', c.pipe2(ends, O_CLOEXEC));
  return { readEnd: ends.readInt32LE(0), writeEnd: ends.readInt32LE(4) };
}

/** waitpid(2) that does not wait: the status of a child of ours that has ended, and is then gone; undefined: it runs. */
export function waitStatus(pid: number): number | undefined {
  const status = Buffer.alloc(4);
  return check('waitpid', c.waitpid(pid, status, WNOHANG)) === 0 ? undefined : status.readInt32LE(0);
}

export interface SpawnRequest {
  /** Absolute. */
  readonly path: string;
  /** The program's name first. C strings: what follows a NUL would be lost. */
  readonly argv: readonly string[];
  /** "NAME=value". */
  readonly environment: readonly string[];
  readonly directory: string;
  /** Descriptors that become 0, 1 and 2 of the child; without `stdin` it reads /dev/null. */
  readonly stdin: number | undefined;
  readonly stdout: number;
  readonly stderr: number;
}

let attributes: Buffer | undefined;

/**
 * posix_spawn(3), which answers once the exec has succeeded. The child shares our memory until then (CLONE_VM,
 * CLONE_VFORK), where fork(2) copies the page tables and has each page that is written afterwards copied too. The caller is
 * suspended so long: a thread of libuv's pool is. The child inherits the three descriptors only: each other one of the
 * daemon is O_CLOEXEC.
 *
 * @returns pid of the child, which leads a session and a process group of its own
 * @throws SyscallError also for what the exec answers (E2BIG, ENOENT, EACCES)
 */
export async function posixSpawn(request: SpawnRequest): Promise<number> {
  const { path, argv, environment, directory, stdin, stdout, stderr } = request;
  attributes ??= spawnAttributes();
  const actions = Buffer.alloc(structureBytes);
  const pid = Buffer.alloc(4);
  must(c.actionsInit(actions));
  try {
    must(stdin === undefined ? c.actionsOpen(actions, 0, '/dev/null', 0, 0) : c.actionsDup2(actions, stdin, 0));
    must(c.actionsDup2(actions, stdout, 1));
    must(c.actionsDup2(actions, stderr, 2));
    must(c.actionsChdir(actions, directory));
    must(await spawn(pid, path, actions, attributes, [...argv, null], [...environment, null]));
    return pid.readInt32LE(0);
  } finally {
    c.actionsDestroy(actions);
  }
}

/** koffi keeps no reference to the memory of a running call: the waiting caller does. */
function spawn(...call: readonly unknown[]): Promise<number> {
  return new Promise((resolve, reject) => {
    c.spawn.async(...call, (failure: Error | null, errno: number) => {
      if (failure === null) resolve(errno);
      else reject(failure);
    });
  });
}

/** No signal blocked (the initial value) and none ignored: Node ignores SIGPIPE, and an exec would keep that. */
function spawnAttributes(): Buffer {
  const made = Buffer.alloc(structureBytes);
  const everySignal = Buffer.alloc(sigsetBytes);
  check('sigfillset', c.sigfillset(everySignal));
  must(c.attributesInit(made));
  must(c.attributesSetDefault(made, everySignal));
  must(c.attributesSetFlags(made, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID));
  return made;
}

/** These calls answer the errno itself. */
function must(errno: number): void {
  if (errno !== 0) throw errorOf('posix_spawn', errno);
}
