import type { Held } from '../../ports/mount-holders.ts';
import { describeHolders, inspectHolder, type MountHolder } from '../../world/mount-holder.ts';
import { StorageError } from '../../world/storage-error.ts';
import type { OperationContext } from './operation-context.ts';

/** A Busy error with those in it who keep it busy: processes, and mounts inside. Any other error as it is. */
export async function nameHolders(
  thrown: unknown,
  held: Held,
  { host, signal }: Pick<OperationContext, 'host' | 'signal'>,
): Promise<unknown> {
  if (!(thrown instanceof StorageError) || thrown.code !== 'Busy' || signal.aborted) return thrown;
  const inside =
    held.kind === 'mount'
      ? host.mountTable
          .current()
          .under(held.mountPoint)
          .filter(({ mountPoint }) => mountPoint !== held.mountPoint)
      : [];
  const holders = await holdersOf(held, { host, signal });
  const users = describeHolders(holders);
  if (users === '' && inside.length === 0) return thrown;
  const places = inside.map(({ mountPoint }) => mountPoint);
  const causes = [
    ...(users === '' ? [] : [`used by ${users}`]),
    ...(inside.length === 0 ? [] : [`mounted inside it: ${places.map((place) => `"${place}"`).join(', ')}`]),
  ];
  const hint = inside.length === 0 ? inspectHolder(holders) : `if they are not wanted: umount ${places.join(' ')}`;
  const { message, code, progress, facts } = thrown;
  return new StorageError(`${message}; ${causes.join('; ')}`, {
    ...facts,
    ...(hint === undefined ? {} : { hint }),
    ...{ code, progress, cause: thrown },
  });
}

/** Who it is, is worth knowing, but the failure that is told of is another one. */
async function holdersOf(
  held: Held,
  { host, signal }: Pick<OperationContext, 'host' | 'signal'>,
): Promise<readonly MountHolder[]> {
  try {
    return await host.holders.find(held, signal);
  } catch {
    return [];
  }
}
