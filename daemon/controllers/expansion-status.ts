/** What a growth writes into a claim's status. Pure. */
import type {
  ClaimCondition,
  ClaimConditionType,
  ClaimResourceStatus,
  PersistentVolumeClaimStatus as Status,
} from '../api/persistent-volume-claim.ts';

interface Stage {
  readonly storage: string;
  readonly stage: ClaimResourceStatus;
}

/** A claim's status as it is, and the time at which what is new in it begins, RFC 3339. */
export interface StatusNow {
  readonly status: Status | undefined;
  readonly now: string;
}

const pendingMessage = 'Waiting for user to (re-)start a pod to finish file system resize of volume on node.';

/** Growing to `storage`; an error of an earlier try goes when another stage or size is reached. */
export function expanding(current: StatusNow, { storage, stage }: Stage): Status {
  const condition =
    stage === 'ControllerResizeInProgress'
      ? conditionOf(current, 'Resizing', '')
      : conditionOf(current, 'FileSystemResizePending', pendingMessage);
  return {
    ...current.status,
    allocatedResources: { storage },
    allocatedResourceStatuses: { storage: stage },
    conditions: [condition],
  };
}

/** @param base the status to which the error is added */
export function withExpansionError(
  base: Status,
  current: StatusNow,
  type: 'ControllerResizeError' | 'NodeResizeError',
  message: string,
): Status {
  const others = (base.conditions ?? []).filter((condition) => condition.type !== type);
  return { ...base, conditions: [...others, conditionOf(current, type, message)] };
}

/** A condition that held before has held since then, whatever its message is now. */
function conditionOf({ status, now }: StatusNow, type: ClaimConditionType, message: string): ClaimCondition {
  const before = status?.conditions?.find((condition) => condition.type === type);
  return { type, status: 'True', reason: type, message, lastTransitionTime: before?.lastTransitionTime ?? now };
}

/** Grown: what was allocated is what there is. */
export function expanded(status: Status | undefined, storage: string): Status {
  return { ...withoutExpansion(status), capacity: { storage }, allocatedResources: { storage } };
}

/** No growth under way. */
export function withoutExpansion(status: Status = {}): Status {
  const { allocatedResourceStatuses, allocatedResources, conditions: _conditions, ...rest } = status;
  // What was asked for and taken back was never allocated.
  const isOver = allocatedResourceStatuses === undefined && allocatedResources !== undefined;
  return isOver ? { ...rest, allocatedResources } : rest;
}

export function sameStatus(a: Status, b: Status | undefined): boolean {
  return JSON.stringify(fieldsOf(a)) === JSON.stringify(fieldsOf(b ?? {}));
}

/** In one order, whoever wrote them. */
function fieldsOf({ phase, accessModes, capacity, allocatedResources, allocatedResourceStatuses, conditions }: Status) {
  const times = conditions?.map(({ type, reason, message, lastTransitionTime }) => [
    type,
    reason,
    message,
    lastTransitionTime,
  ]);
  return [phase, accessModes, capacity, allocatedResources, allocatedResourceStatuses, times];
}
