import type { LocalVolumeSource } from '../../daemon/api/persistent-volume.ts';
import type { ResolvedVolume, VolumePlugin, VolumeSpec } from '../../daemon/ports/volume-plugin.ts';
import type { DiskLayout } from '../../daemon/world/disk-layout.ts';
import { type FilesystemType, filesystemTypes, isFilesystemType } from '../../daemon/world/filesystem-type.ts';
import { type MountOptions, parseMountOptions } from '../../daemon/world/mount-options.ts';
import { StorageError } from '../../daemon/world/storage-error.ts';
import { uniqueVolumeName } from '../../daemon/world/unique-volume-name.ts';
import type { ImageAttachment } from '../../daemon/world/volume-recipe.ts';

const pluginName = 'kubernetes.io/local-volume';

type Use = Extract<VolumeSpec, { kind: 'persistentVolume' }>;

/**
 * local: a directory, bound, or a block device, formatted if it is proven blank, mounted once and bound (pkg/volume/local).
 * Below /dev a path is a device, elsewhere a directory: a plugin looks at nothing.
 */
export const localPlugin: VolumePlugin = {
  name: pluginName,

  canSupport: (spec) => sourceOf(spec) !== undefined,

  resolve(spec, layout) {
    const source = sourceOf(spec);
    if (source === undefined || spec.kind === 'inline') {
      throw refused(spec.kind === 'inline' ? spec.volume.name : spec.volume.metadata.name, 'it has no local source');
    }
    const options = parseMountOptions(spec.volume.spec.mountOptions ?? []);
    return source.path.startsWith('/dev/')
      ? deviceVolume(spec, source, options, layout)
      : directoryVolume(spec, source, options, layout);
  },
};

function sourceOf(spec: VolumeSpec): LocalVolumeSource | undefined {
  return spec.kind === 'inline' ? undefined : spec.volume.spec.local;
}

function directoryVolume(
  spec: Use,
  { path }: LocalVolumeSource,
  { flags, options, readOnly }: MountOptions,
  layout: DiskLayout,
): ResolvedVolume {
  const specName = spec.volume.metadata.name;
  const source = path.replaceAll(/\/+/g, '/').replace(/(.)\/$/, '$1');
  if (spec.volume.spec.volumeMode === 'Block')
    throw refused(specName, `"${path}" is no device: want a path below /dev`);
  if (source === '/') throw refused(specName, '"/" is the whole machine');
  if (`${source}/`.startsWith(`${layout.rootDir}/`) || `${layout.rootDir}/`.startsWith(`${source}/`)) {
    throw refused(specName, `"${path}" has to do with "${layout.rootDir}", which is moored's own`);
  }
  const [option] = options;
  if (option !== undefined) throw refused(specName, `mount option "${option}" is of a filesystem, not of a bind`);
  return {
    name: uniqueVolumeName(pluginName, specName),
    specName,
    recipe: { globalMountPath: '' },
    targetPath: layout.podVolumeDir(spec.pod.uid, pluginName, specName),
    mount: { kind: 'local', source, readOnly: readOnly || isReadOnlyUse(spec), options: flags },
  };
}

function deviceVolume(
  spec: Use,
  { path, fsType }: LocalVolumeSource,
  { flags, options, readOnly: isMountedReadOnly }: MountOptions,
  layout: DiskLayout,
): ResolvedVolume {
  const specName = spec.volume.metadata.name;
  const readOnly = isMountedReadOnly || isReadOnlyMany(spec);
  const attachment: ImageAttachment = { kind: 'image', path, readOnly, isOwned: false, volumeHandle: specName };
  const common = { name: uniqueVolumeName(pluginName, specName), specName };
  const isReadOnlyHere = readOnly || spec.readOnly;
  if (spec.volume.spec.volumeMode === 'Block') {
    return {
      ...common,
      recipe: { attachment, globalMountPath: '' },
      targetPath: layout.podVolumeDevicePath(spec.pod.uid, pluginName, specName),
      mount: { kind: 'deviceBind', readOnly: isReadOnlyHere },
    };
  }
  return {
    ...common,
    recipe: {
      attachment,
      deviceMount: { fsType: fsTypeOf(fsType, specName), readOnly, options: [...flags, ...options] },
      // Upstream: plugins/kubernetes.io/local-volume/mounts/<name>
      globalMountPath: layout.pluginDir(pluginName, 'mounts', specName),
    },
    targetPath: layout.podVolumeDir(spec.pod.uid, pluginName, specName),
    mount: { kind: 'bind', readOnly: isReadOnlyHere },
  };
}

/** The claim is used read-only, or nobody may write to the volume. */
function isReadOnlyUse(spec: Use): boolean {
  return spec.readOnly || isReadOnlyMany(spec);
}

function isReadOnlyMany({ volume }: Use): boolean {
  return volume.spec.accessModes.every((mode) => mode === 'ReadOnlyMany');
}

/** ext4 unless asked otherwise, as in the kubelet (mount_linux.go: fstype "" is ext4). */
function fsTypeOf(asked: string | undefined, specName: string): FilesystemType {
  const fsType = asked === undefined || asked === '' ? 'ext4' : asked;
  if (isFilesystemType(fsType)) return fsType;
  throw refused(specName, `fsType "${fsType}" is not one of ${filesystemTypes.join(', ')}`);
}

function refused(specName: string, cause: string): StorageError {
  return new StorageError(`Cannot use local volume "${specName}": ${cause}`, { code: 'InvalidArgument' });
}
