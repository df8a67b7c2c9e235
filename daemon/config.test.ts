import { describe, expect, it, test } from 'vitest';
import { parseConfig } from './config.ts';

const read = (values: Record<string, unknown>) => parseConfig([{ name: 'moored.yaml', values }]);

describe('parseConfig', () => {
  it('has a default for everything but the name of the node', () => {
    expect(read({})).toMatchObject({
      rootDir: '/var/lib/moored',
      stateDir: '/var/lib/moored/state',
      node: { labels: {} },
    });
    expect(read({}).node).not.toHaveProperty('name');
  });

  it('reads name and labels of the node', () => {
    const node = { name: 'edge-1', labels: { rack: 'rack1', 'topology.kubernetes.io/zone': 'cellar' } };
    expect(read({ node }).node).toEqual(node);
  });

  it('never empties the trash unless a grace is set', () => {
    expect(read({}).trash).toEqual({});
    expect(read({ trash: { grace: '7d' } }).trash).toEqual({ graceMs: 604_800_000 });
    expect(read({ trash: { grace: '30m' } }).trash).toEqual({ graceMs: 1_800_000 });
  });

  test.each([
    [{ node: 'edge-1' }, '"node" is not a mapping'],
    [{ node: { nmae: 'x' } }, 'unknown key "node.nmae", want name or labels'],
    [{ node: { name: 'Edge_1' } }, '"node.name": "Edge_1" is not a legal name'],
    [{ node: { labels: { rack: 1 } } }, '"node.labels["rack"]" is not a string'],
    [{ node: { labels: { rack: 'a b' } } }, 'is not a legal label value'],
    [{ node: { labels: { 'a b': 'c' } } }, 'is not a legal key'],
    [{ trash: { grace: 7 } }, '"trash.grace" is 7, wanted such as 7d, 12h or 30m'],
    [{ trash: { grade: '7d' } }, 'unknown key "trash.grade", want grace'],
    [{ claims: { ignoreFinishedPods: 'yes' } }, '"claims.ignoreFinishedPods" is not true or false'],
    [{ nod: {} }, 'unknown key "nod", did you mean "node"?'],
  ])('refuses %j', (values, message) => {
    expect(() => read(values)).toThrow(message);
  });
});
