import { describe, expect, it, test } from 'vitest';
import type { NodeSelectorRequirement, NodeSelectorTerm } from '../api/node-selector.ts';
import { storedNode } from '../api/testing/nodes.ts';
import { matchesNode, matchesTopology } from './node-affinity.ts';
import { nodesOf } from './this-node.ts';

const node = { name: 'node1', labels: { zone: 'a', disk: '10', empty: '' } };
const expression = (key: string, operator: NodeSelectorRequirement['operator'], ...values: string[]) => ({
  matchExpressions: [{ key, operator, values }],
});
const matches = (...nodeSelectorTerms: NodeSelectorTerm[]) => matchesNode({ nodeSelectorTerms }, node);

describe('matchesNode', () => {
  it('lets every node through without a selector, and none through an empty one or an empty term', () => {
    expect(matchesNode(undefined, node)).toBe(true);
    expect(matches()).toBe(false);
    expect(matches({})).toBe(false);
    expect(matches({ matchExpressions: [] })).toBe(false);
  });

  test.each([
    ['zone', 'In', ['a', 'b'], true],
    ['zone', 'In', ['b'], false],
    ['rack', 'In', [''], false],
    ['zone', 'NotIn', ['b'], true],
    ['zone', 'NotIn', ['a'], false],
    ['rack', 'NotIn', ['a'], true],
    ['empty', 'Exists', [], true],
    ['rack', 'Exists', [], false],
    ['rack', 'DoesNotExist', [], true],
    ['zone', 'DoesNotExist', [], false],
    ['disk', 'Gt', ['9'], true],
    ['disk', 'Gt', ['10'], false],
    ['disk', 'Lt', ['11'], true],
    ['disk', 'Lt', ['9'], false],
    ['zone', 'Gt', ['1'], false],
    ['rack', 'Lt', ['1'], false],
  ] as const)('%s %s %j: %s', (key, operator, values, expected) => {
    expect(matches(expression(key, operator, ...values))).toBe(expected);
  });

  it('ORs terms and ANDs what is in one', () => {
    const [yes] = expression('zone', 'In', 'a').matchExpressions;
    const [no] = expression('zone', 'In', 'b').matchExpressions;
    if (yes === undefined || no === undefined) throw new Error('no expression');
    expect(matches({ matchExpressions: [no] }, { matchExpressions: [yes] })).toBe(true);
    expect(matches({ matchExpressions: [yes, no] })).toBe(false);
  });

  it('knows the field metadata.name', () => {
    const byName = (name: string) => ({
      matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] } as const],
    });
    expect(matches(byName('node1'))).toBe(true);
    expect(matches(byName('node2'))).toBe(false);
    expect(matches({ ...byName('node1'), ...expression('zone', 'In', 'b') })).toBe(false);
  });
});

describe('matchesTopology', () => {
  const zone = (...values: string[]) => ({ matchLabelExpressions: [{ key: 'zone', values }] });

  it('is met everywhere without terms, by any term, by all expressions of one', () => {
    expect(matchesTopology(undefined, node.labels)).toBe(true);
    expect(matchesTopology([], node.labels)).toBe(true);
    expect(matchesTopology([zone('b'), zone('a')], node.labels)).toBe(true);
    expect(matchesTopology([zone('b')], node.labels)).toBe(false);
    expect(matchesTopology([{}], node.labels)).toBe(false);
    const both = { matchLabelExpressions: [...zone('a').matchLabelExpressions, { key: 'rack', values: ['r'] }] };
    expect(matchesTopology([both], node.labels)).toBe(false);
  });
});

describe('nodesOf', () => {
  const old = 'failure-domain.beta.kubernetes.io/zone';
  const zone = 'topology.kubernetes.io/zone';

  test.each([zone, old])('takes %s for both spellings', (key) => {
    expect(nodesOf({ name: 'n', labels: { [key]: 'b' } }, []).own.labels).toEqual({ [zone]: 'b', [old]: 'b' });
  });

  it('adds the labels and taints of a manifest, over which its own labels win', () => {
    const taints = [{ key: 'k', effect: 'NoSchedule' }] as const;
    const declared = storedNode('n', { labels: { rack: 'r', zone: 'manifest' }, spec: { taints } });
    const { own, others } = nodesOf({ name: 'n', labels: { zone: 'own' } }, [storedNode('m'), declared]);
    const { labels, ...facts } = own;
    expect(labels).toEqual({ rack: 'r', zone: 'own' });
    expect(facts).toEqual({ name: 'n', taints, unschedulable: false });
    expect(others.map(({ name }) => name)).toEqual(['m']);
  });
});
