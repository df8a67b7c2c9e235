import type { MountInfo } from '../../world/mount-info.ts';
import type { MountHolders } from '../mount-holders.ts';
import type { MountTableSource } from '../mount-table-source.ts';
import type { Mounter, MountFlags } from '../mounter.ts';
import { finalError } from './fake-effects.ts';
import { type FakeKernel, rootMount } from './fake-kernel.ts';

export function fakeMounter(kernel: FakeKernel): Mounter {
  const { effects } = kernel;
  return {
    mountDevice: ({ device, target, fsType, flags }) =>
      effects.doAsync(
        'mountDevice',
        `${device} ${target}`,
        () => {
          const { content } = kernel.backing(device);
          if (kernel.openDevices.has(device)) throw finalError(`Cannot mount "${device}": busy`, 'Busy');
          if (content !== fsType)
            throw finalError(`Cannot mount "${device}": wrong fs type "${content}"`, 'FilesystemMismatch');
          // btrfs shows a device number of its own.
          const number =
            fsType === 'btrfs' ? `0:4${kernel.numberOf(device).replace(':', '')}` : kernel.numberOf(device);
          const source = kernel.disks.get(device)?.canonical ?? device;
          const inode = kernel.loops.get(device)?.inode;
          if (inode !== undefined) kernel.everMounted.add(inode);
          kernel.addMount({ device: number, fsType, source, mountPoint: target, options: optionsOf(flags) });
        },
        undefined,
      ),
    mountTmpfs: ({ target, flags }) =>
      effects.do(
        'mountTmpfs',
        target,
        () => {
          const device = `0:${kernel.newId()}`;
          kernel.addMount({ device, fsType: 'tmpfs', source: 'tmpfs', mountPoint: target, options: optionsOf(flags) });
        },
        undefined,
      ),
    bind: ({ source, target, flags }) =>
      effects.do(
        'bind',
        `${source} ${target}`,
        () => {
          const { id: _id, ...bound } = boundFrom(source, kernel);
          kernel.addMount({ ...bound, mountPoint: target, options: optionsOf(flags) });
        },
        undefined,
      ),
    setFlags: (target, flags) =>
      effects.do(
        'setFlags',
        target,
        () => {
          const top = kernel.top(target);
          if (top === undefined) throw finalError(`Cannot remount "${target}": not a mount point`, 'NotFound');
          refuseNfs(top, kernel);
          if (kernel.isForeign(top)) kernel.violation(`flags of a foreign mount changed at ${target}`);
          kernel.replaceMount(top, { ...top, options: optionsOf(flags) });
        },
        undefined,
      ),
    unmount: (target) =>
      effects.doAsync<'unmounted' | 'notMounted'>(
        'unmount',
        target,
        () => {
          const top = kernel.top(target);
          if (top === undefined) return 'notMounted';
          refuseNfs(top, kernel);
          if (kernel.isForeign(top)) kernel.violation(`foreign mount unmounted at ${target}`);
          kernel.replaceMount(top, undefined);
          return 'unmounted';
        },
        'unmounted',
      ),
  };
}

/** These calls are made by the daemon itself: with a dead server it would hang. */
function refuseNfs({ fsType, mountPoint }: MountInfo, kernel: FakeKernel): void {
  if (fsType.startsWith('nfs')) kernel.violation(`an NFS mount touched by the daemon itself at ${mountPoint}`);
}

function boundFrom(source: string, kernel: FakeKernel): MountInfo {
  const whole = kernel.top(source);
  if (whole !== undefined) return whole;
  if (source.startsWith('/dev/')) {
    return { ...rootMount, device: '0:6', fsType: 'devtmpfs', source: 'udev', root: source.slice('/dev'.length) };
  }
  // A bind of a plain directory shows the filesystem below it: what a lost global mount would give a pod.
  return { ...rootMount, root: source };
}

export function fakeMountTable(kernel: FakeKernel): MountTableSource {
  return {
    current: () => kernel.table,
    refresh: () => kernel.effects.doAsync('refresh', '', () => undefined, undefined).then(() => kernel.readTable()),
    onChange: (listener) => kernel.subscribe(listener),
  };
}

export function optionsOf({ readOnly, allowDevices, extra = [] }: MountFlags): readonly string[] {
  return [readOnly ? 'ro' : 'rw', 'nosuid', ...(allowDevices === true ? [] : ['nodev']), ...extra];
}

/** Processes that a test put there, by what they hold: a mount point, or the number of a superblock or device. */
export function fakeMountHolders(kernel: FakeKernel): MountHolders {
  return {
    find: (held) =>
      Promise.resolve(kernel.users.get(held.kind === 'mount' ? held.mountPoint : held.deviceNumber) ?? []),
  };
}
