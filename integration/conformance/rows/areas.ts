/** The rows of docs/conformance.md, an area a constant. */
import type { Area } from '../row.ts';
import {
  bind,
  claimPhases,
  decisions,
  delayedBinding,
  matching,
  provisioning,
  reclaim,
  volumePhases,
} from './binding.ts';
import { examples, flow } from './examples.ts';
import { snapshots } from './snapshots.ts';
import { statefulSets } from './stateful-sets.ts';
import { terms } from './terms.ts';
import { topology } from './topology.ts';

export const areas: readonly Area[] = [
  terms,
  examples,
  flow,
  volumePhases,
  claimPhases,
  delayedBinding,
  matching,
  bind,
  provisioning,
  reclaim,
  snapshots,
  topology,
  statefulSets,
  decisions,
];
