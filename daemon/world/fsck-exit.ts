/** The exit code of fsck(8) and e2fsck(8): a mask of bits, of which several may be set (12 = 4 + 8). */

export type FsckFailure =
  | 'uncorrectedErrors'
  | 'operationalError'
  | 'usageError'
  | 'cancelled'
  | 'unknownCode'
  | 'libraryError';

export interface FsckVerdict {
  /** Bit 1: there were errors, and they were corrected. */
  readonly corrected: boolean;
  /** Bit 2: wanted after a repair of a mounted root filesystem; says nothing against a mount that is still to come. */
  readonly rebootWanted: boolean;
  /** Empty if the filesystem may be mounted. The kubelet looks for exactly 4 and mounts after 8, 12 and 32. */
  readonly failures: readonly FsckFailure[];
}

const failureOfBit: readonly (readonly [number, FsckFailure])[] = [
  [4, 'uncorrectedErrors'],
  [8, 'operationalError'],
  [16, 'usageError'],
  [32, 'cancelled'],
  [64, 'unknownCode'],
  [128, 'libraryError'],
];

/** @param code 0 to 255; anything else is an `unknownCode`, never a success */
export function decodeFsckExit(code: number): FsckVerdict {
  if (!Number.isInteger(code) || code < 0 || code > 255) {
    return { corrected: false, rebootWanted: false, failures: ['unknownCode'] };
  }
  return {
    corrected: (code & 1) !== 0,
    rebootWanted: (code & 2) !== 0,
    failures: failureOfBit.filter(([bit]) => (code & bit) !== 0).map(([, failure]) => failure),
  };
}
