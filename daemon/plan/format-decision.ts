/** May this device be formatted? The one place where that is decided; pure, so that every row can be tested. */

import type { FilesystemType } from '../world/filesystem-type.ts';
import type { ProbeResult } from '../world/probe-result.ts';
import { StorageError } from '../world/storage-error.ts';
import type { FormatRecord } from '../world/volume-record.ts';

export interface FormatQuestion {
  readonly device: string;
  readonly deviceBytes: bigint;
  readonly wanted: FilesystemType;
  readonly readOnly: boolean;
  readonly probe: ProbeResult;
  /** Our own record of an earlier format of this volume. */
  readonly record: FormatRecord | undefined;
}

export type FormatDecision =
  | { readonly kind: 'format' }
  | { readonly kind: 'useAsIs' }
  | { readonly kind: 'refuse'; readonly error: StorageError };

/**
 * Formats only what both probes call blank and what was never formatted before (kubelet weakness 6: blkid's "nothing
 * found" alone has cost people their disks). Everything not understood is refused.
 */
export function decideFormat(question: FormatQuestion): FormatDecision {
  const { probe, wanted } = question;
  switch (probe.kind) {
    case 'filesystem':
      if (probe.fsType !== wanted) return refuse(question, 'FilesystemMismatch', mismatch(question));
      return isCutShort(question, probe.sizeBytes) ? refuseCutShort(question, probe.sizeBytes) : { kind: 'useAsIs' };
    case 'other':
      return refuse(question, 'NotBlank', `it holds ${probe.description}${historyOf(question)}`);
    case 'blank':
      return decideBlank(question);
  }
}

/** Whose bytes they may be: our own mkfs that was cut off, or a filesystem of ours that lost its superblock. */
function historyOf({ record, device }: FormatQuestion): string {
  if (record === undefined) return '';
  if (record.state === 'done') return `; moored made ${record.fsType} on it at ${record.at}`;
  return `; its format at ${record.at} was cut off before anything was mounted, to begin anew: wipefs --all ${device}`;
}

function decideBlank(question: FormatQuestion): FormatDecision {
  const { record, readOnly } = question;
  if (record?.state === 'done') {
    const before = `was formatted as ${record.fsType} at ${record.at}`;
    return refuse(question, 'DataLoss', `it reads blank, but ${before}: its data is lost or it is another device`);
  }
  if (readOnly) return refuse(question, 'FailedPrecondition', 'it is blank and asked for read-only');
  return { kind: 'format' };
}

/**
 * A device that is shorter than what is on it (a truncated image, a partition made anew, a LUN that was cut): what mounts
 * it may lose what lay behind the end, and a check would "repair" that away.
 */
function isCutShort({ deviceBytes }: FormatQuestion, sizeBytes: bigint | undefined): sizeBytes is bigint {
  return sizeBytes !== undefined && sizeBytes > deviceBytes;
}

function refuseCutShort(question: FormatQuestion, sizeBytes: bigint): FormatDecision {
  const { device, deviceBytes, wanted } = question;
  const error = new StorageError(
    `Cannot use "${device}": it has ${deviceBytes} bytes, the ${wanted} on it needs ${sizeBytes}`,
    {
      code: 'FailedPrecondition',
      operation: 'mountDevice',
      source: device,
      hint: `make it as large as it was, at least ${sizeBytes} bytes, before anything else is tried on it`,
    },
  );
  return { kind: 'refuse', error };
}

function mismatch({ probe, wanted }: FormatQuestion): string {
  const found = probe.kind === 'filesystem' ? probe.fsType : 'unknown';
  return `wrong fs type "${found}", wanted "${wanted}"`;
}

function refuse(question: FormatQuestion, code: StorageError['code'], cause: string): FormatDecision {
  const error = new StorageError(`Cannot use "${question.device}": ${cause}`, {
    code,
    operation: 'mountDevice',
    source: question.device,
    hint: `look at it with: blkid -p ${question.device}`,
  });
  return { kind: 'refuse', error };
}
