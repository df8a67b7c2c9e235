import koffi from 'koffi';
import { SyscallError } from './syscall-error.ts';

/**
 * The C library and the kernel, call by call: the only file that imports koffi. Each function throws a SyscallError when
 * the call answers -1. Nothing here may be called on a path whose storage can hang: the thread would be Node's own.
 *
 * Calls younger than the C library (or variadic in it) go through syscall(2), bound with fixed arguments: koffi cannot
 * run variadic functions asynchronously, and on x86-64 and arm64 the two conventions agree for integers and pointers.
 */
export const libc = koffi.load(null);

/** Numbers from asm/unistd.h of the calls that differ; from 424 on they are the same on every architecture. */
const numbers = { x64: { openat: 257, ioctl: 16, statx: 332 }, arm64: { openat: 56, ioctl: 29, statx: 291 } };
if (process.arch !== 'x64' && process.arch !== 'arm64') {
  throw new Error(`Cannot use system calls on "${process.arch}": only x64 and arm64 are known`);
}
const nr = numbers[process.arch];

/** "Relative to the working directory"; with an absolute path it has no effect. */
export const AT_FDCWD = -100;

/** What C receives as `void *`: null or memory that Node owns. */
export type Memory = Buffer | BigUint64Array | null;

/** A path, or its bytes with a NUL at the end where they may not be UTF-8 (names that a workload chose). */
export type Path = string | Buffer;

const c = {
  strerror: libc.func('str strerror(int errnum)'),
  close: libc.func('int close(int fd)'),
  lseek: libc.func('int64_t lseek(int fd, int64_t offset, int whence)'),
  flock: libc.func('int flock(int fd, int operation)'),
  syncfs: libc.func('int syncfs(int fd)'),
  copyFileRange: libc.func(
    'long copy_file_range(int from, void *fromOffset, int to, void *toOffset, size_t length, uint flags)',
  ),
  fchmod: libc.func('int fchmod(int fd, uint mode)'),
  mkdirat: libc.func('int mkdirat(int dirfd, str path, uint mode)'),
  unlinkat: libc.func('int unlinkat(int dirfd, str path, int flags)'),
  mount: libc.func('int mount(str source, str target, str type, ulong flags, str data)'),
  umount2: libc.func('int umount2(str target, int flags)'),
  poll: libc.func('int poll(void *fds, ulong nfds, int timeout)'),
  eventfd: libc.func('int eventfd(uint initval, int flags)'),
  read: libc.func('long read(int fd, void *buffer, size_t count)'),
  inotifyInit: libc.func('int inotify_init1(int flags)'),
  inotifyAddWatch: libc.func('int inotify_add_watch(int fd, str path, uint mask)'),
  inotifyRmWatch: libc.func('int inotify_rm_watch(int fd, int id)'),
  write: libc.func('long write(int fd, void *buffer, size_t count)'),
  fcntl: libc.func('int fcntl(int fd, int command, long argument)'),
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  sendto: libc.func('long sendto(int fd, void *message, size_t length, int flags, void *address, uint addressLength)'),
  getsockopt: libc.func('int getsockopt(int fd, int level, int name, void *value, void *valueLength)'),
  openat: libc.func('long syscall(long number, int dirfd, str path, int flags, uint mode)'),
  ioctlInt: libc.func('long syscall(long number, int fd, ulong request, long argument)'),
  ioctlMemory: libc.func('long syscall(long number, int fd, ulong request, void *argument)'),
  statx: libc.func('long syscall(long number, int dirfd, str path, int flags, uint mask, void *result)'),
  openTree: libc.func('long syscall(long number, int dirfd, str path, uint flags)'),
  moveMount: libc.func('long syscall(long number, int fromDirfd, str from, int toDirfd, str to, uint flags)'),
  fsopen: libc.func('long syscall(long number, str type, uint flags)'),
  fsconfig: libc.func('long syscall(long number, int fd, uint command, str key, str value, int aux)'),
  openat2: libc.func('long syscall(long number, int dirfd, str path, void *how, size_t size)'),
  mountSetattr: libc.func('long syscall(long number, int dirfd, str path, uint flags, void *attributes, size_t size)'),
  statmount: libc.func('long syscall(long number, void *request, void *buffer, size_t size, uint flags)'),
  listmount: libc.func('long syscall(long number, void *request, void *ids, size_t count, uint flags)'),
};

