import type { MountFlags } from '../../ports/mounter.ts';
import type { PodMount } from '../../world/volume-recipe.ts';

/** A bind of a device node is the one mount on which a device may be opened. */
export function flagsOf(mount: PodMount): MountFlags {
  return {
    readOnly: (mount.kind === 'bind' || mount.kind === 'deviceBind') && mount.readOnly,
    allowDevices: mount.kind === 'deviceBind',
  };
}
