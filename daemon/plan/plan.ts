/**
 * The planner: two worlds in, operations out. Three phases in the kubelet's order (reconciler.go): unmountVolumes,
 * mountAttachVolumes, unmountDetachDevices. Level-triggered: nothing is remembered between passes.
 *
 *   NotAttached ──attachVolume──► Attached ──mountDevice──► DeviceGloballyMounted ──mountVolume──► VolumeMounted
 *        ▲                           │  ▲                        │      ▲                             │
 *        └──────detachVolume─────────┘  └─────unmountDevice──────┘      └────────unmountVolume────────┘
 *
 * expandVolume moves no state: from DeviceGloballyMounted (Block: Attached) on, whenever the volume shall be larger.
 */
import { formatBytes } from '../api/quantity.ts';
import type { ActualStateOfWorld, ActualVolume } from '../world/actual-state-of-world.ts';
import type { DesiredStateOfWorld, PodToMount, VolumeToMount } from '../world/desired-state-of-world.ts';
import { deviceMayBeMounted, volumeMayBeMounted } from '../world/mount-state.ts';
import { wantedGrowth } from '../world/volume-growth.ts';
import { endsWithItsPod, sameRecipe } from '../world/volume-recipe.ts';
import type { PodVolumeRecord } from '../world/volume-record.ts';
import type { Operation } from './operation.ts';
import { Pass, type Plan, type PlanContext } from './pass.ts';

export function plan(dsw: DesiredStateOfWorld, asw: ActualStateOfWorld, context: PlanContext): Plan {
  const pass = new Pass(context, asw);
  if (dsw.complete || context.draining) unmountVolumes(dsw, asw, pass);
  if (!context.draining) mountAttachVolumes(dsw, asw, pass);
  if (dsw.complete || context.draining) unmountDetachDevices(dsw, asw, pass);
  return pass.result();
}

function unmountVolumes(dsw: DesiredStateOfWorld, asw: ActualStateOfWorld, pass: Pass): void {
  for (const volume of asw.volumes.values()) {
    const { name } = volume.record;
    for (const pod of Object.values(volume.record.pods)) {
      const uid = pod.pod.uid;
      const isDesired = dsw.volumes.get(name)?.pods.has(uid) ?? false;
      const isProvenGone = dsw.complete && !isDesired && !dsw.errors.has(uid);
      if (pass.context.draining) drainPod(volume, pod, isProvenGone, pass);
      else if (isDesired) continue;
      // Unmount only on positive proof: a pod that is not wholly understood may still want it.
      else if (dsw.errors.has(uid)) pass.hold(name, uid, 'pod is not fully resolved: what it has is kept');
      else pass.unmount(name, pod, 'pod no longer uses the volume');
    }
  }
}

/** A directory emptyDir has nothing to unmount, and "unmounting" it would delete what a living pod has in it. */
function drainPod(volume: ActualVolume, pod: PodVolumeRecord, isProvenGone: boolean, pass: Pass): void {
  if (!isProvenGone && pod.mount.kind === 'directory') return;
  pass.unmount(volume.record.name, pod, 'draining');
}

function mountAttachVolumes(dsw: DesiredStateOfWorld, asw: ActualStateOfWorld, pass: Pass): void {
  for (const volume of dsw.volumes.values()) {
    const actual = asw.get(volume.name);
    if (actual !== undefined && isRecipeChanged(volume, actual, pass)) continue;
    const step = nextVolumeStep(volume, actual);
    if (step !== undefined) {
      pass.add(step);
      continue;
    }
    growVolume(volume, actual, pass);
    for (const pod of volume.pods.values()) mountPod(volume, pod, actual, pass);
  }
}

/** A changed recipe takes effect once nothing of the old one is left (phase three takes it down). */
function isRecipeChanged(volume: VolumeToMount, actual: ActualVolume, pass: Pass): boolean {
  if (sameRecipe(volume.recipe, actual.record.recipe) || isAtRest(actual)) return false;
  pass.hold(volume.name, '', 'the volume changed while in use: takes effect when no pod uses it any more');
  return true;
}

function isAtRest(actual: ActualVolume): boolean {
  return (
    actual.attachState === 'NotAttached' &&
    actual.deviceMountState === 'DeviceNotMounted' &&
    Object.keys(actual.record.pods).length === 0
  );
}

