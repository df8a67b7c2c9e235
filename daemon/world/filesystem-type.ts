/** Filesystems that moored makes and checks. */
export const filesystemTypes = ['ext4', 'xfs', 'btrfs'] as const;
export type FilesystemType = (typeof filesystemTypes)[number];

export function isFilesystemType(value: string): value is FilesystemType {
  return (filesystemTypes as readonly string[]).includes(value);
}
