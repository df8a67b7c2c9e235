import { describe, expect, test } from 'vitest';
import { resourceKinds } from '../../control/protocol.ts';
import { UsageError } from '../exit-code.ts';
import { parsePodName, parseReference, parseReferences } from './resource-reference.ts';
import { findKind, resources } from './resources.ts';

describe('kinds', () => {
  test.each([
    ['po', 'pods'],
    ['pod', 'pods'],
    ['Pods', 'pods'],
    ['PVC', 'persistentvolumeclaims'],
    ['persistentvolumeclaim', 'persistentvolumeclaims'],
    ['pv', 'persistentvolumes'],
    ['sc', 'storageclasses'],
    ['storageclass', 'storageclasses'],
    ['vol', 'volumes'],
    ['volume', 'volumes'],
    ['dsw', 'dsw'],
    ['asw', 'asw'],
    ['ops', 'operations'],
    ['ev', 'events'],
    ['mf', 'manifests'],
    ['no', 'nodes'],
    ['nodesets', undefined],
    ['', undefined],
  ])('%s is %s', (word, kind) => {
    expect(findKind(word)).toBe(kind);
  });

  test('every alias belongs to one kind', () => {
    const aliases = resourceKinds.flatMap((kind) => [...new Set(resources[kind].aliases)]);
    expect(new Set(aliases).size).toBe(aliases.length);
  });

  test('what -o name prints can be given back', () => {
    for (const kind of resourceKinds) expect(findKind(resources[kind].qualified)).toBe(kind);
  });
});

describe('parseReferences', () => {
  test.each([
    [['pods'], [{ kind: 'pods' }]],
    [['pods,pvc'], [{ kind: 'pods' }, { kind: 'persistentvolumeclaims' }]],
    [
      ['po', 'web', 'db'],
      [
        { kind: 'pods', name: 'web' },
        { kind: 'pods', name: 'db' },
      ],
    ],
    [
      ['pod/web', 'pvc/data'],
      [
        { kind: 'pods', name: 'web' },
        { kind: 'persistentvolumeclaims', name: 'data' },
      ],
    ],
    [['volume', 'kubernetes.io/csi/x^1'], [{ kind: 'volumes', name: 'kubernetes.io/csi/x^1' }]],
    [['vol/kubernetes.io/csi/x^1'], [{ kind: 'volumes', name: 'kubernetes.io/csi/x^1' }]],
  ])('%j', (args, expected) => {
    expect(parseReferences(args)).toEqual(expected);
  });

  test.each([
    [['x']],
    [['pods,x']],
    [['pod/']],
    [['pods', 'pod/web']],
    [['pod/web', 'data']],
    [['x/y']],
    [['pods', '']],
  ])('refuses %j', (args) => {
    expect(() => parseReferences(args)).toThrow(UsageError);
  });
});

test('parseReference wants exactly one name', () => {
  expect(parseReference(['pod', 'web'])).toEqual({ kind: 'pods', name: 'web' });
  expect(() => parseReference(['pod'])).toThrow(UsageError);
  expect(() => parseReference(['pod', 'a', 'b'])).toThrow(UsageError);
});

test('parsePodName takes pod/NAME and NAME, and no other kind', () => {
  expect(parsePodName('pod/web')).toBe('web');
  expect(parsePodName('web')).toBe('web');
  expect(() => parsePodName('pvc/data')).toThrow(UsageError);
});
