import { describe, expect, it, test } from 'vitest';
import { MemoryStateStore } from '../adapters/memory-state-store.ts';
import { StateObjectStore } from '../adapters/state-object-store.ts';
import type { StoredObject } from '../api/object.ts';
import { claim, podUsing, storageClass, type VolumeWords, volume } from '../api/testing/storage-objects.ts';
import type { ExplainNode } from '../control/protocol.ts';
import { nodesOf } from '../plan/this-node.ts';
import { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import { emptyDesiredStateOfWorld } from '../world/desired-state-of-world.ts';
import { MountTable } from '../world/mount-table.ts';
import type { DaemonSnapshot } from './daemon-snapshot.ts';
import { explainClaim } from './explain-claim.ts';

const wanted = claim('data', '2Gi', {
  phase: 'Pending',
  spec: { storageClassName: 'gold', selector: { matchLabels: { disk: 'ssd' } } },
});

function explain(objects: readonly StoredObject[], waits: DaemonSnapshot['waits'] = new Map()): readonly ExplainNode[] {
  const store = new StateObjectStore(new MemoryStateStore());
  for (const object of [wanted, ...objects]) store.create(object);
  return explainClaim(wanted, {
    ...{ objects: store, waits, nodes: nodesOf({ name: 'node1', labels: { zone: 'a' } }, []), startedAt: '' },
    ...{ dsw: emptyDesiredStateOfWorld, asw: new ActualStateOfWorld(), mounts: new MountTable([]) },
    ...{ running: [], holds: [], failed: new Map(), stalledServers: new Map(), now: 0, draining: false },
    ...{ conditions: new Map(), drift: new Map(), copies: [] },
  }).causes;
}

const ssd = { labels: { disk: 'ssd' } };
const gold = { storageClassName: 'gold' };
const elsewhere = {
  required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['b'] } as const] }] },
};

function reasonsOf(size: string, words: VolumeWords): string {
  const spec = { ...gold, ...words.spec };
  return explain([volume('one', size, { ...words, meta: { ...ssd, ...words.meta }, spec })])[1]?.detail ?? '';
}

describe('a volume that a claim does not get', () => {
  test.each<[string, string, VolumeWords]>([
    ['it fits', '2Gi', {}],
    ['it is being deleted', '2Gi', { meta: { deletionTimestamp: '2026-01-01T00:00:00Z' } }],
    ['it is bound to claim default/other', '2Gi', { claim: 'other/uid-other', phase: 'Bound' }],
    ['it is bound to claim default/data of another uid, an earlier one of this name', '2Gi', { claim: 'data/uid-old' }],
    ['its phase is Released', '2Gi', { phase: 'Released' }],
    ['class is "silver", wanted "gold"', '2Gi', { spec: { storageClassName: 'silver' } }],
    ['volumeMode is Block, wanted Filesystem', '2Gi', { spec: { volumeMode: 'Block' } }],
    ['capacity 1Gi is less than 2Gi', '1Gi', {}],
    ['accessModes lack ReadWriteOnce', '2Gi', { spec: { accessModes: ['ReadOnlyMany'] } }],
    ['labels do not match the selector', '2Gi', { meta: { labels: {} } }],
    ['nodeAffinity does not match node "node1"', '2Gi', { spec: { nodeAffinity: elsewhere } }],
    [
      'class is "silver", wanted "gold"; capacity 1Gi is less than 2Gi',
      '1Gi',
      { spec: { storageClassName: 'silver' } },
    ],
  ])('%s', (expected, size, words) => {
    expect(reasonsOf(size, words)).toBe(expected);
  });
});

describe('explainClaim', () => {
  it('puts 200 volumes together by the rules that exclude them, those that fit first, and counts what it does not name', () => {
    const small = Array.from({ length: 150 }, (_, at) => volume(`s${at}`, '1Gi', { meta: ssd, spec: gold }));
    const foreign = Array.from({ length: 49 }, (_, at) => volume(`f${at}`, '2Gi', { meta: ssd }));
    const causes = explain([
      storageClass('gold'),
      ...small,
      ...foreign,
      volume('fits', '2Gi', { meta: ssd, spec: gold }),
    ]);
    expect(causes.map(({ subject, state }) => `${subject}: ${state}`)).toEqual([
      'class gold: Immediate',
      'volume fits: Available',
      '150 volumes: capacity',
      '49 volumes: storageClassName',
    ]);
    expect(causes[2]?.detail).toMatch(/^capacity 1Gi is less than 2Gi: s0, s1, .* and 130 more$/);
    expect(causes[3]?.detail).toMatch(/^class is "", wanted "gold": f0, f1, .* and 29 more$/);
  });

  it('says what the class does, here', () => {
    const classLine = (spec: Parameters<typeof storageClass>[1]) => explain([storageClass('gold', spec)])[0];
    expect(explain([storageClass('silver')])[0]).toMatchObject({ state: 'Missing', detail: 'there are silver' });
    expect(classLine({ volumeBindingMode: 'WaitForFirstConsumer' })).toMatchObject({ state: 'WaitForFirstConsumer' });
    expect(classLine({ provisioner: 'kubernetes.io/no-provisioner' })?.detail).toContain('it makes no volumes');
    const allowedTopologies = [{ matchLabelExpressions: [{ key: 'zone', values: ['b'] }] }];
    expect(classLine({ allowedTopologies })?.detail).toContain('not on this node');
  });

  it('names the pods that it waits for, and why they have no node', () => {
    const wait = { reason: 'FailedScheduling', message: '0/1 nodes are available: why.', since: '' } as const;
    const objects = [storageClass('gold'), podUsing('web', 'data'), podUsing('other', 'else')];
    const causes = explain(
      objects,
      new Map([
        ['Pod/default/web', wait],
        ['Pod/default/other', wait],
      ]),
    );
    expect(causes.slice(1)).toMatchObject([{ subject: 'pod default/web', detail: wait.message }]);
  });
});
