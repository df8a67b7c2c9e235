/** A process that keeps a mount or a device from being given up. Never more of it than its name: an argv has secrets. */
export interface MountHolder {
  /** 0 for the kernel itself. */
  readonly pid: number;
  /** /proc/PID/comm, at most 15 characters. */
  readonly command: string;
  /** "mnt:[4026532201]" when the process lives in another mount namespace than we. */
  readonly namespace?: string;
  readonly use: HolderUse;
}

export type HolderUse =
  | 'working directory'
  | 'root directory'
  | 'program'
  | 'open file'
  | 'mapped file'
  | 'mount'
  | 'device'
  | 'backing file';

const mostNamed = 4;

/** "sleep (pid 812, working directory), bash (pid 9, mount, in mnt:[4026532201]) and 3 more"; '' for none. */
export function describeHolders(holders: readonly MountHolder[]): string {
  const named = holders.slice(0, mostNamed).map(({ pid, command, namespace, use }) => {
    const where = namespace === undefined ? '' : `, in ${namespace}`;
    return `${command} (${pid === 0 ? '' : `pid ${pid}, `}${use}${where})`;
  });
  const more = holders.length - named.length;
  return `${named.join(', ')}${more === 0 ? '' : ` and ${more} more`}`;
}

/** A command that shows the first of them with its unit; undefined when it is the kernel, or nobody. */
export function inspectHolder(holders: readonly MountHolder[]): string | undefined {
  const pid = holders.find((holder) => holder.pid !== 0)?.pid;
  return pid === undefined ? undefined : `systemctl status ${pid}; ls -l /proc/${pid}/cwd /proc/${pid}/fd`;
}
