import type { MountFlags } from '../../ports/mounter.ts';
import type { PodMount } from '../../world/volume-recipe.ts';

const perMount = new Set(['noexec', 'noatime', 'nodiratime', 'relatime', 'strictatime']);

/** Of a recipe's options those that belong to the mount, and those that belong to the filesystem. */
export function perMountFlags(options: readonly string[]): readonly string[] {
  return options.filter((option) => perMount.has(option));
}

export function filesystemOptions(options: readonly string[]): readonly string[] {
  return options.filter((option) => !perMount.has(option));
}

/** A bind of a device node is the one mount on which a device may be opened. */
export function flagsOf(mount: PodMount): MountFlags {
  return {
    readOnly: 'readOnly' in mount && mount.readOnly,
    allowDevices: mount.kind === 'deviceBind',
    ...(mount.kind === 'nfs' || mount.kind === 'local' ? { extra: perMountFlags(mount.options) } : {}),
  };
}
