import type { Host } from '../ports/host.ts';
import type { Logger } from '../ports/logger.ts';
import type { ServiceManager } from '../ports/service-manager.ts';
import { type KernelFeatures, probeKernelFeatures } from './kernel-features.ts';
import { LinuxAttachmentObserver } from './linux-attachment-observer.ts';
import { LinuxBlockProbe } from './linux-block-probe.ts';
import { LinuxFilesystemHealth } from './linux-filesystem-health.ts';
import { LinuxFilesystems } from './linux-filesystems.ts';
import { LinuxImageCopies } from './linux-image-copies.ts';
import { LinuxImages } from './linux-images.ts';
import { LinuxIscsiInitiator } from './linux-iscsi-initiator.ts';
import { LinuxLoopDevices } from './linux-loop-devices.ts';
import { LinuxManagedDirectories } from './linux-managed-directories.ts';
import { LinuxMountHolders } from './linux-mount-holders.ts';
import { LinuxMountTable } from './linux-mount-table.ts';
import { LinuxMounter } from './linux-mounter.ts';
import { LinuxNfsMounter } from './linux-nfs-mounter.ts';
import { LinuxStorageInventory } from './linux-storage-inventory.ts';
import { LinuxVolumeRecycler } from './linux-volume-recycler.ts';
import { MountTools } from './mount-tools.ts';
import { SpawnedChildProcesses } from './spawned-child-processes.ts';
import { systemClock } from './system-clock.ts';
import { Systemd } from './systemd.ts';

export interface LinuxHost extends Host, AsyncDisposable {
  readonly features: KernelFeatures;
  readonly services: ServiceManager;
  readonly inventory: LinuxStorageInventory;
}

/** This machine. @param rootDir an existing directory by its real path */
export function openLinuxHost(rootDir: string, logger: Logger): LinuxHost {
  const features = probeKernelFeatures();
  const children = new SpawnedChildProcesses();
  const mountTools = new MountTools((tool, args, signal) => children.run(tool, args, { signal }));
  const mountTable = new LinuxMountTable({
    features,
    managedRoot: rootDir,
    onFailure: (error) => logger.error('the mount table cannot be read', { error: String(error) }),
  });
  const attachments = new LinuxAttachmentObserver((error) =>
    logger.error('devices cannot be watched', { error: String(error) }),
  );
  const loopDevices = new LinuxLoopDevices(features);
  const imagesDirectory = `${rootDir}/images`;
  return {
    features,
    attachments,
    services: new Systemd(children),
    mountTable,
    holders: new LinuxMountHolders(children),
    mounter: new LinuxMounter(features, mountTools),
    nfs: new LinuxNfsMounter(features, children),
    loopDevices,
    blockProbe: new LinuxBlockProbe(children),
    filesystems: new LinuxFilesystems(children),
    filesystemHealth: new LinuxFilesystemHealth(children),
    directories: new LinuxManagedDirectories(rootDir, features),
    inventory: new LinuxStorageInventory(rootDir, features),
    images: new LinuxImages({ features, imagesDirectory, clock: systemClock }),
    imageCopies: new LinuxImageCopies({ features, imagesDirectory, children, loopDevices, clock: systemClock }),
    recycler: new LinuxVolumeRecycler(features),
    iscsi: new LinuxIscsiInitiator(children),
    async [Symbol.asyncDispose]() {
      await attachments[Symbol.asyncDispose]();
      await mountTable[Symbol.asyncDispose]();
    },
  };
}
