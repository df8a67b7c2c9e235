/**
 * Every failure of a storage step. `progress` decides what may be believed afterwards (as the kubelet's three error
 * classes do, reference: pkg/volume/util/types): `final` means that nothing happened, `transient` that nothing was
 * started, `uncertain` that it may still have happened.
 */
export type Progress = 'final' | 'transient' | 'uncertain';

/** Names of gRPC/CSI status codes where the meaning is equal, and of ours where they have none. */
export type StorageErrorCode =
  | 'InvalidArgument'
  | 'NotFound'
  | 'AlreadyExists'
  | 'PermissionDenied'
  | 'ResourceExhausted'
  | 'FailedPrecondition'
  | 'Aborted'
  | 'Unimplemented'
  | 'Unavailable'
  | 'DeadlineExceeded'
  | 'Internal'
  | 'DataLoss'
  | 'NotBlank'
  | 'FilesystemMismatch'
  | 'FilesystemErrors'
  | 'ForeignMount'
  | 'TargetNotEmpty'
  | 'Busy';

/** What the failed step was: shown by `describe` and `explain`, never parsed. */
export interface StorageErrorFacts {
  readonly operation?: string;
  readonly source?: string;
  readonly target?: string;
  readonly flags?: string;
  readonly errno?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
  /** A child of ours that the kernel does not let end. */
  readonly pid?: number;
  /** The command that would help, when one is known. */
  readonly hint?: string;
}

export interface StorageErrorOptions extends StorageErrorFacts {
  readonly code: StorageErrorCode;
  readonly progress?: Progress;
  readonly cause?: unknown;
}

/** Message grammar: action, quoted value, colon, cause. */
export class StorageError extends Error {
  readonly code: StorageErrorCode;
  readonly progress: Progress;
  readonly facts: StorageErrorFacts;

  constructor(message: string, options: StorageErrorOptions) {
    const { code, progress = 'final', cause, ...facts } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StorageError';
    this.code = code;
    this.progress = progress;
    this.facts = facts;
  }
}

/** Any thrown value as a StorageError. What we do not know may have happened: uncertain. */
export function asStorageError(thrown: unknown, action: string): StorageError {
  if (thrown instanceof StorageError) return thrown;
  const cause = thrown instanceof Error ? thrown.message : String(thrown);
  return new StorageError(`${action}: ${cause}`, { code: 'Internal', progress: 'uncertain', cause: thrown });
}
