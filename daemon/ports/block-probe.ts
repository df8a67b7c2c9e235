import type { ProbeResult } from '../world/probe-result.ts';

export interface BlockProbe {
  /**
   * Probes in killable children (blkid, and a byte comparison of head and tail with zeros). Rejects with a StorageError
   * (never 'blank') when the device cannot be read, is empty, or a probe dies or disagrees.
   */
  probe(device: string, signal: AbortSignal): Promise<ProbeResult>;
  /** "major:minor" and size in bytes of a block device; throws StorageError NotFound / FailedPrecondition. */
  describe(device: string): { readonly deviceNumber: string; readonly sizeBytes: bigint; readonly readOnly: boolean };
}
