/** What the probes of a block device prove together. Pure, so that every row can be tested. */
import { isFilesystemType } from './filesystem-type.ts';
import type { ProbeResult } from './probe-result.ts';
import { StorageError, type StorageErrorCode } from './storage-error.ts';

/** A tool's answer: exit code and what it printed under LC_ALL=C. */
export interface ToolAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProbeEvidence {
  readonly device: string;
  readonly sizeBytes: bigint;
  /** `blkid -p -o export DEVICE` */
  readonly blkid: ToolAnswer;
  /** `cmp -n BYTES -i SKIP:0 DEVICE /dev/zero` of the first and of the last bytes. */
  readonly head: ToolAnswer;
  readonly tail: ToolAnswer;
}

export type ProbeDecision = ProbeResult | { readonly kind: 'unknown'; readonly error: StorageError };

/**
 * `blank` needs three witnesses: blkid that finds nothing, and a head and a tail that were read and are zeros. That blkid
 * finds nothing is worth nothing alone: it exits 2, without a word, also for a device that answers EIO or has no size.
 */
export function decideProbe(evidence: ProbeEvidence): ProbeDecision {
  const { device, sizeBytes, blkid } = evidence;
  if (sizeBytes <= 0n) return unknown(device, 'FailedPrecondition', 'it has no size, nothing is behind it');
  switch (blkid.exitCode) {
    case 0:
      return decideFound(evidence);
    case 2:
      return decideNothingFound(evidence);
    case 8:
      return { kind: 'other', description: 'several signatures that contradict each other' };
    default:
      return unknown(device, 'Internal', `blkid exited ${blkid.exitCode}: ${blkid.stderr.trim()}`);
  }
}

function decideFound({ device, blkid, head, tail }: ProbeEvidence): ProbeDecision {
  const tags = parseTags(blkid.stdout);
  const fsType = tags.get('TYPE');
  const partitionTable = tags.get('PTTYPE');
  const isFilesystem = tags.get('USAGE') === 'filesystem' && fsType !== undefined && partitionTable === undefined;
  if (!isFilesystem) return { kind: 'other', description: describeTags(tags) };
  // A foreign one may lie elsewhere (VMFS at 2 MiB): found is enough to refuse it. One that would be mounted may not.
  const isZeros = readComparison(head).kind === 'zeros' && readComparison(tail).kind === 'zeros';
  if (isZeros && isFilesystemType(fsType)) {
    return unknown(device, 'Aborted', `blkid finds ${fsType}, yet head and tail read as zeros`);
  }
  const uuid = tags.get('UUID');
  return { kind: 'filesystem', fsType, ...(uuid === undefined ? {} : { uuid }) };
}

/** Head and tail decide. What was read counts first: data that is there forbids a format whatever else fails. */
function decideNothingFound({ device, blkid, head, tail }: ProbeEvidence): ProbeDecision {
  const parts = [
    { name: 'head', comparison: readComparison(head) },
    { name: 'tail', comparison: readComparison(tail) },
  ];
  for (const { name, comparison } of parts) {
    if (comparison.kind !== 'data') continue;
    return { kind: 'other', description: `bytes that nothing recognises (byte ${comparison.byte} of its ${name})` };
  }
  for (const { name, comparison } of parts) {
    if (comparison.kind === 'short') return unknown(device, 'FailedPrecondition', `its ${name} ends early`);
    if (comparison.kind === 'unreadable') return unknown(device, 'Unavailable', `its ${name}: ${comparison.cause}`);
  }
  const complaint = blkid.stderr.trim();
  if (complaint !== '') return unknown(device, 'Unavailable', `blkid says "${complaint}"`);
  return { kind: 'blank' };
}

export type Comparison =
  | { readonly kind: 'zeros' }
  /** `byte` counts from 1, from where the comparison began. */
  | { readonly kind: 'data'; readonly byte: string }
  | { readonly kind: 'short' }
  | { readonly kind: 'unreadable'; readonly cause: string };

/** cmp(1) exits 0 for equal, 1 for different and also for an early end of file (told on stderr), 2 for trouble. */
export function readComparison({ exitCode, stdout, stderr }: ToolAnswer): Comparison {
  const complaint = stderr.trim();
  if (exitCode === 0 && complaint === '') return { kind: 'zeros' };
  const byte = / differ: (?:byte|char) (\d+)/.exec(stdout)?.[1];
  if (exitCode === 1 && byte !== undefined) return { kind: 'data', byte };
  if (exitCode === 1 && complaint.includes('EOF on ')) return { kind: 'short' };
  return { kind: 'unreadable', cause: complaint === '' ? `cmp exited ${exitCode}` : complaint };
}

/** Lines KEY=value, as blkid -o export prints them. */
function parseTags(text: string): ReadonlyMap<string, string> {
  const pairs = text.split('\n').flatMap((line) => {
    const equals = line.indexOf('=');
    return equals > 0 ? [[line.slice(0, equals), line.slice(equals + 1)] as const] : [];
  });
  return new Map(pairs);
}

function describeTags(tags: ReadonlyMap<string, string>): string {
  const [type, partitionTable] = [tags.get('TYPE'), tags.get('PTTYPE')];
  const parts = [
    ...(type === undefined ? [] : [`a ${type} signature`]),
    ...(partitionTable === undefined ? [] : [`a ${partitionTable} partition table`]),
  ];
  return parts.length === 0 ? 'something that blkid knows and does not name' : parts.join(' and ');
}

function unknown(device: string, code: StorageErrorCode, cause: string): ProbeDecision {
  const error = new StorageError(`Cannot tell what is on "${device}": ${cause}`, {
    code,
    progress: 'transient',
    operation: 'probe',
    source: device,
    hint: `look at it with: blkid -p ${device}; dmesg | tail`,
  });
  return { kind: 'unknown', error };
}
