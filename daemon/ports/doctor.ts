/** One thing that the daemon needs of this machine. */
export interface DoctorCheck {
  readonly name: string;
  readonly ok: boolean;
  /** False for what only some volumes need (mkfs.btrfs, …): missing is then a warning. */
  readonly required: boolean;
  readonly detail: string;
  /** The command or setting that mends it; '' when ok. */
  readonly fix: string;
}
