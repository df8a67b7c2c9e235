import type { ObjectMeta, TypedObject } from './meta.ts';

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

export interface Toleration {
  /** Missing with operator Exists: every key. */
  readonly key?: string;
  readonly operator?: 'Exists' | 'Equal';
  readonly value?: string;
  /** Missing: every effect. */
  readonly effect?: Taint['effect'] | '';
}

/** The rest of a legal node passes through untouched. */
export interface NodeSpec {
  readonly taints?: readonly Taint[];
  readonly unschedulable?: boolean;
  readonly [key: string]: unknown;
}

/** A machine that a manifest tells of: ours, if it has our name; any other is shown and served by its own daemon. */
export interface Node extends TypedObject<'Node', NodeSpec> {}

export interface StoredNode extends Node {
  readonly metadata: ObjectMeta;
}
