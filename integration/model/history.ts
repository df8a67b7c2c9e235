/** What may happen to a machine, as data: the same histories drive the simulation and, where it can, the real daemon. */
import fc from 'fast-check';
import { counts, type Declaration, podCount } from './declarations.ts';

const localAdminActs = [
  'umount',
  'overMount',
  'mountOnTarget',
  'unmountForeign',
  'remount',
  'detachLoop',
  'takeLoop',
  'removeImage',
  'replaceImage',
  'restoreImage',
] as const;
export type LocalAdminAct = (typeof localAdminActs)[number];

/** What happens on the storage network, or to what this machine has of it. */
const networkAdminActs = ['portal', 'iscsiLogin', 'iscsiLogout', 'staleNfs'] as const;
export type NetworkAct = (typeof networkAdminActs)[number];
export type AdminAct = LocalAdminAct | NetworkAct;

export type StepKind =
  /** whole: by rename; half: cut off somewhere; garbage: not YAML of ours. */
  | {
      readonly kind: 'write';
      readonly file: number;
      readonly declarations: readonly Declaration[];
      readonly how: 'whole' | 'half' | 'garbage';
    }
  | { readonly kind: 'remove'; readonly file: number }
  | { readonly kind: 'rename'; readonly file: number; readonly to: number }
  | { readonly kind: 'directory'; readonly state: 'readable' | 'unreadable' | 'swapped' }
  | { readonly kind: 'admin'; readonly act: AdminAct }
  /** A workload writes to where its pod's volumes are. */
  | { readonly kind: 'workload' }
  | { readonly kind: 'wait'; readonly ms: number }
  /** Dies at the n-th call of a port from now, or at once when there are fewer; `again`: and so in its next start. */
  | { readonly kind: 'crash'; readonly how: 'kill' | 'powerCut'; readonly calls: number; readonly again: number }
  | { readonly kind: 'restart' }
  | { readonly kind: 'drain' }
  /** How many of a hundred calls go wrong from now on. */
  | { readonly kind: 'faults'; readonly percent: number }
  | { readonly kind: 'stateDisk'; readonly refuses: boolean }
  /** Faults stop, the admin mends what he broke: the daemon must come to rest where the manifests say. */
  | { readonly kind: 'calm' };

/** `salt`: all chance within the step comes from it, so that a shorter history keeps the rest as it was. */
export type Step = StepKind & { readonly salt: number };

type Weights = Readonly<Record<StepKind['kind'], number>>;

const modelWeights: Weights = {
  write: 30,
  remove: 10,
  rename: 3,
  directory: 3,
  admin: 16,
  workload: 8,
  wait: 16,
  crash: 12,
  restart: 2,
  drain: 1,
  faults: 10,
  stateDisk: 3,
  calm: 5,
};

type Reach = keyof typeof counts;

/** One declaration of an object a file: two would be refused as a whole, which is not what most histories are about. */
const declarationsOf = (reach: Reach): fc.Arbitrary<Declaration[]> =>
  fc.uniqueArray(
    fc.oneof(
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('claim' as const), index: fc.nat(counts[reach].claims - 1) }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant('pod' as const),
          index: fc.nat(podCount - 1),
          variant: fc.nat(counts[reach].variants - 1),
        }),
      },
    ),
    { maxLength: 4, selector: ({ kind, index }) => `${kind} ${index}` },
  );

const actsOf = (reach: Reach): readonly AdminAct[] =>
  reach === 'local' ? localAdminActs : [...localAdminActs, ...networkAdminActs];

const file = fc.nat(5);

type StepKinds = { readonly [K in StepKind['kind']]: fc.Arbitrary<Extract<StepKind, { kind: K }>> };

const stepKindsOf = (reach: Reach): StepKinds => ({
  write: fc.record({
    kind: fc.constant('write' as const),
    file,
    declarations: declarationsOf(reach),
    how: fc.constantFrom('whole', 'whole', 'whole', 'whole', 'whole', 'half', 'garbage'),
  }),
  remove: fc.record({ kind: fc.constant('remove' as const), file }),
  rename: fc.record({ kind: fc.constant('rename' as const), file, to: file }),
  directory: fc.record({
    kind: fc.constant('directory' as const),
    state: fc.constantFrom('readable', 'readable', 'unreadable', 'swapped'),
  }),
  admin: fc.record({ kind: fc.constant('admin' as const), act: fc.constantFrom(...actsOf(reach)) }),
  workload: fc.constant({ kind: 'workload' as const }),
  wait: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 10, 250, 1_000, 5_000, 130_000) }),
  crash: fc.record({
    kind: fc.constant('crash' as const),
    how: fc.constantFrom('kill', 'kill', 'powerCut'),
    calls: fc.nat(80),
    again: fc.oneof(
      { weight: 3, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 12 }) },
    ),
  }),
  restart: fc.constant({ kind: 'restart' as const }),
  drain: fc.constant({ kind: 'drain' as const }),
  faults: fc.record({ kind: fc.constant('faults' as const), percent: fc.constantFrom(0, 3, 10, 30) }),
  stateDisk: fc.record({ kind: fc.constant('stateDisk' as const), refuses: fc.boolean() }),
  calm: fc.constant({ kind: 'calm' as const }),
});

function stepOf(reach: Reach, weights: Weights): fc.Arbitrary<Step> {
  const kinds = Object.entries(stepKindsOf(reach)).map(([kind, arbitrary]) => ({
    weight: weights[kind as StepKind['kind']],
    arbitrary: arbitrary as fc.Arbitrary<StepKind>,
  }));
  return fc.tuple(fc.oneof(...kinds), fc.nat(0x7fffffff)).map(([kind, salt]) => ({ ...kind, salt }));
}

export interface HistoryShape {
  /** local: nothing that needs a storage network. */
  readonly reach: Reach;
  readonly shortest?: number;
  readonly longest: number;
  /** How much more or less often than in the model a kind of step comes. */
  readonly weights?: Partial<Weights>;
}

export function histories({ reach, shortest = 1, longest, weights = {} }: HistoryShape): fc.Arbitrary<readonly Step[]> {
  const step = stepOf(reach, { ...modelWeights, ...weights });
  return fc.array(step, { minLength: shortest, maxLength: longest, size: 'max' });
}
