import type { IscsiVolumeSource } from '../../daemon/api/iscsi.ts';
import { parsePortal } from '../../daemon/api/portal.ts';
import type { ResolvedVolume, VolumePlugin, VolumeSpec } from '../../daemon/ports/volume-plugin.ts';
import type { DiskLayout } from '../../daemon/world/disk-layout.ts';
import { type FilesystemType, filesystemTypes, isFilesystemType } from '../../daemon/world/filesystem-type.ts';
import { parseMountOptions } from '../../daemon/world/mount-options.ts';
import { StorageError } from '../../daemon/world/storage-error.ts';
import { uniqueVolumeName } from '../../daemon/world/unique-volume-name.ts';
import type { IscsiAttachment } from '../../daemon/world/volume-recipe.ts';

const pluginName = 'kubernetes.io/iscsi';
/** On a PersistentVolume: who the LUN is, when it was replaced on purpose. */
const wwidAnnotation = 'moored.dev/wwid';

/** A LUN of an iSCSI target: `spec.iscsi` of a PersistentVolume and `volumes[].iscsi` of a pod. */
export const iscsiPlugin: VolumePlugin = {
  name: pluginName,
  canSupport: (spec) => sourceOf(spec) !== undefined,

  resolve(spec, layout) {
    const source = sourceOf(spec);
    const specName = specNameOf(spec);
    if (source === undefined) throw illegal(specName, 'it has no iscsi source');
    const options = parseMountOptions(spec.kind === 'persistentVolume' ? (spec.volume.spec.mountOptions ?? []) : []);
    const attachment = attachmentOf(source, spec, options.readOnly);
    const { readOnly } = attachment;
    const isReadOnlyHere = readOnly || (spec.kind === 'persistentVolume' && spec.readOnly);
    // The kubelet's name of it: first portal, IQN, LUN (pkg/volume/iscsi, GetVolumeName).
    const name = uniqueVolumeName(pluginName, `${attachment.portals[0]}:${source.iqn}:${source.lun}`);
    if (spec.kind === 'persistentVolume' && spec.volume.spec.volumeMode === 'Block') {
      return blockVolume({ name, specName, attachment, isReadOnlyHere, podUid: spec.pod.uid }, layout);
    }
    const deviceMount = {
      fsType: fsTypeOf(source.fsType, specName),
      readOnly,
      options: [...options.flags, ...options.options],
    };
    return {
      ...{ name, specName },
      recipe: { attachment, deviceMount, globalMountPath: globalMountPath(attachment, layout) },
      targetPath: `${layout.podVolumeDir(spec.pod.uid, pluginName, specName)}/mount`,
      mount: { kind: 'bind', readOnly: isReadOnlyHere },
    };
  },
};

interface BlockUse extends Pick<ResolvedVolume, 'name' | 'specName'> {
  readonly attachment: IscsiAttachment;
  readonly isReadOnlyHere: boolean;
  readonly podUid: string;
}

function blockVolume(
  { name, specName, attachment, isReadOnlyHere, podUid }: BlockUse,
  layout: DiskLayout,
): ResolvedVolume {
  return {
    ...{ name, specName },
    recipe: { attachment, globalMountPath: '' },
    targetPath: layout.podVolumeDevicePath(podUid, pluginName, specName),
    mount: { kind: 'deviceBind', readOnly: isReadOnlyHere },
  };
}

function sourceOf(spec: VolumeSpec): IscsiVolumeSource | undefined {
  return spec.kind === 'inline' ? spec.volume.iscsi : spec.volume.spec.iscsi;
}

function specNameOf(spec: VolumeSpec): string {
  return spec.kind === 'inline' ? spec.volume.name : spec.volume.metadata.name;
}

function attachmentOf(source: IscsiVolumeSource, spec: VolumeSpec, isMountedReadOnly: boolean): IscsiAttachment {
  const { iqn, lun, secretRef, initiatorName, chapAuthDiscovery = false, chapAuthSession = false } = source;
  const portals = [source.targetPortal, ...(source.portals ?? [])].map((text) => portalOf(text, specNameOf(spec)));
  // Without a namespace it is that of the pod, which is that of the claim (getISCSISecretNameAndNamespace).
  const secret = secretRef && { namespace: secretRef.namespace ?? spec.pod.namespace, name: secretRef.name };
  const wwid = spec.kind === 'persistentVolume' ? spec.volume.metadata.annotations?.[wwidAnnotation] : undefined;
  return {
    kind: 'iscsi',
    portals: [...new Set(portals)],
    ...{ iqn, lun },
    interface: source.iscsiInterface ?? 'default',
    ...(initiatorName === undefined ? {} : { initiatorName }),
    readOnly: (source.readOnly ?? false) || isMountedReadOnly || isReadOnlyMany(spec),
    ...(wwid === undefined ? {} : { wwid }),
    chapDiscovery: chapAuthDiscovery,
    chapSession: chapAuthSession,
    ...(secret === undefined ? {} : { secret }),
  };
}

function isReadOnlyMany(spec: VolumeSpec): boolean {
  return spec.kind === 'persistentVolume' && spec.volume.spec.accessModes.every((mode) => mode === 'ReadOnlyMany');
}

/** plugins/kubernetes.io/iscsi/iface-<interface>/<portal>-<iqn>-lun-<lun>/globalmount; nothing of ours lies under it. */
function globalMountPath({ interface: name, portals, iqn, lun }: IscsiAttachment, layout: DiskLayout): string {
  return layout.pluginDir(pluginName, `iface-${name}`, `${portals[0]}-${iqn}-lun-${lun}`, 'globalmount');
}

/** ext4 unless asked otherwise, as in the kubelet (mount_linux.go: fstype "" is ext4). */
function fsTypeOf(asked: string | undefined, specName: string): FilesystemType {
  const fsType = asked === undefined || asked === '' ? 'ext4' : asked;
  if (isFilesystemType(fsType)) return fsType;
  throw illegal(specName, `fsType "${fsType}" is not one of ${filesystemTypes.join(', ')}`);
}

function portalOf(text: string, specName: string): string {
  const portal = parsePortal(text);
  if (portal === undefined) throw illegal(specName, `"${text}" is not an IP address with an optional port`);
  return portal;
}

function illegal(specName: string, cause: string): StorageError {
  return new StorageError(`Cannot use iSCSI volume "${specName}": ${cause}`, { code: 'InvalidArgument' });
}