/** @throws SyscallError. errno is read at once: any other I/O of Node overwrites it. */
export function check(call: string, result: number): number {
  if (result === -1) throw lastError(call);
  return result;
}

function lastError(call: string): SyscallError {
  return errorOf(call, koffi.errno());
}

/** @param errno positive, as the calls answer it that do not set it. */
export function errorOf(call: string, errno: number): SyscallError {
  return new SyscallError(call, errno, c.strerror(errno));
}

const O_CLOEXEC = 0o2000000;

/** openat(2); O_CLOEXEC is always added, so that no child inherits the descriptor. */
export function openat(dirfd: number, path: Path, flags: number, mode = 0): number {
  return check('openat', c.openat(nr.openat, dirfd, path, flags | O_CLOEXEC, mode));
}

export function close(fd: number): void {
  check('close', c.close(fd));
}

/** Runs `use` with a descriptor that is closed afterwards, whatever happens. */
export function withFd<T>(fd: number, use: (fd: number) => T): T {
  try {
    return use(fd);
  } finally {
    close(fd);
  }
}

export function write(fd: number, bytes: Buffer): number {
  return check('write', c.write(fd, bytes, bytes.length));
}

/** read(2) of what is there already: the descriptor must not block. */
export function read(fd: number, bytes: Buffer): number {
  return check('read', c.read(fd, bytes, bytes.length));
}

export function inotifyInit(flags: number): number {
  return check('inotify_init1', c.inotifyInit(flags));
}

/** Answers the watch's id: the one that there is, if the file is watched already. */
export function inotifyAddWatch(fd: number, path: string, mask: number): number {
  return check('inotify_add_watch', c.inotifyAddWatch(fd, path, mask));
}

export function inotifyRmWatch(fd: number, id: number): void {
  check('inotify_rm_watch', c.inotifyRmWatch(fd, id));
}

/** lseek(2) on images, whose sizes do not fit a double exactly: bigint. `whence` may be SEEK_DATA 3 or SEEK_HOLE 4. */
export function lseek(fd: number, offset: bigint, whence: number): bigint {
  return BigInt(check('lseek', c.lseek(fd, offset, whence)));
}

/** syncfs(2): all that is written of the filesystem is on its device. */
export function syncfs(fd: number): void {
  check('syncfs', c.syncfs(fd));
}

/** copy_file_range(2) at the offsets of the descriptors; 0 at the end of the file. */
export function copyFileRange(from: number, to: number, length: number): number {
  return check('copy_file_range', c.copyFileRange(from, null, to, null, length, 0));
}

/** ioctl(2) whose argument is a number or a descriptor (LOOP_CLR_FD, FICLONE). Answers the call's result. */
export function ioctlInt(fd: number, request: number, argument: number): number {
  return check('ioctl', c.ioctlInt(nr.ioctl, fd, request, argument));
}

/** ioctl(2) whose argument is memory that the kernel reads or fills. */
export function ioctl(fd: number, request: number, argument: Memory): number {
  return check('ioctl', c.ioctlMemory(nr.ioctl, fd, request, argument));
}

/** fcntl(2), for the commands that take a number. */
export function fcntl(fd: number, command: number, argument: number): number {
  return check('fcntl', c.fcntl(fd, command, argument));
}

export function flock(fd: number, operation: number): void {
  check('flock', c.flock(fd, operation));
}

export function fchmod(fd: number, mode: number): void {
  check('fchmod', c.fchmod(fd, mode));
}

const EEXIST = 17;

/** mkdirat(2); false when something of this name is there (EEXIST), which is so common that it throws nothing. */
export function mkdirat(dirfd: number, path: string, mode: number): boolean {
  if (c.mkdirat(dirfd, path, mode) === 0) return true;
  if (koffi.errno() === EEXIST) return false;
  throw lastError('mkdirat');
}

/** unlinkat(2); with AT_REMOVEDIR (0x200) it is rmdir. */
export function unlinkat(dirfd: number, path: Path, flags: number): void {
  check('unlinkat', c.unlinkat(dirfd, path, flags));
}

