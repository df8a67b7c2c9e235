import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { MountInfo } from '../../world/mount-info.ts';
import { MountTable } from '../../world/mount-table.ts';
import { parseMountInfo } from '../mount-info-text.ts';

export interface MountNamespace {
  /** "mnt:[4026531840]" */
  readonly name: string;
  readonly isOurs: boolean;
  readonly table: MountTable;
  readonly byId: ReadonlyMap<bigint, MountInfo>;
  readonly pids: readonly number[];
}

/** Each mount namespace that a process lives in, with its table; what ends or hides meanwhile is left out. */
export function mountNamespaces(): readonly MountNamespace[] {
  const ours = readlinkSync('/proc/self/ns/mnt');
  const pids = new Map<string, number[]>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    const name = Number.isInteger(pid) ? attempt(() => readlinkSync(`/proc/${pid}/ns/mnt`)) : undefined;
    if (name !== undefined) pids.set(name, [...(pids.get(name) ?? []), pid]);
  }
  return [...pids].flatMap(([name, members]) => {
    const table = firstTable(name === ours ? ['self'] : members);
    if (table === undefined) return [];
    const byId = new Map(table.mounts.map((mount) => [mount.id, mount]));
    return [{ name, isOurs: name === ours, table, byId, pids: members }];
  });
}

function firstTable(pids: readonly (number | 'self')[]): MountTable | undefined {
  for (const pid of pids) {
    const mounts = attempt(() => parseMountInfo(readFileSync(`/proc/${pid}/mountinfo`, 'utf8')));
    // A process that is ending has an empty table.
    if (mounts !== undefined && mounts.length > 0) return new MountTable(mounts);
  }
  return undefined;
}

/** A process may end while it is looked at. */
export function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
