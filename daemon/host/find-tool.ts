import { statSync } from 'node:fs';

/** Where tools are looked for, in this order, whatever PATH the daemon was started with. */
export const toolDirectories = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'] as const;

/** What access(2) asks for root, who is the only one to run moored: that anybody may execute it. */
const anyExecute = 0o111;

/** Absolute path of a tool; undefined: this machine does not have it. */
export function findTool(tool: string): string | undefined {
  const candidates = tool.startsWith('/') ? [tool] : toolDirectories.map((directory) => `${directory}/${tool}`);
  return candidates.find(isExecutable);
}

/** Asked before every child, and a tool is mostly not in the first place: that must cost no exception. */
function isExecutable(path: string): boolean {
  const status = statSync(path, { throwIfNoEntry: false });
  return status?.isFile() === true && (status.mode & anyExecute) !== 0;
}

/** The Debian package of each tool that moored runs. */
const packageOfTool: Readonly<Record<string, string>> = {
  'mkfs.ext4': 'e2fsprogs',
  e2fsck: 'e2fsprogs',
  resize2fs: 'e2fsprogs',
  'mkfs.xfs': 'xfsprogs',
  xfs_growfs: 'xfsprogs',
  'mkfs.btrfs': 'btrfs-progs',
  btrfs: 'btrfs-progs',
  mount: 'mount',
  umount: 'mount',
  blkid: 'util-linux',
  blockdev: 'util-linux',
  cmp: 'diffutils',
  tee: 'coreutils',
  iscsiadm: 'open-iscsi',
  iscsid: 'open-iscsi',
  multipath: 'multipath-tools',
  stat: 'coreutils',
  'mount.nfs': 'nfs-common',
};

/** "apt install xfsprogs"; undefined for a tool that is not ours. */
export function installCommand(tool: string): string | undefined {
  const name = tool.slice(tool.lastIndexOf('/') + 1);
  const debianPackage = packageOfTool[name];
  return debianPackage === undefined ? undefined : `apt install ${debianPackage}`;
}
