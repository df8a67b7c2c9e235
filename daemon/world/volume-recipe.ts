/**
 * What a plugin says is to be done for a volume: values, no effects. The host does it, the record keeps it, so that a
 * volume can be taken down although its manifest, its class and even its plugin are gone.
 */
import type { FilesystemType } from './filesystem-type.ts';

/** How a volume becomes a block device of this machine. */
export interface ImageAttachment {
  readonly kind: 'image';
  /** Absolute path of an image file (a loop device is put on it) or of a block device (used as it is). */
  readonly path: string;
  readonly readOnly: boolean;
  /** True for images that moored itself made (provisioned or inline), false for what a user brought. */
  readonly isOwned: boolean;
  /** Identity of the volume; the sidecar of an owned image has the same. */
  readonly volumeHandle: string;
  /** Present when moored makes the image at attach time: inline volumes, which live as long as their pod. */
  readonly create?: { readonly sizeBytes: string };
}

/** A logical unit of an iSCSI target (RFC 7143). */
export interface IscsiAttachment {
  readonly kind: 'iscsi';
  /** "192.0.2.7:3260" or "[2001:db8::7]:3260", targetPortal first, none twice. */
  readonly portals: readonly string[];
  readonly iqn: string;
  readonly lun: number;
  /** The record of /etc/iscsi/ifaces that is asked for; "default" where none is. */
  readonly interface: string;
  /** The name that we log in under, where it is not that of the machine. */
  readonly initiatorName?: string;
  readonly readOnly: boolean;
  /** The identity that the user says the LUN has, where he says one; else the one that the first attach saw. */
  readonly wwid?: string;
  readonly chapDiscovery: boolean;
  readonly chapSession: boolean;
  /** Where the CHAP names and passwords are found; never those themselves, for a recipe is kept on disk. */
  readonly secret?: { readonly namespace: string; readonly name: string };
}

export type Attachment = ImageAttachment | IscsiAttachment;

/** The one mount of a volume's filesystem, at its global mount path. */
export interface DeviceMount {
  readonly fsType: FilesystemType;
  readonly readOnly: boolean;
  /** Options of the allow-list only, sorted. */
  readonly options: readonly string[];
}

/** What a pod gets at its target path. */
export type PodMount =
  /** A bind of the global mount. */
  | { readonly kind: 'bind'; readonly readOnly: boolean }
  /** A tmpfs of its own; without sizeBytes (decimal) the kernel's default of half the memory. */
  | { readonly kind: 'tmpfs'; readonly sizeBytes?: string }
  /** A plain directory, mode 0777 (emptyDir on the filesystem of the root dir). */
  | { readonly kind: 'directory' }
  /** A bind of the block device's node on a file. */
  | { readonly kind: 'deviceBind'; readonly readOnly: boolean }
  | LocalPodMount
  | NfsPodMount;

/** A bind of a directory of this machine that moored did not make. */
export interface LocalPodMount {
  readonly kind: 'local';
  readonly source: string;
  readonly readOnly: boolean;
  /** Flags of the mount, of the allow-list only, sorted. */
  readonly options: readonly string[];
}

/** A mount of an NFS export of the pod's own: as upstream, nothing is attached and nothing mounted globally. */
export interface NfsPodMount {
  readonly kind: 'nfs';
  /** Name or address without brackets, in lower case: what is known of a server is kept under this. */
  readonly server: string;
  /** "server:/path", an IPv6 address in brackets. */
  readonly source: string;
  readonly readOnly: boolean;
  /** Of the NFS allow-list only, sorted. */
  readonly options: readonly string[];
}

/** The server that a mount needs in order to be made, read or taken away; undefined when it is of this machine. */
export function serverOf(mount: PodMount): string | undefined {
  return mount.kind === 'nfs' ? mount.server : undefined;
}

/** The part of a recipe that all pods of a volume share. */
export interface VolumeRecipe {
  readonly attachment?: Attachment;
  /** Absent for volumeMode Block and for volumes without a device. */
  readonly deviceMount?: DeviceMount;
  /** '' for volumes without a device. */
  readonly globalMountPath: string;
}

/** The image file (or block device) that a volume is, if it is one. */
export function imagePathOf({ attachment }: VolumeRecipe): string | undefined {
  return attachment?.kind === 'image' ? attachment.path : undefined;
}

/** True for an inline volume's image: made at attach, ended with its pod. */
export function endsWithItsPod({ attachment }: VolumeRecipe): boolean {
  return attachment?.kind === 'image' && attachment.create !== undefined;
}

/** Equal recipes give equal text: the fields are written in one place each, in one order. */
export function sameRecipe(a: VolumeRecipe | PodMount, b: VolumeRecipe | PodMount): boolean {
  return a === b || textOf(a) === textOf(b);
}

/** Each pass compares every recipe, and they never change: their text is made once. */
const texts = new WeakMap<object, string>();

function textOf(recipe: VolumeRecipe | PodMount): string {
  const text = texts.get(recipe) ?? JSON.stringify(recipe);
  texts.set(recipe, text);
  return text;
}
