import type { ProbeResult } from '../world/probe-result.ts';

export interface BlockDeviceFacts {
  /** The device's own node ("/dev/sdb"), where the path that was asked for is a symlink to it. */
  readonly node: string;
  /** "major:minor" */
  readonly deviceNumber: string;
  readonly sizeBytes: bigint;
  readonly readOnly: boolean;
}

export interface BlockProbe {
  /**
   * Probes in killable children: blkid, a byte comparison of head and tail with zeros, the superblock's own size. Rejects
   * with a StorageError (never 'blank') when the device cannot be read, is empty, or a probe dies or disagrees.
   */
  probe(device: string, signal: AbortSignal): Promise<ProbeResult>;
  /** What the kernel says of a block device, without touching it. Throws StorageError NotFound, FailedPrecondition. */
  describe(device: string): BlockDeviceFacts;
}
