/** What must hold whenever the daemon is at rest between two events, and what must be reached when all is calm. */
import { isTerminated, type StoredPod } from '../../daemon/api/pod.ts';
import { claimNamesOf } from '../../daemon/api/pod-claims.ts';
import type { Core } from '../../daemon/core.ts';
import type { ActualVolume } from '../../daemon/world/actual-state-of-world.ts';
import type { VolumeToMount } from '../../daemon/world/desired-state-of-world.ts';
import type { MountInfo } from '../../daemon/world/mount-info.ts';
import { type Attachment, imagePathOf } from '../../daemon/world/volume-recipe.ts';
import type { VolumeRecord } from '../../daemon/world/volume-record.ts';
import { type Declaration, initialLuns, keyOfDeclaration } from './declarations.ts';
import { layout, type Machine } from './machine.ts';
import { checkNetworkLeft, showsAnotherLun } from './network-oracles.ts';

/** After every step. */
export function checkState(machine: Machine): void {
  for (const text of machine.host.violations.splice(0)) machine.violation(text);
  const { life, host, disk } = machine;
  const records = [...(disk.read().get('volumes')?.values() ?? [])] as VolumeRecord[];
  const known = new Set(records.filter(({ retired }) => retired !== true).flatMap(pathsOf));
  for (const mount of ownMounts(machine)) {
    if (!known.has(mount.mountPoint)) machine.violation(`no record knows the mount at ${mount.mountPoint}`);
  }
  if (life === undefined || life.isDead || life.core.executor.running.length > 0) return;
  for (const volume of life.core.asw.volumes.values()) checkVolume(volume, machine);
  for (const [path, entry] of host.entries) {
    const isOpen = path.endsWith('/mount') && entry.kind === 'directory' && !entry.isSealed;
    if (isOpen && host.top(path) === undefined) machine.violation(`${path} is open without a mount`);
  }
}

function pathsOf({ recipe, pods }: VolumeRecord): readonly string[] {
  return [recipe.globalMountPath, ...Object.values(pods).map(({ targetPath }) => targetPath)];
}

function ownMounts({ host }: Machine): readonly MountInfo[] {
  return host.mounts.filter((mount) => mount.mountPoint.startsWith(layout.rootDir) && !host.isForeign(mount));
}

/** What is marked as mounted is mounted, and shows this volume's own image. */
function checkVolume({ record, podStates, deviceMountState, attachState }: ActualVolume, machine: Machine): void {
  const { recipe, name } = record;
  if (Object.keys(record.pods).sort().join() !== [...podStates.keys()].sort().join()) {
    machine.violation(`the pods of ${name} are not those of its record`);
  }
  if (attachState === 'Attached' && record.attached === undefined) machine.violation(`${name} is attached to nothing`);
  if (deviceMountState === 'DeviceGloballyMounted') checkMount(recipe.globalMountPath, record, machine);
  for (const pod of Object.values(record.pods)) {
    if (podStates.get(pod.pod.uid) !== 'VolumeMounted') continue;
    if (pod.mount.kind === 'directory') {
      if (!machine.host.entries.has(pod.targetPath)) machine.violation(`${pod.targetPath} is marked, and not there`);
    } else checkMount(pod.targetPath, record, machine);
  }
}

function checkMount(path: string, { name, recipe }: VolumeRecord, machine: Machine): void {
  const { host } = machine;
  const top = host.top(path);
  if (top === undefined || host.isForeign(top)) return machine.violation(`${path} is marked as mounted, and is not`);
  const { attachment } = recipe;
  const device = top.fsType === 'devtmpfs' ? `/dev${top.root}` : top.source;
  const wrong = attachment && wrongSource(device, attachment, machine);
  if (wrong !== undefined) machine.violation(`${path} of ${name} shows ${wrong}`);
}

/** What a device shows instead of what the volume is. */
function wrongSource(device: string, attachment: Attachment, machine: Machine): string | undefined {
  if (attachment.kind === 'iscsi') return showsAnotherLun(device, attachment, machine) ? 'another LUN' : undefined;
  const loop = machine.host.loops.get(device);
  if (loop?.path !== attachment.path) return `${loop?.path ?? device}, wanted ${attachment.path}`;
  const shown = loop.image.sidecar?.volumeHandle;
  return attachment.isOwned && shown !== attachment.volumeHandle ? `the data of ${shown}` : undefined;
}