function nextVolumeStep(volume: VolumeToMount, actual: ActualVolume | undefined): Operation | undefined {
  const { recipe, name: volumeName } = volume;
  if (recipe.attachment !== undefined && actual?.attachState !== 'Attached') {
    const reason = actual?.attachState === 'AttachUncertain' ? 'attach is uncertain' : 'volume is not attached';
    return { kind: 'attachVolume', volumeName, volume, reason };
  }
  if (recipe.deviceMount !== undefined && actual?.deviceMountState !== 'DeviceGloballyMounted') {
    const isUncertain = actual?.deviceMountState === 'DeviceMountUncertain';
    const reason = isUncertain ? 'device mount is uncertain' : 'device is not mounted';
    return { kind: 'mountDevice', volumeName, volume, reason };
  }
  return undefined;
}

/**
 * Before the pods are mounted: it takes the volume's key, so that a volume that was at rest is grown before it is used.
 * While a failed growth waits for its next try the pods are served all the same: smaller data is better than none.
 */
function growVolume(volume: VolumeToMount, actual: ActualVolume | undefined, pass: Pass): void {
  const size = wantedGrowth(volume, actual);
  if (size === undefined) return;
  const reason = `volume is to have ${formatBytes(size.desiredBytes)}`;
  pass.add({ kind: 'expandVolume', volumeName: volume.name, volume, size, reason });
}

function mountPod(volume: VolumeToMount, pod: PodToMount, actual: ActualVolume | undefined, pass: Pass): void {
  const uid = pod.pod.uid;
  const state = actual?.podStates.get(uid) ?? 'VolumeNotMounted';
  const recorded = actual?.record.pods[uid];
  if (state === 'VolumeMounted' && recorded !== undefined && !sameRecipe(recorded.mount, pod.mount)) {
    changeMount(volume, recorded, pod, pass);
  } else if (state !== 'VolumeMounted') {
    const reason = volumeMayBeMounted(state) ? 'volume mount is uncertain' : 'volume is not mounted';
    pass.add({ kind: 'mountVolume', volumeName: volume.name, volume, pod, reason });
  }
}

/** Read-only to writable or back is a new bind; anything else would end data that the pod is using. */
function changeMount(volume: VolumeToMount, recorded: PodVolumeRecord, pod: PodToMount, pass: Pass): void {
  const podUid = pod.pod.uid;
  const { mount } = recorded;
  const isBind = mount.kind === pod.mount.kind && ['bind', 'deviceBind', 'local'].includes(mount.kind);
  if (!isBind) pass.hold(volume.name, podUid, 'the volume changed: takes effect for the next pod of this name');
  else pass.unmount(volume.name, recorded, 'the pod wants another mount');
}

function unmountDetachDevices(dsw: DesiredStateOfWorld, asw: ActualStateOfWorld, pass: Pass): void {
  for (const actual of asw.volumes.values()) {
    const volumeName = actual.record.name;
    const desired = dsw.volumes.get(volumeName);
    if (Object.keys(actual.record.pods).length > 0) continue;
    const isWanted = desired !== undefined && sameRecipe(desired.recipe, actual.record.recipe);
    if (isWanted && !pass.context.draining) continue;
    const reason = downReason(desired, pass.context.draining);
    if (deviceMayBeMounted(actual.deviceMountState)) pass.add({ kind: 'unmountDevice', volumeName, reason });
    else if (actual.attachState !== 'NotAttached') pass.add({ kind: 'detachVolume', volumeName, reason });
    else if (desired === undefined && dsw.complete) forgetVolume(actual, dsw, reason, pass);
  }
}

/** With an inline volume its image goes: not while a pod that may be its owner is not wholly understood. */
function forgetVolume(actual: ActualVolume, dsw: DesiredStateOfWorld, reason: string, pass: Pass): void {
  const { name: volumeName, recipe } = actual.record;
  const mayBeSomeones = endsWithItsPod(recipe) && dsw.errors.size > 0;
  if (mayBeSomeones) pass.hold(volumeName, '', 'a pod is not fully resolved and may be its owner: its image is kept');
  else pass.add({ kind: 'forgetVolume', volumeName, reason });
}

function downReason(desired: VolumeToMount | undefined, draining: boolean): string {
  if (draining) return 'draining';
  return desired === undefined ? 'no pod uses the volume' : 'the volume changed';
}
