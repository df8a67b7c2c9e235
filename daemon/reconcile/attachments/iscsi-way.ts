import type { IscsiSession, IscsiWay } from '../../ports/iscsi-initiator.ts';
import type { ActualStateOfWorld } from '../../world/actual-state-of-world.ts';
import type { UniqueVolumeName } from '../../world/unique-volume-name.ts';
import type { IscsiAttachment } from '../../world/volume-recipe.ts';
import type { IscsiPathRecord } from '../../world/volume-record.ts';

export function wayOf(attachment: IscsiAttachment, portal: string): IscsiWay {
  const { iqn, interface: name, initiatorName } = attachment;
  return { iqn, portal, interface: name, ...(initiatorName === undefined ? {} : { initiatorName }) };
}

/** `LUN 3 of "iqn.2024-01.org.example:disks"`, for messages. */
export function describeLun({ iqn, lun }: IscsiAttachment): string {
  return `LUN ${lun} of "${iqn}"`;
}

/** Is the session the recorded one? Without an id the login was cut off, and what is there on our way came of it. */
export function isRecordedSession({ sessionId, isSessionOurs }: IscsiPathRecord, session: IscsiSession): boolean {
  return sessionId === undefined ? isSessionOurs && session.hasOurInterface : sessionId === session.id;
}

/** Paths of all other volumes that go through this very session, by our records. */
export function otherPathsThrough(
  asw: ActualStateOfWorld,
  name: UniqueVolumeName,
  way: IscsiWay,
  session: IscsiSession,
): readonly { readonly path: IscsiPathRecord; readonly lun: number; readonly name: UniqueVolumeName }[] {
  return [...asw.volumes.values()].flatMap(({ record }) => {
    const { attachment } = record.recipe;
    if (record.name === name || attachment?.kind !== 'iscsi' || attachment.iqn !== way.iqn) return [];
    const paths = (record.iscsi?.paths ?? []).filter(
      (path) => path.portal === way.portal && isRecordedSession(path, session),
    );
    return paths.map((path) => ({ path, lun: attachment.lun, name: record.name }));
  });
}
