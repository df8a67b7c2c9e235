/** Volumes, pods and mounts for unit tests: a device volume, a block volume, a tmpfs, a directory, an NFS export. */
import type { DesiredStateOfWorld, PodToMount, PodVolumeError, VolumeToMount } from '../desired-state-of-world.ts';
import { diskLayout } from '../disk-layout.ts';
import type { MountInfo } from '../mount-info.ts';
import { StorageError } from '../storage-error.ts';
import { type UniqueVolumeName, uniqueVolumeName } from '../unique-volume-name.ts';
import type { NfsPodMount, PodMount, VolumeRecipe } from '../volume-recipe.ts';
import type { PodReference, VolumeRecord } from '../volume-record.ts';

export const layout = diskLayout('/var/lib/moored');

export type VolumeType = 'device' | 'block' | 'tmpfs' | 'directory' | 'nfs';

export function nameOf(volume: string): UniqueVolumeName {
  return uniqueVolumeName('test', volume);
}

function podReference(name: string): PodReference {
  return { namespace: 'default', name, uid: `uid-${name}` };
}

export function imagePath(volume: string): string {
  return `${layout.imagesDir()}/default/${volume}.img`;
}

export function globalMountPath(volume: string): string {
  return layout.pluginDir('test', volume, 'globalmount');
}

export function targetPath(volume: string, pod: string): string {
  return `${layout.podVolumeDir(`uid-${pod}`, 'test', volume)}/mount`;
}

function recipeOf(type: VolumeType, volume: string): VolumeRecipe {
  const attachment = {
    kind: 'image',
    path: imagePath(volume),
    readOnly: false,
    isOwned: true,
    volumeHandle: volume,
  } as const;
  switch (type) {
    case 'device':
      return {
        attachment,
        deviceMount: { fsType: 'ext4', readOnly: false, options: [] },
        globalMountPath: globalMountPath(volume),
      };
    case 'block':
      return { attachment, globalMountPath: '' };
    default:
      return { globalMountPath: '' };
  }
}

const mounts: Readonly<Record<Exclude<VolumeType, 'nfs'>, PodMount>> = {
  device: { kind: 'bind', readOnly: false },
  block: { kind: 'deviceBind', readOnly: false },
  tmpfs: { kind: 'tmpfs', sizeBytes: '65536' },
  directory: { kind: 'directory' },
};

/** Each volume on a server of its own, unless asked otherwise. */
export function nfsMount(volume: string, server = `filer-${volume}`): NfsPodMount {
  return { kind: 'nfs', server, source: `${server}:/srv/${volume}`, readOnly: false, options: [] };
}

export function podToMount(pod: string, volume: string, mount: PodMount): PodToMount {
  const target = targetPath(volume, pod);
  return { pod: podReference(pod), specName: volume, outerNames: [volume], targetPath: target, mount };
}

/** A volume that the named pods want. */
export function volumeToMount(type: VolumeType, volume: string, pods: readonly string[]): VolumeToMount {
  const mount = type === 'nfs' ? nfsMount(volume) : mounts[type];
  return {
    name: nameOf(volume),
    plugin: 'test',
    recipe: recipeOf(type, volume),
    subject: `claim default/${volume}`,
    pods: new Map(pods.map((pod) => [`uid-${pod}`, podToMount(pod, volume, mount)])),
  };
}

export function recordOf(volume: VolumeToMount): VolumeRecord {
  const { name, plugin, recipe } = volume;
  return { name, plugin, recipe, pods: Object.fromEntries(volume.pods) };
}

export function worldOf(
  volumes: readonly VolumeToMount[],
  options: { readonly complete?: boolean; readonly unresolved?: readonly string[] } = {},
): DesiredStateOfWorld {
  const errors = (options.unresolved ?? []).map((pod): [string, readonly PodVolumeError[]] => [
    `uid-${pod}`,
    [
      {
        ...{ pod: podReference(pod), volume: 'other', reason: 'ClaimNotBound' },
        error: new StorageError('claim "other" is Pending', { code: 'Unavailable' }),
      },
    ],
  ]);
  return {
    volumes: new Map(volumes.map((volume) => [volume.name, volume])),
    errors: new Map(errors),
    complete: options.complete ?? true,
  };
}

let lastId = 0n;

/** A mount as the kernel would list it; ext4 from /dev/loop3 unless asked otherwise. */
export function mountAt(mountPoint: string, change: Partial<MountInfo> = {}): MountInfo {
  lastId++;
  return {
    id: lastId,
    parentId: 1n,
    device: '7:3',
    root: '/',
    options: ['rw', 'nosuid', 'nodev', 'relatime'],
    fsType: 'ext4',
    source: '/dev/loop3',
    superOptions: ['rw'],
    ...change,
    mountPoint,
  };
}
