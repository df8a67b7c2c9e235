import type { IscsiDisk } from '../../ports/iscsi-initiator.ts';
import { StorageError } from '../../world/storage-error.ts';
import type { UniqueVolumeName } from '../../world/unique-volume-name.ts';
import type { IscsiAttachment } from '../../world/volume-recipe.ts';
import type { OperationContext } from '../operations/operation-context.ts';
import { describeLun } from './iscsi-way.ts';

interface Identifying {
  readonly name: UniqueVolumeName;
  readonly attachment: IscsiAttachment;
  readonly context: OperationContext;
}

/**
 * An address (portal, IQN, LUN) is not an identity: storage gives it to another LUN, and two addresses lead to one.
 * Records who it is at the first attach.
 *
 * @throws StorageError (transient: sessions are open) when it is nobody, somebody else, or attached already
 */
export function identify(disks: readonly IscsiDisk[], identifying: Identifying): void {
  const { name, attachment, context } = identifying;
  const record = context.asw.get(name)?.record;
  const [wwid, other] = [...new Set(disks.map((disk) => disk.wwid))];
  if (record === undefined) return;
  if (wwid === undefined || wwid === '') {
    throw refused(identifying, 'it does not say who it is (VPD page 0x83), so it could not be told from another LUN');
  }
  if (other !== undefined) throw refused(identifying, `its portals lead to different LUNs, "${wwid}" and "${other}"`);
  const wanted = attachment.wwid ?? record.iscsi?.wwid;
  if (wanted !== undefined && wanted !== wwid) {
    throw refused(identifying, `another LUN lies at its address: it is "${wwid}", wanted "${wanted}"`, {
      hint: `if it is meant: annotation moored.dev/wwid: "${wwid}" on the PersistentVolume`,
    });
  }
  const holder = [...context.asw.volumes.values()].find(
    (volume) =>
      volume.record.name !== name && volume.record.iscsi?.wwid === wwid && volume.attachState !== 'NotAttached',
  );
  if (holder !== undefined) throw refused(identifying, `volume "${holder.record.name}" has this very LUN attached`);
  // The user says that it is another LUN than before: what was known of the old one's format is not of this one.
  if (record.iscsi?.wwid !== undefined && record.iscsi.wwid !== wwid) context.asw.forgetFormat(name);
  context.asw.markIscsi(name, { paths: record.iscsi?.paths ?? [], wwid });
}

function refused({ attachment }: Identifying, cause: string, facts: { readonly hint?: string } = {}): StorageError {
  return new StorageError(`Cannot attach ${describeLun(attachment)}: ${cause}`, {
    ...facts,
    code: 'FailedPrecondition',
    progress: 'transient',
    operation: 'attachVolume',
  });
}