/** After the calm: all that is declared is mounted, nothing else is left. */
export function checkConverged(machine: Machine): void {
  const { life } = machine;
  if (life === undefined || life.isDead || life.source === undefined) {
    return machine.violation('the daemon does not come up');
  }
  const { core } = life;
  const running = core.executor.running.map(({ operation }) => `${operation.kind} ${operation.volumeName}`);
  if (running.length > 0) machine.violation(`still running: ${running.join(', ')}`);
  const declared = new Map(
    [...machine.manifests.files.values()].flatMap(({ declarations }) =>
      declarations.map((one): [string, Declaration] => [keyOfDeclaration(one), one]),
    ),
  );
  const pods = core.objects.list('Pod');
  // A claim ends when no pod names it: one that is declared anew meanwhile waits for that.
  const used = new Set(
    pods.flatMap(({ spec }) => spec.volumes?.map((volume) => volume.persistentVolumeClaim?.claimName)),
  );
  const isUsed = (key: string): boolean => key.startsWith('PersistentVolumeClaim/') && used.has(key.split('/').at(-1));
  for (const key of declared.keys()) {
    const object = core.objects.get(key as Parameters<typeof core.objects.get>[0]);
    if (object === undefined) machine.violation(`${key} is declared, and is no object`);
    else if (object.metadata.deletionTimestamp !== undefined && !isUsed(key)) {
      machine.violation(`${key} is declared anew, and the old one does not end`);
    }
  }
  for (const pod of pods) checkPod(pod, declared, machine);
  checkNothingLeft(machine);
  checkData(machine);
}

function checkPod(pod: StoredPod, declared: ReadonlyMap<string, Declaration>, machine: Machine): void {
  const { name, uid } = pod.metadata;
  if (!declared.has(`Pod/default/${name}`)) {
    return machine.violation(`pod ${name} (${uid}) is declared no more, and stays`);
  }
  if (isTerminated(pod)) return;
  for (const { name: volumeName, persistentVolumeClaim } of pod.spec.volumes ?? []) {
    const claimName = persistentVolumeClaim?.claimName;
    if (claimName !== undefined && !isBoundable(claimName, declared, machine)) continue;
    if (claimName !== undefined && isWithoutConsumer(claimName, declared, machine)) continue;
    if (isMountedOrRefused(uid, volumeName, machine)) continue;
    machine.violation(`pod ${name} (${uid}) does not get its volume ${volumeName}: ${whyNot(uid, machine)}`);
  }
}

function isMountedOrRefused(uid: string, volumeName: string, machine: Machine): boolean {
  const core = machine.life?.core;
  if (core === undefined) return false;
  const volumes = core.asw.volumesOfPod(uid).filter(({ record }) => record.pods[uid]?.outerNames.includes(volumeName));
  if (volumes.some(({ podStates }) => podStates.get(uid) === 'VolumeMounted')) return true;
  const isWanted = ({ pods }: VolumeToMount): boolean => pods.get(uid)?.outerNames.includes(volumeName) === true;
  const wanted = [...core.reconciler.dsw.volumes.values()].find(isWanted);
  const recipe = (wanted ?? volumes[0]?.record)?.recipe;
  const path = recipe && imagePathOf(recipe);
  return (path !== undefined && machine.tampered.has(path)) || isHeldChange(uid, volumeName, machine);
}

/**
 * Whether the claim can be bound at all: it is declared, is not the ending one of before, and the volume that a user
 * brought for it is not Released by an earlier claim of its name (upstream: an admin has to say that it may be used again).
 */
function isBoundable(name: string, declared: ReadonlyMap<string, Declaration>, machine: Machine): boolean {
  const key = `PersistentVolumeClaim/default/${name}`;
  const objects = machine.life?.core.objects;
  const claim = objects?.list('PersistentVolumeClaim').find(({ metadata }) => metadata.name === name);
  const volume = objects?.list('PersistentVolume').find(({ metadata }) => metadata.name === name);
  const isReleased = volume?.spec.claimRef !== undefined && volume.spec.claimRef.uid !== claim?.metadata.uid;
  return declared.has(key) && claim?.metadata.deletionTimestamp === undefined && !isReleased;
}

/**
 * Whether the claim waits for a pod and no pod that uses it can have a node: the claims of a pod are decided together, and
 * one that is missing keeps the others waiting (scheduler, PreFilter: "persistentvolumeclaim … not found").
 */
function isWithoutConsumer(name: string, declared: ReadonlyMap<string, Declaration>, machine: Machine): boolean {
  const objects = machine.life?.core.objects;
  const claim = objects?.list('PersistentVolumeClaim').find(({ metadata }) => metadata.name === name);
  if (claim?.spec.storageClassName !== 'late' || claim.status?.phase === 'Bound') return false;
  const consumers = (objects?.list('Pod') ?? [])
    .filter((pod) => !isTerminated(pod))
    .map(claimNamesOf)
    .filter((names) => names.includes(name));
  return !consumers.some((names) => names.every((one) => isBoundable(one, declared, machine)));
}

