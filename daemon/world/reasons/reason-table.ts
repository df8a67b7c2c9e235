/**
 * Every reason that an event or a status can have. Whoever records one names it from here, so that none is without a
 * meaning and an advice; docs/troubleshooting.md is made of it (`npm run docs`).
 */
import { claimReasons } from './claim-reasons.ts';
import { manifestReasons } from './manifest-reasons.ts';
import type { Reason } from './reason.ts';
import { schedulingReasons } from './scheduling-reasons.ts';
import { serviceReasons } from './service-reasons.ts';
import { snapshotReasons } from './snapshot-reasons.ts';
import { statefulSetReasons } from './stateful-set-reasons.ts';
import { volumeReasons } from './volume-reasons.ts';

const table = {
  ...volumeReasons,
  ...claimReasons,
  ...statefulSetReasons,
  ...manifestReasons,
  ...schedulingReasons,
  ...serviceReasons,
  ...snapshotReasons,
};

export type ReasonCode = keyof typeof table;

export const reasons: Readonly<Record<ReasonCode, Reason>> = table;
