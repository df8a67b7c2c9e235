import type { MountInfo } from '../../world/mount-info.ts';
import type { NfsMounter } from '../nfs-mounter.ts';
import { finalError } from './fake-effects.ts';
import type { FakeKernel } from './fake-kernel.ts';
import { optionsOf } from './fake-mounts.ts';

export function fakeNfs(kernel: FakeKernel): NfsMounter {
  const { effects } = kernel;
  return {
    mount: ({ source, target, flags, options }) =>
      effects.doAsync(
        'mountNfs',
        `${source} ${target}`,
        () => {
          const superOptions = [flags.readOnly ? 'ro' : 'rw', ...options];
          const device = superblockOf({ source, superOptions }, kernel) ?? `0:${kernel.newId()}`;
          const shown = { device, fsType: 'nfs4', source, superOptions, options: optionsOf(flags) };
          kernel.addMount({ ...shown, mountPoint: target });
          kernel.staleNfs.delete(target);
        },
        undefined,
      ),
    setFlags: (target, flags) =>
      effects.doAsync(
        'setNfsFlags',
        target,
        () => {
          const top = nfsAt(target, kernel);
          kernel.replaceMount(top, { ...top, options: optionsOf(flags) });
        },
        undefined,
      ),
    unmount: (target, { force }) =>
      effects.doAsync(
        'unmountNfs',
        force ? `${target} by force` : target,
        () => unmount(nfsAt(target, kernel), force, kernel),
        undefined,
      ),
    probe: (server, targets) => {
      const probed = () => ({ stale: targets.filter((target) => kernel.staleNfs.has(target)) });
      return effects.doAsync('probeNfs', server, probed, { stale: [] });
    },
  };
}

/** Equal mounts of one export have one superblock. */
function superblockOf(wanted: Pick<MountInfo, 'source' | 'superOptions'>, kernel: FakeKernel): string | undefined {
  const keyOf = ({ source, superOptions }: typeof wanted) => [source, ...superOptions].join();
  return kernel.mounts.find((mount) => keyOf(mount) === keyOf(wanted))?.device;
}

function nfsAt(target: string, kernel: FakeKernel): MountInfo {
  const top = kernel.top(target);
  if (top?.fsType.startsWith('nfs') === true) return top;
  throw finalError(`Cannot find an NFS mount at "${target}"`, 'NotFound');
}

function unmount(mount: MountInfo, force: boolean, kernel: FakeKernel): void {
  const { mountPoint: target, device } = mount;
  if (kernel.isForeign(mount)) kernel.violation(`foreign mount unmounted at ${target}`);
  const isShared = kernel.mounts.some((other) => other !== mount && other.device === device);
  if (force && isShared) kernel.violation(`writes of another mount lost by force at ${target}`);
  const isUsed = kernel.usedNfs.has(target);
  // What its users wait for fails, and they end: a moment later.
  if (force) kernel.usedNfs.delete(target);
  if (isUsed) throw finalError(`Cannot unmount "${target}": target is busy`, 'Busy');
  kernel.replaceMount(mount, undefined);
}
