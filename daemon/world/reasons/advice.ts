import type { StorageError } from '../storage-error.ts';
import { errorMeanings } from './error-meanings.ts';
import { type ReasonCode, reasons } from './reason-table.ts';

/**
 * What to do, a line each: the error's own hint first, because it names the device; then what its code and the reason
 * advise. Nothing that an earlier line says already.
 */
export function adviceFor(reason: ReasonCode, error?: StorageError, hint = error?.facts.hint): string {
  const general = error === undefined ? [] : errorMeanings[error.code].help;
  const lines: string[] = [];
  for (const line of [...(hint === undefined ? [] : [hint]), ...general, ...reasons[reason].help]) {
    if (!lines.some((known) => known.includes(line))) lines.push(line);
  }
  return lines.join('\n');
}

/**
 * Whether no attempt will succeed until somebody changes something. `final` alone does not say that: it says that nothing
 * happened, which is also true of a file that is not there yet.
 */
export function needsChange({ progress, code }: StorageError): boolean {
  return progress === 'final' && errorMeanings[code].needsChange;
}
