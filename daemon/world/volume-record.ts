import type { UniqueVolumeName } from './unique-volume-name.ts';
import type { PodMount, VolumeRecipe } from './volume-recipe.ts';

export interface PodReference {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** What the kernel showed right after our mount: how our own mount is known again among others. */
export interface ObservedMount {
  /** "major:minor" of the superblock. */
  readonly device: string;
  readonly root: string;
  readonly fsType: string;
}

export interface PodVolumeRecord {
  readonly pod: PodReference;
  /** The volume's directory name under the pod: the PV's name, or the pod's own name of an inline volume. */
  readonly specName: string;
  /** Names in pod.spec.volumes that this mount serves. */
  readonly outerNames: readonly string[];
  readonly targetPath: string;
  readonly mount: PodMount;
  readonly observed?: ObservedMount;
  /** Of a bind of a user's directory what it will show; durable before the bind. */
  readonly directory?: ObservedMount;
  /** RFC 3339: when the mount was last made or verified anew. */
  readonly mountedAt?: string;
}

export interface AttachedDevice {
  readonly devicePath: string;
  /** "major:minor". */
  readonly deviceNumber: string;
  /** Present when a loop device. */
  readonly loopBacking?: LoopBacking;
}

/** Identity of the file below a loop device (decimal). */
export interface LoopBacking {
  readonly device: string;
  readonly inode: string;
  readonly path: string;
}

/** One way to an iSCSI LUN, and what of it is our doing. Durable before login and scan. */
export interface IscsiPathRecord {
  readonly portal: string;
  /** The kernel's session, one of this boot; absent from the intent to log in until the session was seen. */
  readonly sessionId?: string;
  /** True when there was no session before: then we log out, once no volume of ours uses it. */
  readonly isSessionOurs: boolean;
  /** True when the LUN had no device before: then we delete the device. */
  readonly isDeviceOurs: boolean;
}

export interface IscsiRecord {
  readonly paths: readonly IscsiPathRecord[];
  /**
   * Who the LUN is (VPD page 0x83), as of the first attach; kept as long as the record. Another LUN at the same address
   * is refused (kubernetes#59946).
   */
  readonly wwid?: string;
}

/**
 * Written before a device is formatted and again when mkfs has ended. With `done`, a device that reads blank is a
 * device that lost its data, and is refused instead of formatted. With `started`, nothing was ever mounted from it.
 * With `interrupted`, an image of ours is to be replaced by a new blank one before it is attached again.
 */
export interface FormatRecord {
  readonly state: 'started' | 'interrupted' | 'done';
  readonly fsType: string;
  readonly at: string;
}

/** All that is needed to take a volume down, durable before its first effect. */
export interface VolumeRecord {
  readonly name: UniqueVolumeName;
  readonly plugin: string;
  readonly recipe: VolumeRecipe;
  readonly attached?: AttachedDevice;
  /** True from the intent to attach or detach until its result: a device found on the image meanwhile is our doing. */
  readonly isAttachUncertain?: true;
  /** The file that was about to get a loop device: by it the device is found when the file's name is gone or another's. */
  readonly backingToAttach?: LoopBacking;
  /** True when, before our first attach, somebody else's loop device was on the image: used, and never detached. */
  readonly isLoopAdopted?: true;
  readonly iscsi?: IscsiRecord;
  readonly format?: FormatRecord;
  /** What device and filesystem were last grown to, bytes (decimal), and the PersistentVolume whose capacity that is. */
  readonly expanded?: { readonly persistentVolume: string; readonly bytes: string };
  readonly deviceObserved?: ObservedMount;
  readonly pods: Readonly<Record<string, PodVolumeRecord>>;
  /** True when nothing of the volume is on this machine any more; kept for its format record. */
  readonly retired?: true;
}