/** statx(2) into 256 bytes of struct statx. */
export function statx(dirfd: number, path: Path, flags: number, mask: number, result: Buffer): void {
  check('statx', c.statx(nr.statx, dirfd, path, flags, mask, result));
}

/** openat2(2); `how` is struct open_how, 24 bytes. */
export function openat2(dirfd: number, path: Path, how: Buffer): number {
  return check('openat2', c.openat2(437, dirfd, path, how, how.length));
}

export function mount(source: string, target: string, type: string | null, flags: number, data: string | null): void {
  check('mount', c.mount(source, target, type, flags, data));
}

export function umount2(target: string, flags: number): void {
  check('umount2', c.umount2(target, flags));
}

export function openTree(dirfd: number, path: string, flags: number): number {
  return check('open_tree', c.openTree(428, dirfd, path, flags));
}

export function moveMount(fromDirfd: number, from: string, toDirfd: number, to: string, flags: number): void {
  check('move_mount', c.moveMount(429, fromDirfd, from, toDirfd, to, flags));
}

export function fsopen(type: string, flags: number): number {
  return check('fsopen', c.fsopen(430, type, flags));
}

export function fsconfig(fd: number, command: number, key: string | null, value: string | null, aux: number): void {
  check('fsconfig', c.fsconfig(431, fd, command, key, value, aux));
}

/** mount_setattr(2); `attributes` is struct mount_attr, 32 bytes. */
export function mountSetattr(dirfd: number, path: string, flags: number, attributes: Buffer): void {
  check('mount_setattr', c.mountSetattr(442, dirfd, path, flags, attributes, attributes.length));
}

/** statmount(2); `request` is struct mnt_id_req. EOVERFLOW: the buffer is too small. */
export function statmount(request: Buffer, buffer: Buffer): void {
  check('statmount', c.statmount(457, request, buffer, buffer.length, 0));
}

/** listmount(2) into `ids`; answers how many were written. */
export function listmount(request: Buffer, ids: BigUint64Array): number {
  return check('listmount', c.listmount(458, request, ids, ids.length, 0));
}

export function eventfd(initial: number, flags: number): number {
  return check('eventfd', c.eventfd(initial, flags));
}

export interface PollEntry {
  readonly fd: number;
  /** POLLIN 1, POLLPRI 2, POLLERR 8. */
  readonly events: number;
}

/** poll(2) that does not wait: the events that are there now, for one descriptor. */
export function pollNow({ fd, events }: PollEntry): number {
  const fds = Buffer.alloc(8);
  fds.writeInt32LE(fd, 0);
  fds.writeInt16LE(events, 4);
  check('poll', c.poll(fds, 1, 0));
  return fds.readInt16LE(6);
}

/**
 * poll(2) without a timeout, on one thread of libuv's pool until something happens. Resolves with the returned events,
 * in the order of `entries`. koffi keeps no reference to the memory of a running call: the closure does.
 */
export function pollAsync(entries: readonly PollEntry[]): Promise<readonly number[]> {
  const fds = Buffer.alloc(entries.length * 8);
  entries.forEach((entry, index) => {
    fds.writeInt32LE(entry.fd, index * 8);
    fds.writeInt16LE(entry.events, index * 8 + 4);
  });
  return new Promise((resolve, reject) => {
    const wait = () => c.poll.async(fds, entries.length, -1, done);
    const done = (failure: Error | null, result: number) => {
      if (failure !== null) return reject(failure);
      if (result !== -1) return resolve(entries.map((_, index) => fds.readInt16LE(index * 8 + 6)));
      const error = lastError('poll');
      return error.code === 'EINTR' ? wait() : reject(error);
    };
    wait();
  });
}

export function socket(domain: number, type: number, protocol: number): number {
  return check('socket', c.socket(domain, type, protocol));
}

/** sendto(2); `address` is struct sockaddr_un, as long as it counts (the kernel takes the length from it). */
export function sendto(fd: number, message: Buffer, flags: number, address: Buffer): number {
  return check('sendto', c.sendto(fd, message, message.length, flags, address, address.length));
}

/** getsockopt(2) into `value`, which must have the option's exact size. */
export function getsockopt(fd: number, level: number, name: number, value: Buffer): void {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(value.length);
  check('getsockopt', c.getsockopt(fd, level, name, value, length));
}
