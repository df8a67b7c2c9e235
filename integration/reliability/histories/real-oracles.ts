/** What must hold on the real machine after each step, and what must be reached when nobody does anything any more. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { AswVolume, GetReplies, PodView } from '../../../daemon/control/protocol.ts';
import { type Declaration, delayedClaim } from '../../model/declarations.ts';
import { mounts, mountsBelow } from '../../support/kernel-facts.ts';
import { loopsOf } from './admin.ts';
import type { RealMachine } from './real-machine.ts';

/** After every step, whether the daemon lives or not. */
export function checkStep(machine: RealMachine): readonly string[] {
  const ids = new Set(mounts().map(({ id }) => id));
  const images = loopsOf(machine).map(([, file]) => file);
  return [
    ...machine.foreign
      .filter(({ id }) => !ids.has(id))
      .map(({ target }) => `the mount of somebody else at ${target} is gone`),
    ...(new Set(images).size < images.length ? [`two loop devices on one image: ${images.join(' ')}`] : []),
  ];
}

type World = { readonly [K in 'pods' | 'asw' | 'dsw' | 'persistentvolumeclaims' | 'persistentvolumes']: GetReplies[K] };

/** What is still to be done until the declared pods, the two worlds and the kernel are one; [] when they are. */
export async function whatIsMissing(machine: RealMachine): Promise<readonly string[]> {
  const { client } = machine.daemon;
  const world: World = {
    pods: await client.get('pods'),
    asw: await client.get('asw'),
    dsw: await client.get('dsw'),
    persistentvolumeclaims: await client.get('persistentvolumeclaims'),
    persistentvolumes: await client.get('persistentvolumes'),
  };
  return [
    ...missingObjects(world, machine),
    ...world.pods.items.flatMap((pod) => missingOfPod(pod, world, machine)),
    ...leftInKernel(world, machine),
  ];
}

function missingObjects(world: World, { declared }: RealMachine): readonly string[] {
  const objects = [
    ...world.pods.items.map(({ metadata }) => `Pod/default/${metadata.name}`),
    ...world.persistentvolumeclaims.items.map(({ metadata }) => `PersistentVolumeClaim/default/${metadata.name}`),
  ];
  return [...declared.keys()].filter((key) => !objects.includes(key)).map((key) => `${key} is declared, and not there`);
}

/** Of two files that declare a pod the earlier one counts: its object says which. */
function missingOfPod({ metadata: { name }, spec, status }: PodView, world: World, machine: RealMachine): string[] {
  if (!machine.declared.has(`Pod/default/${name}`)) return [`pod ${name} is declared no more, and stays`];
  if (status.phase === 'Succeeded') return [];
  return (spec.volumes ?? []).flatMap((volume) => {
    const found = status.volumes.find((one) => one.name === volume.name);
    const claim = volume.persistentVolumeClaim?.claimName;
    const needed = claim === delayedClaim ? claimsOf(spec) : claim === undefined ? [] : [claim];
    const wanted = { image: claim ?? `${name}.${volume.name}`, claims: needed, message: found?.message ?? '' };
    if (found?.state === 'Mounted' || isExcused(wanted, world, machine)) return [];
    return [`pod ${name} does not get its volume ${volume.name}: ${JSON.stringify(found)}`];
  });
}

const claimsOf = ({ volumes = [] }: PodView['spec']): readonly string[] =>
  volumes.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []);

/** Not every volume can be had: its claim may be missing, its image taken away, or another one wanted while it is in use. */
function isExcused(
  { image, claims, message }: { readonly image: string; readonly claims: readonly string[]; readonly message: string },
  world: World,
  machine: RealMachine,
): boolean {
  const isTampered = [...machine.tampered].some((path) => basename(path).startsWith(image));
  const isHeld = message.startsWith('the volume changed');
  return isTampered || isHeld || !claims.every((claim) => canBeBound(claim, world, machine.declared));
}

/** As in the model: declared, not the ending one of before, and a brought volume is not Released by an earlier claim. */
function canBeBound(name: string, world: World, declared: ReadonlyMap<string, Declaration>): boolean {
  const claim = world.persistentvolumeclaims.items.find(({ metadata }) => metadata.name === name);
  const volume = world.persistentvolumes.items.find(({ metadata }) => metadata.name === name);
  const isReleased = volume?.spec.claimRef !== undefined && volume.spec.claimRef.uid !== claim?.metadata.uid;
  const isDeclared = declared.has(`PersistentVolumeClaim/default/${name}`);
  return isDeclared && claim?.metadata.deletionTimestamp === undefined && !isReleased;
}

/** Mounts, loop devices and directories that nothing accounts for. */
function leftInKernel(world: World, machine: RealMachine): readonly string[] {
  const { pods, asw, dsw } = world;
  const { rootDir } = machine.daemon;
  const known = [...asw.volumes, ...dsw.volumes];
  const paths = new Set(known.flatMap((one) => [one.globalMountPath, ...one.pods.map(({ targetPath }) => targetPath)]));
  const devices = new Set(asw.volumes.map(({ devicePath }) => devicePath));
  const uids = new Set(pods.items.map(({ metadata }) => metadata.uid));
  const podsDir = join(rootDir, 'pods');
  const isWanted = ({ name, pods: users }: AswVolume): boolean =>
    dsw.volumes.some((one) => one.name === name) || users.some(({ uid }) => uids.has(uid));
  // A pod whose claim has gone keeps what it has, and may be the owner of an inline volume.
  const isUnresolved = ({ spec }: PodView): boolean =>
    (spec.volumes ?? []).some(
      ({ persistentVolumeClaim: one }) => one && !canBeBound(one.claimName, world, machine.declared),
    );
  const undesired = pods.items.some(isUnresolved) ? [] : asw.volumes.filter((volume) => !isWanted(volume));
  return [
    ...mountsBelow(rootDir).flatMap(({ target, line }) =>
      paths.has(target) ? [] : [`nobody knows the mount: ${line}`],
    ),
    ...loopsOf(machine).flatMap(([device, file]) => (devices.has(device) ? [] : [`${device} is left on ${file}`])),
    ...(existsSync(podsDir) ? readdirSync(podsDir) : []).flatMap((uid) =>
      uids.has(uid) ? [] : [`${podsDir}/${uid} is left of a pod that has ended`],
    ),
    ...undesired.map(({ name }) => `${name} is still there, and no pod has it`),
  ];
}
