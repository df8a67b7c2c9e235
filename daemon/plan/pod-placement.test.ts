import { describe, expect, it, test } from 'vitest';
import type { NodeSpec } from '../api/node.ts';
import type { PodSpec, StoredPod } from '../api/pod.ts';
import { storedNode } from '../api/testing/nodes.ts';
import { podUsing } from '../api/testing/storage-objects.ts';
import { placementRefusal } from './pod-placement.ts';
import { nodesOf } from './this-node.ts';

const pod = (spec: PodSpec): StoredPod => podUsing('web', 'data', { spec });
const zoneB = { matchExpressions: [{ key: 'zone', operator: 'In', values: ['b'] } as const] };
const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [zoneB] } };
const taint = { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' } as const;

/** What stands against the pod on a node of zone a, or ''. */
function refused(spec: PodSpec, own: NodeSpec = {}): string {
  const nodes = nodesOf({ name: 'node1', labels: { zone: 'a' } }, [storedNode('node1', { spec: own })]);
  return placementRefusal(pod(spec), nodes)?.message ?? '';
}

describe('placementRefusal', () => {
  test.each<[string, PodSpec, NodeSpec, string]>([
    ['nothing asked', {}, {}, ''],
    ['a selector that is met', { nodeSelector: { zone: 'a' } }, {}, ''],
    ['a selector', { nodeSelector: { zone: 'b' } }, {}, "node(s) didn't match Pod's node affinity/selector"],
    ['an affinity', { affinity: { nodeAffinity: required } }, {}, "node(s) didn't match Pod's node affinity/selector"],
    ['a cordon', {}, { unschedulable: true }, 'node(s) were unschedulable'],
    ['a taint', {}, { taints: [taint] }, 'node(s) had untolerated taint {dedicated: gpu}'],
    ['a soft taint', {}, { taints: [{ ...taint, effect: 'PreferNoSchedule' }] }, ''],
    ['a tolerated taint', { tolerations: [{ key: 'dedicated', value: 'gpu' }] }, { taints: [taint] }, ''],
    ['another value', { tolerations: [{ key: 'dedicated', value: 'x' }] }, { taints: [taint] }, 'untolerated'],
    [
      'another effect',
      { tolerations: [{ key: 'dedicated', operator: 'Exists', effect: 'NoExecute' }] },
      { taints: [taint] },
      'untolerated',
    ],
    ['all tolerated', { tolerations: [{ operator: 'Exists' }] }, { taints: [taint], unschedulable: true }, ''],
    ['no key and Equal', { tolerations: [{ value: 'gpu' }] }, { taints: [taint] }, 'untolerated'],
    [
      'its own name, past taint and selector',
      { nodeName: 'node1', nodeSelector: { zone: 'b' } },
      { taints: [taint] },
      '',
    ],
  ])('%s', (_name, spec, own, expected) => {
    const message = refused(spec, own);
    if (expected === '') expect(message).toBe('');
    else expect(message).toContain(`0/1 nodes are available: 1 `);
    expect(message).toContain(expected);
  });

  it('says of a pod of another node whose it is', () => {
    const nodes = nodesOf({ name: 'node1', labels: {} }, []);
    expect(placementRefusal(pod({ nodeName: 'node2' }), nodes)).toEqual({
      reason: 'OtherNode',
      message: 'the pod is for node "node2", and this machine is "node1"',
    });
  });

  it('counts alike reasons together, as the scheduler does', () => {
    const others = ['b', 'c'].map((name) => storedNode(name, { labels: { zone: 'c' } }));
    const nodes = nodesOf({ name: 'node1', labels: { zone: 'a' } }, [
      ...others,
      storedNode('d', { labels: { zone: 'b' } }),
    ]);
    expect(placementRefusal(pod({ affinity: { nodeAffinity: required } }), nodes)?.message).toBe(
      "0/4 nodes are available: 1 node(s) are another machine, 3 node(s) didn't match Pod's node affinity/selector.",
    );
  });
});
