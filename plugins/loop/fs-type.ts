import { type FilesystemType, filesystemTypes, isFilesystemType } from '../../daemon/world/filesystem-type.ts';
import { StorageError } from '../../daemon/world/storage-error.ts';

/** ext4 unless asked otherwise, as in the kubelet (mount_linux.go: fstype "" is ext4). */
export function fsTypeOf(asked: string | undefined): FilesystemType {
  const fsType = asked === undefined || asked === '' ? 'ext4' : asked;
  if (isFilesystemType(fsType)) return fsType;
  throw new StorageError(`Cannot use fsType "${fsType}": accepted are ${filesystemTypes.join(', ')}`, {
    code: 'InvalidArgument',
  });
}
