import { hostnameOf, type NamedLabels } from './plan/node-affinity.ts';
import type { Host } from './ports/host.ts';
import type { VolumePlugin } from './ports/volume-plugin.ts';
import { nodeExpansionOf } from './reconcile/node-expansion.ts';
import type { OperationExecutor } from './reconcile/operation-executor.ts';
import type { ActualStateOfWorld } from './world/actual-state-of-world.ts';
import type { DiskLayout } from './world/disk-layout.ts';
import { isRemote } from './world/remote-filesystem.ts';

interface Machine {
  readonly host: Host;
  readonly layout: DiskLayout;
  readonly plugins: readonly VolumePlugin[];
  readonly machine: NamedLabels;
}

/** What provisioning asks of the machine, and of the actual state of world about what it is to delete or to empty. */
export function provisioningParts(
  { host, layout, plugins, machine }: Machine,
  asw: ActualStateOfWorld,
  executor: () => OperationExecutor,
) {
  const { images, recycler, mountTable } = host;
  return {
    ...{ images, recycler, mountTable, plugins, layout },
    hostname: hostnameOf(machine),
    isLocal: (directory: string) => !isRemote(mountTable.current().holding(directory)?.fsType ?? ''),
    isImageInUse: (path: string) => asw.imagePaths.has(path),
    isVolumeInUse: (name: string) => asw.isInPods(name),
    nodeExpansion: (volumeName: string) => nodeExpansionOf(volumeName, asw, executor()),
  };
}
