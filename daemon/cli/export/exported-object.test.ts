import { describe, expect, it } from 'vitest';
import { exportedObject } from './exported-object.ts';

const meta = { name: 'x', namespace: 'shop', uid: 'u', resourceVersion: '3', generation: 1, finalizers: ['f'] };
const plain = { isNamed: false, withVolumes: false };
const ours = { 'pv.kubernetes.io/bound-by-controller': 'yes', 'pv.kubernetes.io/bind-completed': 'yes' };

describe('an exported object', () => {
  it('has what a user declared, and no annotation of a controller', () => {
    const annotations = { ...ours, 'moored.dev/manifest': 'web.yaml', note: 'kept' };
    const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { ...meta, annotations } };
    expect(exportedObject({ ...claim, spec: { volumeName: 'pvc-1' }, status: { phase: 'Bound' } }, plain)).toEqual({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'x', namespace: 'shop', annotations: { note: 'kept' } },
      spec: {},
    });
  });

  it('keeps the volume that a user named', () => {
    const claim = { kind: 'PersistentVolumeClaim', metadata: meta, spec: { volumeName: 'disk' } };
    expect(exportedObject(claim, plain)).toMatchObject({ spec: { volumeName: 'disk' } });
  });

  it('is left out when the other cluster makes it by itself, unless it is named', () => {
    const owned = { kind: 'Pod', metadata: { ...meta, ownerReferences: [{ kind: 'StatefulSet' }] }, spec: {} };
    const provisioned = {
      kind: 'PersistentVolume',
      metadata: { name: 'pvc-1', namespace: '', annotations: { 'pv.kubernetes.io/provisioned-by': 'd', ...ours } },
      spec: { persistentVolumeReclaimPolicy: 'Delete', claimRef: { namespace: 'shop', name: 'x', uid: 'u' } },
    };
    for (const object of [owned, provisioned]) {
      expect(exportedObject(object, plain)).toBeUndefined();
      expect(exportedObject(object, { ...plain, isNamed: true })).toBeDefined();
    }
    expect(exportedObject(provisioned, { ...plain, withVolumes: true })).toEqual({
      kind: 'PersistentVolume',
      metadata: { name: 'pvc-1' },
      spec: { persistentVolumeReclaimPolicy: 'Retain', claimRef: { namespace: 'shop', name: 'x' } },
    });
  });
});
