/** Settings of moored.yaml that are mappings of their own. Pure. */

import { bytesOf, parseQuantity } from './api/quantity.ts';
import type { PoolLimits, Share } from './plan/pool-capacity.ts';

export interface TrashSettings {
  /** After which deleted volumes are removed for good; undefined: never by itself. */
  readonly graceMs?: number;
}

export interface ClaimSettings {
  /** A pod that has finished does not keep a claim that is to go; upstream keeps it. */
  readonly ignoreFinishedPods?: boolean;
}

export interface MemorySettings {
  /** Of all tmpfs together; undefined: each has its own limit only. */
  readonly limit?: Share;
}

export function parseClaims(source: string, given: Readonly<Record<string, unknown>>): ClaimSettings {
  const { ignoreFinishedPods, ...unknown } = given;
  refuseOthers(source, 'claims', unknown, 'ignoreFinishedPods');
  if (ignoreFinishedPods === undefined) return {};
  if (typeof ignoreFinishedPods === 'boolean') return { ignoreFinishedPods };
  throw new Error(`Cannot read ${source}: "claims.ignoreFinishedPods" is not true or false`);
}

const unitMs = { m: 60_000, h: 3_600_000, d: 24 * 3_600_000 } as const;

export function parseTrash(source: string, given: Readonly<Record<string, unknown>>): TrashSettings {
  const { grace, ...unknown } = given;
  refuseOthers(source, 'trash', unknown, 'grace');
  if (grace === undefined) return {};
  const [, count, unit] = (typeof grace === 'string' ? /^(\d{1,6})([mhd])$/.exec(grace) : null) ?? [];
  if (count === undefined) {
    throw new Error(`Cannot read ${source}: "trash.grace" is ${JSON.stringify(grace)}, wanted such as 7d, 12h or 30m`);
  }
  return { graceMs: Number(count) * unitMs[unit as keyof typeof unitMs] };
}

/** Less would promise nothing of a disk, more is a slip of the pen. */
const leastRatio = 0.01;
const mostRatio = 1000;

export function parsePool(source: string, given: Readonly<Record<string, unknown>>): PoolLimits {
  const { overcommit, reserve, ...unknown } = given;
  refuseOthers(source, 'pool', unknown, 'overcommit or reserve');
  return { ...parseOvercommit(source, overcommit), ...parseShare(source, 'pool', { reserve }) };
}

export function parseMemory(source: string, given: Readonly<Record<string, unknown>>): MemorySettings {
  const { limit, ...unknown } = given;
  refuseOthers(source, 'memory', unknown, 'limit');
  return parseShare(source, 'memory', { limit });
}

function parseOvercommit(source: string, value: unknown): Pick<PoolLimits, 'overcommit'> {
  if (value === undefined) return {};
  if (typeof value === 'number' && value >= leastRatio && value <= mostRatio) return { overcommit: value };
  const wanted = `wanted a ratio of ${leastRatio} to ${mostRatio} such as 1 or 1.5`;
  throw new Error(`Cannot read ${source}: "pool.overcommit" is ${JSON.stringify(value)}, ${wanted}`);
}

function parseShare<Key extends string>(
  source: string,
  section: string,
  given: Readonly<Record<Key, unknown>>,
): Partial<Record<Key, Share>> {
  const [[key, value] = ['', undefined]] = Object.entries(given);
  if (value === undefined) return {};
  const share = typeof value === 'string' || typeof value === 'number' ? shareIn(String(value)) : undefined;
  if (share !== undefined) return { [key]: share } as Partial<Record<Key, Share>>;
  const wanted = 'wanted a quantity such as 10Gi, or a part such as 10%';
  throw new Error(`Cannot read ${source}: "${section}.${key}" is ${JSON.stringify(value)}, ${wanted}`);
}

function shareIn(text: string): Share | undefined {
  const [, percent] = /^(\d{1,3}(?:\.\d{1,3})?)%$/.exec(text) ?? [];
  if (percent !== undefined) return Number(percent) <= 100 ? { kind: 'percent', percent: Number(percent) } : undefined;
  try {
    const bytes = bytesOf(parseQuantity(text));
    return bytes < 0n ? undefined : { kind: 'bytes', bytes };
  } catch {
    return undefined;
  }
}

function refuseOthers(source: string, section: string, others: object, wanted: string): void {
  const [stranger] = Object.keys(others);
  if (stranger !== undefined) {
    throw new Error(`Cannot read ${source}: unknown key "${section}.${stranger}", want ${wanted}`);
  }
}
