import { describe, expect, it } from 'vitest';
import { MemoryStateStore } from '../adapters/memory-state-store.ts';
import { StateObjectStore } from '../adapters/state-object-store.ts';
import type { PersistentVolumeClaimStatus, StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import { claim, storageClass, volume } from '../api/testing/storage-objects.ts';
import { annotations } from '../api/well-known.ts';
import { nodesOf } from '../plan/this-node.ts';
import { ClaimCache } from './claim-cache.ts';
import { claimWorldOf, type NodeExpansion } from './claim-world.ts';
import { nextExpansionStep } from './expansion-step.ts';

const before = '2026-01-01T00:00:00Z';
const now = '2026-02-02T00:00:00Z';
const gi = 1024n ** 3n;

interface Case {
  readonly request?: string;
  readonly capacity?: string;
  readonly status?: PersistentVolumeClaimStatus;
  readonly mode?: 'Filesystem' | 'Block';
  readonly allow?: boolean;
  readonly node?: Partial<NodeExpansion>;
  readonly inUse?: boolean;
  readonly made?: boolean;
  readonly annotated?: boolean;
}

const has = (storage: string): PersistentVolumeClaimStatus => ({ phase: 'Bound', capacity: { storage } });

function step(given: Case) {
  const { request = '1Gi', capacity = '1Gi', status = has('1Gi'), allow = true, inUse = true, made = true } = given;
  const objects = new StateObjectStore(new MemoryStateStore());
  objects.create(storageClass('gold', { allowVolumeExpansion: allow }));
  const world = claimWorldOf(objects, new ClaimCache(), {
    now,
    nodes: nodesOf({ name: 'node1', labels: {} }, []),
    isHere: () => false,
    freeBytes: () => undefined,
    canProvision: () => true,
    canExpand: () => made,
    canRecycle: () => false,
    failureOf: () => undefined,
    isInUse: () => inUse,
    nodeExpansion: () => ({ expandedBytes: 0n, isRunning: false, ...given.node }),
  });
  const meta = given.annotated === true ? { annotations: { [annotations.preResizeCapacity]: '1Gi' } } : {};
  const mode = given.mode ?? 'Filesystem';
  const one = volume('one', capacity, { phase: 'Bound', claim: 'data/uid-data', meta, spec: { volumeMode: mode } });
  const data = { ...claim('data', request, { volume: 'one', spec: { storageClassName: 'gold' } }), status };
  return nextExpansionStep(data, one, world);
}

/** The status that the step writes. */
function written(given: Case) {
  const result = step(given);
  if (result.kind !== 'write') return expect.unreachable(`the step is ${result.kind}`);
  return {
    status: (result.object as StoredPersistentVolumeClaim).status,
    reason: result.event?.reason,
  };
}

const condition = (type: string, message = '', since = now) => ({
  ...{ type, status: 'True', reason: type, message },
  lastTransitionTime: since,
});
const pendingMessage = 'Waiting for user to (re-)start a pod to finish file system resize of volume on node.';
const resizing: PersistentVolumeClaimStatus = {
  ...has('1Gi'),
  allocatedResources: { storage: '2Gi' },
  allocatedResourceStatuses: { storage: 'ControllerResizeInProgress' },
  conditions: [condition('Resizing', '', before)] as never,
};
const pending: PersistentVolumeClaimStatus = {
  ...has('1Gi'),
  allocatedResources: { storage: '2Gi' },
  allocatedResourceStatuses: { storage: 'NodeResizePending' },
  conditions: [condition('FileSystemResizePending', pendingMessage, before)] as never,
};

describe('a claim that has what it asks for', () => {
  it.each([
    ['exactly', {}],
    ['in another spelling', { request: '1024Mi' }],
    ['and more', { request: '512Mi' }],
    ['of a volume whose capacity was lowered by hand', { capacity: '512Mi', request: '256Mi' }],
    ['and was bound before it had a capacity', { status: { phase: 'Bound' as const } }],
  ])('%s is settled', (_name, given) => {
    expect(step(given)).toEqual({ kind: 'settled' });
  });
});

describe('a larger request', () => {
  it('is written down with its size first', () => {
    expect(written({ request: '2Gi' })).toEqual({
      status: { ...resizing, conditions: [condition('Resizing')] },
      reason: 'Resizing',
    });
  });

  it('then makes the volume larger', () => {
    expect(step({ request: '2Gi', status: resizing })).toMatchObject({ kind: 'expand', storage: '2Gi' });
  });

  it('changed meanwhile is written down anew', () => {
    expect(written({ request: '3Gi', status: resizing })).toMatchObject({
      status: { allocatedResources: { storage: '3Gi' }, conditions: [condition('Resizing', '', before)] },
      reason: 'Resizing',
    });
  });

  it('goes before a filesystem that is still to be grown', () => {
    expect(written({ request: '3Gi', capacity: '2Gi', status: pending }).status).toMatchObject({
      allocatedResourceStatuses: { storage: 'ControllerResizeInProgress' },
    });
  });

  it.each([
    ['a class that does not allow it', { allow: false }, /^only dynamically provisioned pvc can be resized/],
    ['a volume that nobody here made', { made: false }, /^volume "one" was not provisioned by moored/],
  ])('is refused by %s, with a condition and then an event', (_name, given, message) => {
    const { status } = written({ request: '2Gi', ...given });
    expect(status?.conditions).toMatchObject([
      { type: 'ControllerResizeError', message: expect.stringMatching(message) },
    ]);
    expect(status?.allocatedResources).toBeUndefined();
    expect(step({ request: '2Gi', ...given, ...(status === undefined ? {} : { status }) })).toMatchObject({
      kind: 'wait',
      reason: 'VolumeResizeFailed',
    });
  });

  it('that is refused no longer begins', () => {
    const { status } = written({ request: '2Gi', allow: false });
    expect(written({ request: '2Gi', status: status! })).toMatchObject({
      status: { conditions: [condition('Resizing')] },
    });
  });
});

describe('a request that is taken back', () => {
  it('before the volume was made larger leaves nothing', () => {
    const error = condition('ControllerResizeError', 'no space left', before) as never;
    const failed = { ...resizing, conditions: [...resizing.conditions!, error] };
    expect(written({ status: failed }).status).toEqual(has('1Gi'));
  });

  it('after it leaves the volume as large as it is', () => {
    expect(step({ request: '1Gi', capacity: '2Gi', status: pending })).toMatchObject({ kind: 'wait' });
  });
});

describe('a volume that is larger than its claim says', () => {
  it('is waited for on the node', () => {
    expect(written({ request: '2Gi', capacity: '2Gi', status: resizing })).toEqual({
      status: { ...pending, conditions: [condition('FileSystemResizePending', pendingMessage)] },
      reason: undefined,
    });
    expect(step({ request: '2Gi', capacity: '2Gi', status: pending })).toEqual({
      ...{ kind: 'wait', reason: 'FileSystemResizeRequired', until: 'volumesChange' },
      message: 'Require file system resize of volume on node',
    });
  });

  it('says so while it is grown, and why it could not be', () => {
    const given = { request: '2Gi', capacity: '2Gi', status: pending };
    const { status } = written({ ...given, node: { isRunning: true } });
    expect(status?.allocatedResourceStatuses).toEqual({ storage: 'NodeResizeInProgress' });
    const failed = written({ ...given, status: status!, node: { error: 'Cannot grow' } }).status!;
    expect(failed.conditions).toEqual([
      condition('FileSystemResizePending', pendingMessage, before),
      condition('NodeResizeError', 'Cannot grow'),
    ]);
    expect(step({ ...given, status: failed, node: { error: 'Cannot grow' } })).toMatchObject({
      ...{ kind: 'wait', reason: 'VolumeResizeFailed', message: 'Cannot grow' },
    });
  });

  it('has been grown when the node says so, not before', () => {
    const given = { request: '2Gi', capacity: '2Gi', status: pending };
    expect(step({ ...given, node: { expandedBytes: 2n * gi - 1n } }).kind).toBe('wait');
    expect(written({ ...given, node: { expandedBytes: 2n * gi } })).toEqual({
      status: { ...has('2Gi'), allocatedResources: { storage: '2Gi' } },
      reason: 'FileSystemResizeSuccessful',
    });
  });

  it('whose capacity was raised by hand goes the same way', () => {
    expect(written({ capacity: '2Gi', made: false }).status).toMatchObject({
      allocatedResourceStatuses: { storage: 'NodeResizePending' },
    });
  });

  it('and is a raw device at rest has it at once; one in use waits for its device', () => {
    const given = { request: '2Gi', capacity: '2Gi', status: resizing, mode: 'Block' } as const;
    expect(written({ ...given, inUse: false })).toMatchObject({
      status: { capacity: { storage: '2Gi' } },
      reason: 'VolumeResizeSuccessful',
    });
    expect(written(given).status).toMatchObject({ allocatedResourceStatuses: { storage: 'NodeResizePending' } });
  });
});

it('the capacity of before is forgotten when it is no longer needed', () => {
  const grown = { ...has('2Gi'), allocatedResources: { storage: '2Gi' } };
  const result = step({ request: '2Gi', capacity: '2Gi', status: grown, annotated: true });
  expect(result).toMatchObject({ kind: 'write', object: { kind: 'PersistentVolume', metadata: { annotations: {} } } });
  expect(step({ request: '2Gi', capacity: '2Gi', status: grown })).toEqual({ kind: 'settled' });
});
