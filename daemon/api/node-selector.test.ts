/** Node selectors, topologies and nodes as manifests have them: what is refused, and in which words. */
import { describe, expect, it, test } from 'vitest';
import { decodeDocument } from './decode.ts';

type Fields = Readonly<Record<string, unknown>>;

const term = (requirement: Fields) => ({ nodeSelectorTerms: [{ matchExpressions: [requirement] }] });

const volume = (spec: Fields): Fields => ({
  ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'disk' } },
  spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], local: { path: '/mnt/disk' }, ...spec },
});
const affinity = (required: unknown) => volume({ nodeAffinity: { required } });

const storageClass = (expression: Fields): Fields => ({
  ...{ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'fast' } },
  ...{ provisioner: 'loop.moored.dev', allowedTopologies: [{ matchLabelExpressions: [expression] }] },
});

const node = (spec: Fields): Fields => ({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node1' }, spec });

function problemsOf(document: Fields): readonly string[] {
  return decodeDocument(document).flatMap((decoded) =>
    decoded.outcome === 'invalid' ? decoded.problems.map(({ path, message }) => `${path}: ${message}`) : [],
  );
}

describe('what is refused', () => {
  const affinityPath = 'spec.nodeAffinity.required.nodeSelectorTerms';
  test.each<[string, Fields, string]>([
    ['a local volume without a node', volume({}), 'spec.nodeAffinity: required: a local volume names the node'],
    ['a path that climbs', affinityWithPath('/mnt/../etc'), 'spec.local.path: "/mnt/../etc" contains ".."'],
    ['a relative path', affinityWithPath('mnt'), 'spec.local.path: "mnt" is not an absolute path'],
    ['an affinity without required', volume({ nodeAffinity: {} }), 'spec.nodeAffinity.required: required'],
    ['no term', affinity({ nodeSelectorTerms: [] }), `${affinityPath}: required: at least one node selector term`],
    ['In without values', affinity(term({ key: 'a', operator: 'In' })), 'values: required with operator In'],
    [
      'Exists with values',
      affinity(term({ key: 'a', operator: 'Exists', values: ['b'] })),
      'not allowed with operator',
    ],
    ['Gt of a word', affinity(term({ key: 'a', operator: 'Gt', values: ['b'] })), 'want exactly one whole number'],
    ['an unknown operator', affinity(term({ key: 'a', operator: 'Is', values: ['b'] })), '"Is" is not one of In'],
    [
      'another field than the name',
      affinity({ nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.uid', operator: 'In', values: ['x'] }] }] }),
      'matchFields[0].key: "metadata.uid" is not one of metadata.name',
    ],
    ['a topology without values', storageClass({ key: 'zone', values: [] }), 'values: required: at least one value'],
    ['a topology with an operator', storageClass({ key: 'zone', operator: 'In', values: ['a'] }), 'unknown field'],
    ['a taint without effect', node({ taints: [{ key: 'a' }] }), 'spec.taints[0].effect: required'],
  ])('%s', (_name, document, message) => {
    expect(problemsOf(document).join('\n')).toContain(message);
  });
});

function affinityWithPath(path: string): Fields {
  return volume({ local: { path }, nodeAffinity: { required: term({ key: 'a', operator: 'Exists' }) } });
}

describe('what is taken', () => {
  it('keeps an empty term, which matches no node, and the rest of a node as it is', () => {
    expect(problemsOf(affinity({ nodeSelectorTerms: [{}] }))).toEqual([]);
    const taints = [{ key: 'dedicated', value: 'data', effect: 'NoSchedule', timeAdded: '2026-01-01T00:00:00Z' }];
    const [decoded] = decodeDocument({ ...node({ podCIDR: '10.0.0.0/24', taints }), status: { capacity: {} } });
    expect(decoded).toMatchObject({ outcome: 'object', object: { kind: 'Node', spec: { taints } } });
    expect(decoded).not.toHaveProperty('object.status');
  });
});
