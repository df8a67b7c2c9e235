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

  it('limits nothing of pools and memory unless it is told to', () => {
    expect(read({})).toMatchObject({ pool: {}, memory: {} });
    const given = read({ pool: { overcommit: 1.5, reserve: '10%' }, memory: { limit: '1Gi' } });
    expect(given.pool).toEqual({ overcommit: 1.5, reserve: { kind: 'percent', percent: 10 } });
    expect(given.memory).toEqual({ limit: { kind: 'bytes', bytes: 1_073_741_824n } });
    expect(read({ pool: { reserve: 1000 } }).pool).toEqual({ reserve: { kind: 'bytes', bytes: 1000n } });
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
    [{ pool: 2 }, '"pool" is not a mapping'],
    [{ pool: { overcommit: '2' } }, '"pool.overcommit" is "2", wanted a ratio of 0.01 to 1000 such as 1 or 1.5'],
    [{ pool: { overcommit: 0 } }, '"pool.overcommit" is 0, wanted a ratio'],
    [{ pool: { reserve: '101%' } }, '"pool.reserve" is "101%", wanted a quantity such as 10Gi, or a part such as 10%'],
    [{ pool: { reserve: '-1Gi' } }, '"pool.reserve" is "-1Gi", wanted a quantity'],
    [{ pool: { free: '1Gi' } }, 'unknown key "pool.free", want overcommit or reserve'],
    [{ memory: { limit: 'much' } }, '"memory.limit" is "much", wanted a quantity'],
    [{ memory: { max: '1Gi' } }, 'unknown key "memory.max", want limit'],
    [{ nod: {} }, 'unknown key "nod", did you mean "node"?'],
  ])('refuses %j', (values, message) => {
    expect(() => read(values)).toThrow(message);
  });
});
