import { describe, expect, it } from 'vitest';
import type { InventorySidecar } from '../world/inventory.ts';
import { recoveredVolume } from './recovered-volume.ts';

const path = '/r/images/shop/data-u1.img';
const sidecar: InventorySidecar = {
  volumeHandle: 'pvc-u1',
  ownerUid: 'u1',
  owner: 'claim shop/data',
  driver: 'loop.moored.dev',
  sizeBytes: 67_108_864n,
  claim: { namespace: 'shop', name: 'data', uid: 'u1' },
  persistentVolume: {
    name: 'pvc-u1',
    spec: {
      capacity: { storage: '64Mi' },
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'fast',
      persistentVolumeReclaimPolicy: 'Delete',
      csi: { driver: 'loop.moored.dev', volumeHandle: 'pvc-u1', volumeAttributes: { path: '/old/data-u1.img' } },
    },
  },
};
const birth = { uid: 'uid-new', now: '2026-01-01T00:00:00Z' };
const recover = (change: Partial<InventorySidecar> = {}, sizeBytes = 67_108_864n) =>
  recoveredVolume({ path, sizeBytes, sidecar: { ...sidecar, ...change } }, birth);
const withRecord = (record: object) =>
  recover({
    persistentVolume: { ...sidecar.persistentVolume, ...record } as NonNullable<typeof sidecar.persistentVolume>,
  });

describe('the volume of a sidecar', () => {
  it('is Released, kept, of its claim, and where the image is now', () => {
    expect(recover()).toMatchObject({
      kind: 'volume',
      volume: {
        metadata: {
          name: 'pvc-u1',
          uid: 'uid-new',
          annotations: { 'pv.kubernetes.io/provisioned-by': 'loop.moored.dev' },
          finalizers: ['kubernetes.io/pv-protection'],
        },
        spec: {
          capacity: { storage: '64Mi' },
          persistentVolumeReclaimPolicy: 'Retain',
          claimRef: { namespace: 'shop', name: 'data', uid: 'u1' },
          csi: { volumeAttributes: { path } },
        },
        status: { phase: 'Released' },
      },
    });
  });

  it('is as large as its image has grown since', () => {
    expect(recover({ sizeBytes: 134_217_728n }, 134_217_728n)).toMatchObject({
      volume: { spec: { capacity: { storage: '128Mi' } } },
    });
  });

  it.each<[string, () => unknown, RegExp]>([
    ['no claim', () => recoveredVolume({ path, sizeBytes: 1n, sidecar: undefined }, birth), /no sidecar/],
    ['a record that is none', () => withRecord({ spec: 7 }), /not legal: spec/],
    ['an illegal record', () => withRecord({ spec: { accessModes: ['Often'] } }), /not legal/],
    ['an illegal name', () => withRecord({ name: '../etc' }), /not legal: metadata.name/],
    [
      'an illegal claim',
      () => recover({ claim: { namespace: '..', name: 'x', uid: 'u' } }),
      /not legal: spec.claimRef/,
    ],
    ['another handle', () => recover({ volumeHandle: 'pvc-u2' }), /another one/],
    ['another driver', () => recover({ driver: 'other.example.org' }), /another one/],
    ['a shorter image', () => recover({}, 67_108_863n), /67108863 bytes.*something is missing/],
  ])('is refused with %s', (_what, ask, why) => {
    const answer = ask() as { readonly kind: string; readonly reason: string };
    expect(answer.kind).toBe('refused');
    expect(answer.reason).toMatch(why);
  });

  it('is not made up when the sidecar does not say what it was', () => {
    const { persistentVolume: _, ...old } = sidecar;
    expect(recoveredVolume({ path, sizeBytes: 67_108_864n, sidecar: old }, birth)).toMatchObject({ kind: 'refused' });
  });
});
