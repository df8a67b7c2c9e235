/** What `get`, `describe`, `wait` and `explain` are told of a pod whose volume is not mounted. */
import { describe, expect, it } from 'vitest';
import { loopPlugin } from '../../plugins/loop/plugin.ts';
import { MemoryStateStore } from '../adapters/memory-state-store.ts';
import { StateObjectStore } from '../adapters/state-object-store.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { StoredPod, Volume } from '../api/pod.ts';
import type { ControlWait } from '../controllers/control-waits.ts';
import { type Operation, operationKey } from '../plan/operation.ts';
import { nodesOf } from '../plan/this-node.ts';
import { populate } from '../reconcile/desired-state-of-world-populator.ts';
import type { FailedOperation } from '../reconcile/operation-executor.ts';
import { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import { diskLayout } from '../world/disk-layout.ts';
import { MountTable } from '../world/mount-table.ts';
import { StorageError, type StorageErrorOptions } from '../world/storage-error.ts';
import type { DaemonSnapshot } from './daemon-snapshot.ts';
import { explainPod } from './explain.ts';
import { podViews } from './pod-views.ts';
import { volumeViews } from './volume-views.ts';

const created = '2026-01-01T00:00:00Z';
const meta = (name: string) => ({
  ...{ name, namespace: 'default', uid: `uid-${name}`, resourceVersion: '0' },
  ...{ generation: 1, creationTimestamp: created },
});

const pod = (volume: Omit<Volume, 'name'>): StoredPod => ({
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: meta('web') },
  spec: { volumes: [{ name: 'data', ...volume }] },
});

const pendingClaim: StoredPersistentVolumeClaim = {
  ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: meta('data') },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '64Mi' } }, storageClassName: 'gold' },
  status: { phase: 'Pending' },
};

const scratch: Omit<Volume, 'name'> = { csi: { driver: 'loop.moored.dev', volumeAttributes: { size: '16Mi' } } };
const usesClaim: Omit<Volume, 'name'> = { persistentVolumeClaim: { claimName: 'data' } };

const wiring = {
  ...{ plugins: [loopPlugin], layout: diskLayout('/r'), complete: true },
  ...{ nodes: nodesOf({ name: 'node1', labels: {} }, []), isHere: () => false },
};

function snapshotOf(web: StoredPod, change: Partial<DaemonSnapshot> = {}): DaemonSnapshot {
  const objects = new StateObjectStore(new MemoryStateStore());
  for (const object of [web, pendingClaim]) objects.create(object);
  return {
    objects,
    ...{ nodes: wiring.nodes, startedAt: created },
    dsw: populate({ ...wiring, objects }),
    ...{ asw: new ActualStateOfWorld(), mounts: new MountTable([]), running: [], holds: [] },
    ...{ failed: new Map(), stalledServers: new Map(), waits: new Map(), now: 0, draining: false },
    ...{ conditions: new Map(), drift: new Map(), copies: [] },
    ...change,
  };
}

/** What the daemon says after the mount of the pod's own volume has failed so. */
function afterFailure(options: StorageErrorOptions) {
  const web = pod(scratch);
  const { dsw } = snapshotOf(web);
  const [volume] = dsw.volumes.values();
  if (volume === undefined) throw new Error('the volume is not resolved');
  const operation = { kind: 'mountDevice', volumeName: volume.name, reason: '', volume } as Operation;
  const error = new StorageError('Cannot use "/dev/loop3": why', options);
  const failed: FailedOperation = { operation, failures: 1, notBefore: 500, since: created, error, wish: '' };
  return views(web, { failed: new Map([[operationKey(volume.name, ''), failed]]) });
}

function afterWait(wait: Omit<ControlWait, 'since'>) {
  const waits = new Map([['PersistentVolumeClaim/default/data', { since: created, ...wait }]]);
  return views(pod(usesClaim), { waits });
}

function views(web: StoredPod, change: Partial<DaemonSnapshot>) {
  const snapshot = snapshotOf(web, change);
  const status = podViews(snapshot)[0]?.status;
  const volume = status?.volumes[0];
  return {
    condition: status?.conditions[0],
    volume,
    explained: explainPod(web, snapshot),
    views: volumeViews(snapshot),
  };
}

