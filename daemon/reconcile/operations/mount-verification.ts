/** The kernel is the truth: before an effect the target is looked at, after it the mount table is read again. */
import type { MountInfo } from '../../world/mount-info.ts';
import { describeMount, type ExpectedMount, findMount, type MountFinding } from '../../world/recorded-mount.ts';
import { StorageError } from '../../world/storage-error.ts';
import type { OperationContext } from './operation-context.ts';

export type OurFinding = Exclude<MountFinding, { kind: 'foreign' | 'covered' }>;

/**
 * What is at the target now, from a reading of the table that began after this call.
 * @throws StorageError ForeignMount (transient) when the visible mount is not ours: it is left alone
 */
export async function lookAt(expected: ExpectedMount, { host }: OperationContext): Promise<OurFinding> {
  const finding = findMount(await host.mountTable.refresh(), expected);
  if (finding.kind !== 'foreign' && finding.kind !== 'covered') return finding;
  const theirs = finding.kind === 'foreign' ? finding.mount : finding.by;
  const where = finding.kind === 'foreign' ? 'is mounted there' : 'was mounted over ours';
  throw new StorageError(`Cannot use "${expected.path}": ${describeMount(theirs)} ${where}, and not by moored`, {
    code: 'ForeignMount',
    progress: 'transient',
    target: expected.path,
    source: theirs.source,
    hint: `if it is not wanted: umount ${expected.path}`,
  });
}

/** @throws StorageError Internal (uncertain) unless the table shows the mount exactly as asked for */
export async function verify(expected: ExpectedMount, context: OperationContext): Promise<MountInfo> {
  const finding = await lookAt(expected, context);
  if (finding.kind === 'asExpected') return finding.mount;
  const shown = finding.kind === 'absent' ? 'no mount' : `a mount without ${finding.differing}`;
  throw new StorageError(`Cannot verify the mount at "${expected.path}": the kernel shows ${shown}`, {
    code: 'Internal',
    progress: 'uncertain',
    target: expected.path,
  });
}

/** @throws StorageError Internal (uncertain) while the table still shows our mount */
export async function assertGone(expected: ExpectedMount, context: OperationContext): Promise<void> {
  const after = await lookAt(expected, context);
  if (after.kind === 'absent') return;
  throw new StorageError(`Cannot unmount "${expected.path}": the kernel still shows a mount there`, {
    code: 'Internal',
    progress: 'uncertain',
    operation: 'unmount',
    target: expected.path,
  });
}
