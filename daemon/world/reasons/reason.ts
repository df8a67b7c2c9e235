/** What a reason code says to whoever meets it. The code itself is upstream's where upstream has one. */
export interface Reason {
  /** Normal: nothing is wrong, something happens or is waited for. Warning: somebody should look. */
  readonly type: 'Normal' | 'Warning';
  /** What it means, in one sentence. */
  readonly means: string;
  /** What to do, in this order: commands, or a change in words. Empty when there is nothing to do. */
  readonly help: readonly string[];
}