/** "The volume changed while in use": by design, takes effect for the next pod of this name. */
function isHeldChange(uid: string, volumeName: string, machine: Machine): boolean {
  const core = machine.life?.core;
  return (
    core?.reconciler.holds.some(({ volumeName: held, podUid, reason }) => {
      const volume = core.reconciler.dsw.volumes.get(held as never);
      const isIts = podUid === uid || volume?.pods.get(uid)?.outerNames.includes(volumeName);
      return isIts === true && reason.startsWith('the volume changed');
    }) === true
  );
}

function whyNot(uid: string, machine: Machine): string {
  const core = machine.life?.core;
  const failed = [...(core?.executor.failed.values() ?? [])].map(
    ({ operation, error }) => `${operation.kind}: ${error.message}`,
  );
  const errors = core?.reconciler.dsw.errors.get(uid)?.map(({ error: { message } }) => message) ?? [];
  const holds = core?.reconciler.holds.map(({ volumeName, reason }) => `${volumeName}: ${reason}`) ?? [];
  return [...failed, ...errors, ...holds].join('; ') || 'nothing says why';
}

function checkNothingLeft(machine: Machine): void {
  const core = machine.life?.core;
  if (core === undefined) return;
  checkMountsWanted(machine, core);
  const attached = new Set([...core.asw.volumes.values()].map(({ record }) => record.attached?.devicePath));
  for (const [device, { path }] of machine.host.loops) {
    if (attached.has(device)) continue;
    machine.violation(`${device} is still on ${path}, and no volume has it`);
  }
  checkNetworkLeft(machine, core);
  for (const { record } of core.asw.volumes.values()) {
    const isHeld = core.reconciler.holds.some(({ volumeName }) => volumeName === record.name);
    if (core.reconciler.dsw.volumes.has(record.name) || isOfUnresolvedPod(record, core) || isHeld) continue;
    machine.violation(`${record.name} is still in the actual state of world: ${whyNot('', machine)}`);
  }
  const uids = new Set(core.objects.list('Pod').map(({ metadata }) => metadata.uid));
  const isLeft = (uid: string | undefined): boolean => uid !== undefined && !uids.has(uid);
  const left = [...machine.host.entries.keys()].find((path) => isLeft(podUidIn(path)));
  if (left !== undefined) machine.violation(`${left} is left of a pod that has ended`);
}

function checkMountsWanted(machine: Machine, core: Core): void {
  const { dsw } = core.reconciler;
  const wanted = new Set(
    [...dsw.volumes.values()].flatMap(({ recipe, pods }) => [
      recipe.globalMountPath,
      ...[...pods.values()].map(({ targetPath }) => targetPath),
    ]),
  );
  const held = [...core.asw.volumes.values()].filter(({ record }) => isOfUnresolvedPod(record, core));
  const heldPaths = new Set(held.map(({ record }) => record.recipe.globalMountPath));
  for (const { mountPoint } of ownMounts(machine)) {
    const isHeld = heldPaths.has(mountPoint) || dsw.errors.has(podUidIn(mountPoint) ?? '');
    if (!wanted.has(mountPoint) && !isHeld) machine.violation(`${mountPoint} is still mounted, and nobody wants it`);
  }
}

function isOfUnresolvedPod({ pods }: VolumeRecord, core: Core): boolean {
  return Object.keys(pods).some((uid) => core.reconciler.dsw.errors.has(uid));
}

function podUidIn(path: string): string | undefined {
  return path.startsWith(`${layout.podsDir()}/`) ? path.split('/')[5] : undefined;
}

/** What workloads wrote is still somewhere, but for the volumes that end with their pod. */
function checkData(machine: Machine): void {
  const { host, written, target } = machine;
  const images = [...host.imageFiles.values(), ...host.trash.values(), ...machine.aside.map(({ image }) => image)];
  for (const [lun, unit] of target.luns) {
    const wanted = written.get(unit) ?? initialLuns[lun]?.data;
    if (unit.data !== wanted) machine.violation(`LUN ${lun} holds ${unit.data}, wanted ${wanted}`);
  }
  for (const [image, data] of written) {
    if (!('inode' in image)) continue;
    if (image.sidecar?.pod === undefined && !images.includes(image)) {
      machine.violation(`the image of ${image.sidecar?.volumeHandle} with ${data} is gone`);
    }
    if (image.data !== data) machine.violation(`${image.sidecar?.volumeHandle} holds ${image.data}, wanted ${data}`);
  }
}
