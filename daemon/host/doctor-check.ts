import type { DoctorCheck } from '../ports/doctor.ts';

/** What a check found; with a `fix` it is not well. */
export interface Finding {
  readonly detail: string;
  readonly fix?: string;
}

/** Runs one check. One that cannot look has found that, and stops none of the others. */
export function check(name: string, required: boolean, look: () => Finding): DoctorCheck {
  try {
    const { detail, fix = '' } = look();
    return { name, required, ok: fix === '', detail, fix };
  } catch (error) {
    return { name, required, ok: false, detail: `cannot be checked: ${messageOf(error)}`, fix: 'see the detail' };
  }
}

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
