import type { ImageCopyRequest } from '../../ports/image-copies.ts';
import type { StorageErrorCode } from '../../world/storage-error.ts';

/** What the child is told, as JSON in its argv: bigints as text. */
export interface CopyOrder extends Omit<ImageCopyRequest, 'sizeBytes' | 'target' | 'reserveBytes'> {
  readonly sizeBytes: string;
  readonly reserveBytes: string;
  readonly directory: string;
  /** The temporary name in it. */
  readonly name: string;
  readonly openat2: boolean;
}

/** What it prints. */
export type CopyAnswer =
  | {
      readonly kind: 'copied';
      readonly method: 'reflink' | 'copy';
      readonly sizeBytes: string;
      readonly frozenMs?: number;
      readonly takenAt: string;
    }
  | {
      readonly kind: 'failed';
      readonly code: StorageErrorCode;
      readonly message: string;
      readonly errno?: string;
      readonly hint?: string;
      /** True when something may still be frozen. */
      readonly isUncertain: boolean;
    };
