/** What other people did to an attached device or its image, which no mount table tells. Pure. */
import type { ActualVolume } from './actual-state-of-world.ts';

/** What sysfs tells of a block device by its number; undefined where there is no such device any more. */
export interface AttachedFacts {
  /** Of a loop device with a backing file. */
  readonly backing?: {
    /** Follows a rename; ends in " (deleted)" once the last name is gone. */
    readonly path: string;
    /** The kernel detaches at the last close: LOOP_CLR_FD on a device in use does no more than set this (loop(4)). */
    readonly isAutoclear: boolean;
  };
}

export interface AttachmentDrift {
  readonly kind: 'deviceGone' | 'loopDetached' | 'detachPending' | 'imageGone' | 'imageMoved';
  readonly message: string;
  /** The command that would help, where the daemon itself does not. */
  readonly help?: string;
}

const deleted = ' (deleted)';

export function findAttachmentDrift(
  { record }: ActualVolume,
  facts: AttachedFacts | undefined,
): AttachmentDrift | undefined {
  const { attached } = record;
  if (attached === undefined) return undefined;
  const { devicePath, loopBacking } = attached;
  if (facts === undefined) {
    const help = 'dmesg | tail; bring the device back, then take the pod away and back';
    return { kind: 'deviceGone', message: `The device "${devicePath}" is gone`, help };
  }
  if (loopBacking === undefined) return undefined;
  const { path } = loopBacking;
  const { backing } = facts;
  if (backing === undefined) {
    const message = `The loop device "${devicePath}" no longer has "${path}": somebody else detached it`;
    return { kind: 'loopDetached', message };
  }
  if (backing.isAutoclear) {
    const message = `The loop device "${devicePath}" was detached by somebody else: it would go at its last use`;
    return { kind: 'detachPending', message };
  }
  if (backing.path === `${path}${deleted}`) {
    const message = `The image "${path}" was removed or replaced: the volume's data is in "${devicePath}" alone, until it is detached`;
    return { kind: 'imageGone', message, help: rescue(record, devicePath, path) };
  }
  if (backing.path === path || backing.path === '') return undefined;
  const message = `The image "${path}" was moved: it is "${backing.path}" now`;
  const isDeleted = backing.path.endsWith(deleted);
  const help = isDeleted ? rescue(record, devicePath, path) : `mv ${quoted(backing.path)} ${quoted(path)}`;
  return { kind: isDeleted ? 'imageGone' : 'imageMoved', message, help };
}

/** A copy beside the old name: what was put in its place is not overwritten. Frozen meanwhile, so that it is whole. */
function rescue({ recipe }: ActualVolume['record'], devicePath: string, path: string): string {
  const copy = `cp --sparse=always ${devicePath} ${quoted(`${path}.rescued`)}`;
  const { globalMountPath } = recipe;
  if (recipe.deviceMount === undefined || recipe.deviceMount.readOnly) return copy;
  return `fsfreeze -f ${quoted(globalMountPath)}; ${copy}; fsfreeze -u ${quoted(globalMountPath)}`;
}

function quoted(path: string): string {
  return /^[\w./:~-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
