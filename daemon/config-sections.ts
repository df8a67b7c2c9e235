/** Settings of moored.yaml that are mappings of their own. Pure. */

export interface TrashSettings {
  /** After which deleted volumes are removed for good; undefined: never by itself. */
  readonly graceMs?: number;
}

export interface ClaimSettings {
  /** A pod that has finished does not keep a claim that is to go; upstream keeps it. */
  readonly ignoreFinishedPods?: boolean;
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

function refuseOthers(source: string, section: string, others: object, wanted: string): void {
  const [stranger] = Object.keys(others);
  if (stranger !== undefined) {
    throw new Error(`Cannot read ${source}: unknown key "${section}.${stranger}", want ${wanted}`);
  }
}
