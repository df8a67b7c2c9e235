import type { ProbeResult } from '../../world/probe-result.ts';
import { StorageError } from '../../world/storage-error.ts';
import type { DeviceMount } from '../../world/volume-recipe.ts';
import type { OperationContext } from './operation-context.ts';

/** Mounted filesystems that are asked for their UUID: on a machine with more the reason is left to the kernel's log. */
const mostAsked = 16;

/**
 * The kernel mounts no xfs with the UUID of one that is mounted (xfs_uuid_mount: "Filesystem has duplicate UUID"), and says
 * so in its log only: mount(8) speaks of a bad superblock. Looked into after such a failure, so that a clone is named.
 *
 * @returns the error to throw instead, or `thrown` itself
 */
export async function explainDuplicateUuid(
  thrown: unknown,
  { device, deviceMount }: { readonly device: string; readonly deviceMount: DeviceMount },
  { host, signal }: OperationContext,
): Promise<unknown> {
  const isRefused = thrown instanceof StorageError && thrown.progress === 'final';
  if (!isRefused || deviceMount.fsType !== 'xfs' || deviceMount.options.includes('nouuid')) return thrown;
  const uuidOf = async (node: string): Promise<string | undefined> =>
    uuidIn(await host.blockProbe.probe(node, signal).catch(() => undefined));
  const uuid = await uuidOf(device);
  if (uuid === undefined) return thrown;
  const mounted = host.mountTable
    .current()
    .mounts.filter(({ fsType, source }) => fsType === 'xfs' && source !== device);
  const sources = new Set(mounted.map(({ source }) => source).filter((source) => source.startsWith('/dev/')));
  for (const source of [...sources].slice(0, mostAsked)) {
    if ((await uuidOf(source)) !== uuid) continue;
    const hint = `mountOptions: [nouuid], or another UUID: xfs_admin -U generate ${device}`;
    return new StorageError(
      `Cannot mount "${device}": it is a copy of "${source}", which is mounted: both have the UUID ${uuid}; ${hint}`,
      { code: 'AlreadyExists', operation: 'mountDevice', source: device, hint, cause: thrown },
    );
  }
  return thrown;
}

function uuidIn(probe: ProbeResult | undefined): string | undefined {
  return probe?.kind === 'filesystem' ? probe.uuid : undefined;
}
