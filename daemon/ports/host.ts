import type { AttachmentObserver } from './attachment-observer.ts';
import type { BlockProbe } from './block-probe.ts';
import type { FilesystemHealth } from './filesystem-health.ts';
import type { Filesystems } from './filesystems.ts';
import type { ImageCopies } from './image-copies.ts';
import type { Images } from './images.ts';
import type { IscsiInitiator } from './iscsi-initiator.ts';
import type { LoopDevices } from './loop-devices.ts';
import type { ManagedDirectories } from './managed-directories.ts';
import type { MountHolders } from './mount-holders.ts';
import type { MountTableSource } from './mount-table-source.ts';
import type { Mounter } from './mounter.ts';
import type { NfsMounter } from './nfs-mounter.ts';
import type { VolumeRecycler } from './volume-recycler.ts';

/** All of Linux that the operations need. */
export interface Host {
  readonly mounter: Mounter;
  readonly nfs: NfsMounter;
  readonly mountTable: MountTableSource;
  readonly loopDevices: LoopDevices;
  readonly attachments: AttachmentObserver;
  readonly holders: MountHolders;
  readonly blockProbe: BlockProbe;
  readonly filesystems: Filesystems;
  readonly filesystemHealth: FilesystemHealth;
  readonly directories: ManagedDirectories;
  readonly images: Images;
  readonly recycler: VolumeRecycler;
  readonly imageCopies: ImageCopies;
  readonly iscsi: IscsiInitiator;
}