describe('a failed operation', () => {
  it('has its reason, the cause word for word and the advice everywhere', () => {
    const {
      condition,
      volume,
      explained,
      views: volumes,
    } = afterFailure({ code: 'NotBlank', hint: 'blkid -p /dev/loop3' });
    const message = 'Cannot use "/dev/loop3": why';
    const help = expect.stringMatching(/^blkid -p \/dev\/loop3\nwipefs DEVICE .*\ndmesg/);
    expect(condition).toMatchObject({ status: 'False', reason: 'FailedMount', message: `data: ${message}` });
    expect(volume).toMatchObject({ state: 'Failed', reason: 'FailedMount', message, help, needsChange: true });
    expect(explained.causes[0]).toMatchObject({ reason: 'FailedMount', detail: message, help, nextRetryMs: 500 });
    expect(volumes[0]).toMatchObject({ state: 'Failed', reason: 'FailedMount', message, help });
  });

  it('of an image that is not there yet needs no change: it may come', () => {
    const { volume } = afterFailure({ code: 'NotFound' });
    expect(volume).toMatchObject({ state: 'Failed' });
    expect(volume).not.toHaveProperty('needsChange');
  });

  it("has upstream's reason for another filesystem", () => {
    expect(afterFailure({ code: 'FilesystemMismatch' }).condition?.reason).toBe('FailedMountOnFilesystemMismatch');
  });
});

describe('a claim that is not bound', () => {
  it('says what the claim waits for, in the tree only once', () => {
    const message = 'storageclass.storage.k8s.io "gold" not found';
    const { condition, volume, explained } = afterWait({ reason: 'ProvisioningFailed', message });
    expect(condition?.reason).toBe('ClaimNotBound');
    expect(volume?.message).toBe(`Cannot resolve volume "data": claim "data" is Pending: ${message}`);
    expect(volume?.help).toContain('moorctl get sc');
    expect(volume).not.toHaveProperty('needsChange');
    const [ofVolume] = explained.causes;
    expect(ofVolume).toMatchObject({
      reason: 'ClaimNotBound',
      detail: 'Cannot resolve volume "data": claim "data" is Pending',
    });
    expect(ofVolume).not.toHaveProperty('help');
    expect(ofVolume?.causes[0]).toMatchObject({ reason: 'ProvisioningFailed', detail: message });
    expect(ofVolume?.causes[0]?.help).toContain('moorctl get sc');
  });

  it('needs a change when what it asks for cannot be made', () => {
    const error = new StorageError('Cannot provision: unknown parameter "fast"', { code: 'InvalidArgument' });
    const wait = { reason: 'ProvisioningFailed', message: error.message, error, retryAt: 900 } as const;
    expect(afterWait(wait).volume).toMatchObject({ needsChange: true });
  });
});

describe('what cannot be resolved', () => {
  it('needs a change when no driver of this name is here', () => {
    const { volume, explained } = views(pod({ csi: { driver: 'ebs.example.org' } }), {});
    const message = 'Cannot resolve volume "data": no plugin supports CSI driver "ebs.example.org"';
    expect(volume).toMatchObject({ reason: 'VolumeNotResolved', message, needsChange: true });
    expect(explained.causes[0]).toMatchObject({ reason: 'VolumeNotResolved', detail: message, help: volume?.help });
  });

  it('needs none while the claim may still come', () => {
    const { volume } = views(pod({ persistentVolumeClaim: { claimName: 'late' } }), {});
    expect(volume?.message).toContain('claim "late" not found');
    expect(volume).not.toHaveProperty('needsChange');
  });
});

it('says why a pod that has ended is still there: its volume cannot be unmounted', () => {
  const ended: StoredPod = { ...pod(scratch), status: { phase: 'Succeeded' } };
  const [wanted] = snapshotOf(pod(scratch)).dsw.volumes.values();
  if (wanted === undefined) throw new Error('the volume is not resolved');
  const { name, plugin, recipe, pods } = wanted;
  const asw = new ActualStateOfWorld();
  asw.addVolume({ name, plugin, recipe, pods: Object.fromEntries(pods) });
  const operation: Operation = { kind: 'unmountVolume', volumeName: name, podUid: 'uid-web', reason: '' };
  const error = new StorageError('Cannot unmount "/p": target is busy', { code: 'Busy', hint: 'fuser -vm /p' });
  const failed: FailedOperation = { operation, failures: 1, notBefore: 500, since: created, error, wish: '' };
  const { volume, explained } = views(ended, { asw, failed: new Map([[operationKey(name, 'uid-web'), failed]]) });
  const shown = { reason: 'FailedUnmount', help: expect.stringMatching(/^fuser -vm \/p\n/) };
  expect(volume).toMatchObject({ state: 'Failed', message: error.message, ...shown });
  expect(explained.causes[0]).toMatchObject({ detail: error.message, nextRetryMs: 500, ...shown });
});
