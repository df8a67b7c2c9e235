import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { MountInfo } from '../world/mount-info.ts';
import { attempt } from './holders/mount-namespaces.ts';
import { parseMountInfo } from './mount-info-text.ts';

export interface UsedDevice {
  readonly devicePath: string;
  /** "major:minor" */
  readonly deviceNumber: string;
}

/** Where a block device is mounted, in every mount namespace of the machine, and whether it is swap; in words. */
export function deviceUsers(device: UsedDevice): readonly string[] {
  const places = new Map<string, string>();
  const namespaces = new Set<string>();
  for (const pid of ['self', ...processes()]) {
    const namespace = attempt(() => readlinkSync(`/proc/${pid}/ns/mnt`));
    if (namespace === undefined || namespaces.has(namespace)) continue;
    namespaces.add(namespace);
    const text = attempt(() => readFileSync(`/proc/${pid}/mountinfo`, 'utf8')) ?? '';
    const whose = pid === 'self' ? '' : ` in the mount namespace of process ${pid}`;
    for (const mount of parseMountInfo(text)) {
      if (isFrom(mount, device)) places.set(`mounted at "${mount.mountPoint}"${whose}`, '');
    }
  }
  const swaps = attempt(() => readFileSync('/proc/swaps', 'utf8')) ?? '';
  const isSwap = swaps.split('\n').some((line) => line.split(/\s/)[0] === device.devicePath);
  return [...places.keys(), ...(isSwap ? ['used as swap'] : [])];
}

/** btrfs shows a device number of its own: there the source tells. A bind of the node is a mount of devtmpfs. */
function isFrom({ device, source, fsType, root }: MountInfo, wanted: UsedDevice): boolean {
  if (device === wanted.deviceNumber || source === wanted.devicePath) return true;
  return fsType === 'devtmpfs' && root === wanted.devicePath.slice('/dev'.length);
}

function processes(): readonly string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}
