/** What the cases below integration/cases/sch cannot say: pods that are on this machine already. */
import { describe, expect, it } from 'vitest';
import { claim, podUsing, volume } from '../api/testing/storage-objects.ts';
import { nodesOf } from './this-node.ts';
import { type SchedulingWorld, schedulePod } from './volume-scheduling.ts';

const data = claim('data', '1Gi', {
  ...{ phase: 'Bound', volume: 'one', marks: ['bc'] },
  spec: { accessModes: ['ReadWriteOncePod'] },
});
const [first, second] = [podUsing('first', 'data'), podUsing('second', 'data')];

function worldWith(isHere: (podUid: string) => boolean): SchedulingWorld {
  return {
    nodes: nodesOf({ name: 'node1', labels: {} }, []),
    claim: () => data,
    volume: () => volume('one', '1Gi', { claim: 'data/uid-data', phase: 'Bound' }),
    storageClass: () => undefined,
    bestVolumeFor: () => undefined,
    podsUsing: () => [first, second],
    isHere,
    freeBytes: () => undefined,
  };
}

describe('a ReadWriteOncePod claim', () => {
  const world = worldWith((uid) => uid === 'uid-first');

  it('keeps a second pod away while the first has something here, and not the first', () => {
    expect(schedulePod(first, world)).toMatchObject({ kind: 'scheduled' });
    expect(schedulePod(second, world)).toMatchObject({
      kind: 'refused',
      message:
        '0/1 nodes are available: 1 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode.',
    });
    expect(
      schedulePod(
        second,
        worldWith(() => false),
      ),
    ).toMatchObject({ kind: 'scheduled' });
  });
});

describe('a pod that is here', () => {
  const chosen = { ...first, spec: { ...first.spec, nodeSelector: { disk: 'ssd' } } };

  it('is not asked for labels again, and one that is not is', () => {
    expect(
      schedulePod(
        chosen,
        worldWith((uid) => uid === 'uid-first'),
      ),
    ).toMatchObject({ kind: 'scheduled' });
    expect(
      schedulePod(
        chosen,
        worldWith(() => false),
      ),
    ).toMatchObject({ kind: 'refused', missesSpace: false });
  });

  it('is of the other node all the same when its manifest says so', () => {
    const moved = { ...first, spec: { ...first.spec, nodeName: 'node2' } };
    expect(
      schedulePod(
        moved,
        worldWith(() => true),
      ),
    ).toMatchObject({ kind: 'refused', reason: 'OtherNode' });
  });
});
