import { readdirSync, readFileSync } from 'node:fs';
import type { Held } from '../../ports/mount-holders.ts';
import type { HolderUse, MountHolder } from '../../world/mount-holder.ts';
import { attempt, type MountNamespace, mountNamespaces } from './mount-namespaces.ts';
import { type Doubt, usesOf } from './process-uses.ts';
import { settleDoubts } from './settle-doubts.ts';

/**
 * Who holds it, by the number of the superblock or device: each process once, in the order of pids. A file that was
 * opened through a mount has the mount's id in fdinfo, so that two mounts of one filesystem are told apart.
 */
export async function findHolders(held: Held, except: ReadonlySet<number>): Promise<readonly MountHolder[]> {
  const namespaces = mountNamespaces();
  const known = new Set(namespaces.flatMap(({ byId }) => [...byId.keys()]));
  const found = new Map<number, MountHolder>();
  const add = (pid: number, use: HolderUse, namespace: MountNamespace) => {
    if (found.has(pid)) return;
    const command = attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim());
    if (command === undefined) return;
    found.set(pid, { pid, command, use, ...(namespace.isOurs ? {} : { namespace: namespace.name }) });
  };
  const doubts: (Doubt & { readonly namespace: MountNamespace })[] = [];
  for (const namespace of namespaces) {
    for (const pid of namespace.pids) {
      if (except.has(pid)) continue;
      const uses = usesOf(pid, { held, namespace, known });
      if (uses.proven !== undefined) add(pid, uses.proven, namespace);
      else doubts.push(...uses.doubts.map((doubt) => ({ ...doubt, namespace })));
    }
  }
  for (const { pid, use, namespace } of await settleDoubts(doubts, held.deviceNumber)) add(pid, use, namespace);
  for (const namespace of namespaces) addNamespace(namespace, held, found, add);
  const processes = [...found.values()].sort((a, b) => a.pid - b.pid);
  return held.kind === 'mount' ? [...processes, ...backingFiles(held.mountPoint)] : processes;
}

/** A namespace that merely has it mounted is named by one of its processes. */
function addNamespace(
  namespace: MountNamespace,
  held: Held,
  found: ReadonlyMap<number, MountHolder>,
  add: (pid: number, use: HolderUse, namespace: MountNamespace) => void,
): void {
  if (held.kind === 'mount' || namespace.isOurs || namespace.pids.some((pid) => found.has(pid))) return;
  const [first] = namespace.pids;
  if (first !== undefined && namespace.table.ofDevice(held.deviceNumber).length > 0) add(first, 'mount', namespace);
}

/** Loop devices on files inside the mount. */
function backingFiles(mountPoint: string): readonly MountHolder[] {
  const names = readdirSync('/sys/block').filter((name) => name.startsWith('loop'));
  return names.flatMap((name): readonly MountHolder[] => {
    const path = attempt(() => readFileSync(`/sys/block/${name}/loop/backing_file`, 'utf8'));
    return path?.startsWith(`${mountPoint}/`) === true
      ? [{ pid: 0, command: `/dev/${name}`, use: 'backing file' }]
      : [];
  });
}
