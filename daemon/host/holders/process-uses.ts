import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Held } from '../../ports/mount-holders.ts';
import type { HolderUse } from '../../world/mount-holder.ts';
import type { MountInfo } from '../../world/mount-info.ts';
import { attempt, type MountNamespace } from './mount-namespaces.ts';

/** A file that may be on a mount which no table shows any more: only stat(2) tells its device. */
export interface Doubt {
  readonly pid: number;
  readonly use: HolderUse;
  /** "/proc/812/cwd" */
  readonly link: string;
}

export interface Sought {
  readonly held: Held;
  /** That of the process. */
  readonly namespace: MountNamespace;
  /** Ids of all mounts that any namespace shows. */
  readonly known: { has(id: bigint): boolean };
}

export interface ProcessUses {
  readonly proven: HolderUse | undefined;
  readonly doubts: readonly Doubt[];
}

/** Filesystems on which a server or a program answers: their files are never asked for anything. */
const remote = /^(nfs|cifs|smb|9p|ceph|afs|fuse|gfs|ocfs|glusterfs|lustre|virtiofs)/;

const links = [
  ['cwd', 'working directory'],
  ['root', 'root directory'],
  ['exe', 'program'],
] as const satisfies readonly (readonly [string, HolderUse])[];

/** readlink(2) in /proc prints a path that the kernel holds, and asks no filesystem. */
export function usesOf(pid: number, sought: Sought): ProcessUses {
  const doubts: Doubt[] = [];
  for (const [name, use] of links) {
    const link = `/proc/${pid}/${name}`;
    const path = attempt(() => readlinkSync(link));
    if (path === undefined) continue;
    const mount = sought.namespace.table.holding(path.replace(/ \(deleted\)$/, ''));
    if (mount !== undefined && isSought(mount, sought)) return { proven: use, doubts: [] };
    if (mount !== undefined && !remote.test(mount.fsType)) doubts.push({ pid, use, link });
  }
  for (const fd of attempt(() => readdirSync(`/proc/${pid}/fd`)) ?? []) {
    const link = `/proc/${pid}/fd/${fd}`;
    const answer = fileUse(pid, fd, attempt(() => readlinkSync(link)) ?? '', sought);
    if (answer === 'doubt') doubts.push({ pid, use: 'open file', link });
    else if (answer !== undefined) return { proven: answer, doubts: [] };
  }
  if (isMapped(pid, sought)) return { proven: 'mapped file', doubts: [] };
  // Of one mount that is there everything is known by its id and path.
  return { proven: undefined, doubts: sought.held.kind === 'mount' ? [] : doubts };
}

/** proc_pid_fdinfo(5): "mnt_id: The ID of the mount containing this file". */
function fileUse(pid: number, fd: string, path: string, sought: Sought): HolderUse | 'doubt' | undefined {
  const { held, namespace, known } = sought;
  if (!path.startsWith('/')) return undefined;
  if (held.kind === 'device' && path === held.devicePath) return 'device';
  const info = attempt(() => readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1')) ?? '';
  const id = /^mnt_id:\s*(\d+)$/m.exec(info)?.[1];
  if (id === undefined) return undefined;
  const mount = namespace.byId.get(BigInt(id));
  if (mount !== undefined) return isSought(mount, sought) ? 'open file' : undefined;
  return known.has(BigInt(id)) ? undefined : 'doubt';
}

function isSought(mount: MountInfo, { held, namespace }: Sought): boolean {
  if (mount.device !== held.deviceNumber) return false;
  switch (held.kind) {
    case 'mount':
      return namespace.isOurs && mount.mountPoint === held.mountPoint;
    case 'hidden':
      return !namespace.isOurs;
    case 'device':
      return true;
  }
}

/** /proc/PID/maps: "address perms offset dev inode pathname", dev in hexadecimal. */
function isMapped(pid: number, { held, namespace }: Sought): boolean {
  const [major = 0, minor = 0] = held.deviceNumber.split(':').map(Number);
  const hex = (part: number) => part.toString(16).padStart(2, '0');
  const device = ` ${hex(major)}:${hex(minor)} `;
  if (held.kind === 'mount' && !namespace.isOurs) return false;
  const maps = attempt(() => readFileSync(`/proc/${pid}/maps`, 'latin1')) ?? '';
  if (!maps.includes(device)) return false;
  return maps.split('\n').some((line) => {
    if (!line.includes(device)) return false;
    const path = line.slice(line.indexOf('/')).replace(/ \(deleted\)$/, '');
    const mount = namespace.table.holding(path);
    const isShown = mount?.device === held.deviceNumber;
    return held.kind === 'hidden' && namespace.isOurs
      ? !isShown
      : mount !== undefined && isSought(mount, { held, namespace, known: namespace.byId });
  });
}
