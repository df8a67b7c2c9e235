import { describe, expect, test } from 'vitest';
import { decodeDocument } from './decode.ts';

type Fields = Record<string, unknown>;

const apiVersion = 'snapshot.storage.k8s.io/v1';
const snapshot = (spec: Fields): Fields => ({ apiVersion, kind: 'VolumeSnapshot', metadata: { name: 's' }, spec });
const snapshotClass = (fields: Fields): Fields => ({
  ...{ apiVersion, kind: 'VolumeSnapshotClass', metadata: { name: 'c' } },
  ...{ driver: 'loop.moored.dev', deletionPolicy: 'Delete' },
  ...fields,
});
const content = (source: Fields, spec: Fields = {}): Fields => ({
  ...{ apiVersion, kind: 'VolumeSnapshotContent', metadata: { name: 'v' } },
  spec: {
    volumeSnapshotRef: { namespace: 'default', name: 's', uid: 'of another store' },
    ...{ driver: 'loop.moored.dev', deletionPolicy: 'Retain', source },
    ...spec,
  },
});
const claimFrom = (spec: Fields): Fields => ({
  ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'restored' } },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
});

/** The object, or the problems as text. */
function decoded(document: Fields): unknown {
  const [result] = decodeDocument(document);
  if (result?.outcome === 'object') return result.object;
  return result?.outcome === 'invalid'
    ? result.problems.map(({ path, message }) => `${path}: ${message}`).join('\n')
    : result?.outcome;
}

describe('what is accepted', () => {
  test('a snapshot of a claim is in "default" when it does not say where', () => {
    expect(decoded(snapshot({ source: { persistentVolumeClaimName: 'data' } }))).toMatchObject({
      metadata: { name: 's', namespace: 'default' },
      spec: { source: { persistentVolumeClaimName: 'data' } },
    });
  });

  test('a class, its fields under spec', () => {
    const parameters = { consistency: 'crash', freezeLimit: '30s', 'csi.storage.k8s.io/snapshotter-secret-name': 'x' };
    expect(decoded(snapshotClass({ parameters }))).toMatchObject({
      spec: { driver: 'loop.moored.dev', deletionPolicy: 'Delete', parameters },
    });
  });

  test('a content, without the uid that its reference has in another store', () => {
    expect(decoded(content({ snapshotHandle: 'default/s-1' }))).toMatchObject({
      spec: { volumeSnapshotRef: { namespace: 'default', name: 's' }, source: { snapshotHandle: 'default/s-1' } },
    });
    expect(JSON.stringify(decoded(content({ snapshotHandle: 'default/s-1' })))).not.toContain('another store');
  });

  test('what the server says of status is dropped', () => {
    const exported = { ...snapshot({ source: { persistentVolumeClaimName: 'data' } }), status: { readyToUse: true } };
    expect(decoded(exported)).not.toHaveProperty('status');
  });
});

describe('what is refused', () => {
  test.each([
    [snapshot({ source: {} }), /spec.source: has nothing: want exactly one of persistentVolumeClaimName/],
    [
      snapshot({ source: { persistentVolumeClaimName: 'a', volumeSnapshotContentName: 'b' } }),
      /has persistentVolumeClaimName and volumeSnapshotContentName: want exactly one/,
    ],
    [snapshot({ source: { persistentVolumeClaim: 'a' } }), /did you mean "persistentVolumeClaimName"/],
    [{ apiVersion, kind: 'VolumeSnapshotClass', metadata: { name: 'c' }, driver: 'x' }, /deletionPolicy: required/],
    [snapshotClass({ deletionPolicy: 'Retian' }), /did you mean "Retain"/],
    [snapshotClass({ snapshotter: 'x' }), /snapshotter: unknown field/],
    [snapshotClass({ parameters: { consistency: 'cash' } }), /did you mean "crash"/],
    [snapshotClass({ parameters: { freezeLimit: '601s' } }), /"601s" is not a time: want 1s to 600s/],
    [snapshotClass({ parameters: { freezelimit: '1s' } }), /did you mean "freezeLimit"/],
    [content({}), /spec.source: has nothing/],
    [content({ snapshotHandle: '../../etc/passwd' }), /is not a handle of loop.moored.dev/],
    [content({ snapshotHandle: '/etc/x/y' }), /is not a handle of loop.moored.dev/],
    [content({ snapshotHandle: '.trash/y' }), /is not a handle of loop.moored.dev/],
    [
      { ...snapshot({ source: {} }), apiVersion: 'snapshot.storage.k8s.io/v1alpha1' },
      /"snapshot.storage.k8s.io\/v1alpha1" has no VolumeSnapshot: want "snapshot.storage.k8s.io\/v1"/,
    ],
    [
      claimFrom({ dataSource: { kind: 'PersistentVolumeClaim', name: 'a' }, dataSourceRef: { kind: 'X', name: 'a' } }),
      /dataSource: differs from dataSourceRef/,
    ],
    [claimFrom({ dataSource: { kind: 'PersistentVolumeClaim' } }), /dataSource.name: required/],
  ])('%j', (document, problem) => {
    expect(decoded(document)).toMatch(problem);
  });
});
