/** What must hold of sessions, LUNs and exports. */

import type { Core } from '../../daemon/core.ts';
import type { FakeLun } from '../../daemon/ports/testing/fake-iscsi-initiator.ts';
import type { IscsiAttachment } from '../../daemon/world/volume-recipe.ts';
import { network } from './declarations.ts';
import type { Machine } from './machine.ts';

/** The LUN that a device shows. */
export function lunBehind(
  devicePath: string,
  { host, target }: Machine,
): { readonly lun: number; readonly unit: FakeLun } | undefined {
  for (const { disks } of host.iscsi.sessions.values()) {
    for (const [lun, disk] of disks) {
      const unit = target.luns.get(lun);
      if (disk.devicePath === devicePath && unit !== undefined) return { lun, unit };
    }
  }
  return undefined;
}

/** A device that has gone shows nothing any more. */
export function showsAnotherLun(devicePath: string, attachment: IscsiAttachment, machine: Machine): boolean {
  const shown = lunBehind(devicePath, machine);
  return shown !== undefined && shown.lun !== attachment.lun;
}

/** A session is left when the last of our volumes has left it, not before. */
export function wrongLogout(sessionId: string, core: Core): string | undefined {
  const users = [...core.asw.volumes.values()].filter(
    ({ record, attachState }) =>
      attachState === 'Attached' && record.iscsi?.paths.some((path) => path.sessionId === sessionId) === true,
  );
  return users.length === 0 ? undefined : `logged out of ${sessionId}, which ${users[0]?.record.name} uses`;
}

/** A device is deleted for the volume that is its LUN, while that is detached. */
export function wrongDiskRemoval(lun: number, core: Core): string | undefined {
  const isDetaching = core.executor.running.some(({ operation }) => {
    const attachment = core.asw.get(operation.volumeName)?.record.recipe.attachment;
    return operation.kind === 'detachVolume' && attachment?.kind === 'iscsi' && attachment.lun === lun;
  });
  return isDetaching ? undefined : `deleted the device of LUN ${lun}, which nothing detaches`;
}

/**
 * At rest: no session of ours, and no device that only we can have made, without a volume that has it. An attach that was
 * cut off after its login, and waits because its pod is not wholly understood, has the intent on record and no session yet.
 */
export function checkNetworkLeft(machine: Machine, core: Core): void {
  const { host, unscanned } = machine;
  const volumes = [...core.asw.volumes.values()];
  for (const [id, { isOurs, disks, way }] of host.iscsi.sessions) {
    const users = volumes.filter(({ record, attachState }) =>
      record.iscsi?.paths.some(({ sessionId, portal, isSessionOurs }) => {
        const isIntended = attachState === 'AttachUncertain' && isSessionOurs === true && portal === way.portal;
        return sessionId === id || (sessionId === undefined && isIntended);
      }),
    );
    if (isOurs && users.length === 0)
      machine.violation(`session ${id} to ${network.iqn} is left, and no volume has it`);
    const wanted = users.map(({ record: { recipe } }) => recipe.attachment?.kind === 'iscsi' && recipe.attachment.lun);
    for (const lun of isOurs || unscanned.has(id) ? disks.keys() : []) {
      if (!wanted.includes(lun)) machine.violation(`the device of LUN ${lun} in session ${id} is left`);
    }
  }
}
