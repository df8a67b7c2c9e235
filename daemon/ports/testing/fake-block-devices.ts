import type { ProbeResult } from '../../world/probe-result.ts';
import { StorageError } from '../../world/storage-error.ts';
import type { AttachmentObserver } from '../attachment-observer.ts';
import type { BlockProbe } from '../block-probe.ts';
import type { FilesystemHealth } from '../filesystem-health.ts';
import type { Filesystems } from '../filesystems.ts';
import type { LoopDevice, LoopDevices } from '../loop-devices.ts';
import { finalError } from './fake-effects.ts';
import type { FakeKernel } from './fake-kernel.ts';

export function fakeLoopDevices(kernel: FakeKernel): LoopDevices {
  const find = (imagePath: string): LoopDevice | undefined => {
    const inode = kernel.imageFiles.get(imagePath)?.inode;
    const found = [...kernel.loops].find(([, loop]) => loop.inode === inode);
    return found && loopDevice(found[0], kernel);
  };
  return {
    find,
    attach: (imagePath, { readOnly }) => {
      const known = find(imagePath);
      if (known !== undefined) {
        kernel.effects.count('attach');
        return known;
      }
      const made = kernel.effects.do('attach', imagePath, () => attach(imagePath, readOnly, kernel), undefined);
      return made ?? unknownLoop(imagePath);
    },
    findBacking: ({ inode, path }) => {
      const found = [...kernel.loops].find(([, loop]) => loop.inode === inode && loop.path === path);
      return found && loopDevice(found[0], kernel);
    },
    status: (devicePath) => (kernel.loops.has(devicePath) ? loopDevice(devicePath, kernel) : undefined),
    list: () => [...kernel.loops.keys()].map((devicePath) => loopDevice(devicePath, kernel)),
    grow: (devicePath, { inode }, imagePath) => {
      const act = () => grow(devicePath, inode, imagePath, kernel);
      return kernel.effects.do<'grown' | 'asLong'>('growLoop', devicePath, act, 'grown');
    },
    keep: (devicePath, { inode }) =>
      kernel.effects.do<'kept' | 'notAttached'>(
        'keepLoop',
        devicePath,
        () => {
          const loop = kernel.loops.get(devicePath);
          if (loop?.inode !== inode) return 'notAttached';
          loop.isAutoclear = false;
          return 'kept';
        },
        'kept',
      ),
    detach: (devicePath, { inode }) =>
      kernel.effects.do<'detached' | 'notAttached'>(
        'detach',
        devicePath,
        () => {
          if (kernel.loops.get(devicePath)?.inode !== inode) return 'notAttached';
          if (kernel.isMounted(devicePath) || kernel.openDevices.has(devicePath)) {
            throw new StorageError(`Cannot detach "${devicePath}": busy`, { code: 'Busy', progress: 'uncertain' });
          }
          kernel.loops.delete(devicePath);
          return 'detached';
        },
        'detached',
      ),
  };
}

function grow(devicePath: string, inode: bigint, imagePath: string, kernel: FakeKernel): 'grown' | 'asLong' {
  const loop = kernel.loops.get(devicePath);
  const file = kernel.imageFiles.get(imagePath);
  if (loop?.inode !== inode || file?.inode !== inode) throw finalError(`Cannot grow "${devicePath}": not ours`);
  if (file.sizeBytes < loop.sizeBytes) throw finalError(`Cannot grow "${devicePath}": somebody cut the image`);
  if (file.sizeBytes === loop.sizeBytes) return 'asLong';
  loop.sizeBytes = file.sizeBytes;
  return 'grown';
}

function attach(path: string, readOnly: boolean, kernel: FakeKernel): LoopDevice {
  const image = kernel.imageFiles.get(path);
  if (image === undefined) throw finalError(`Cannot attach "${path}": no such file`, 'NotFound');
  const devicePath = kernel.newLoopPath();
  kernel.loops.set(devicePath, { inode: image.inode, path, readOnly, image, sizeBytes: image.sizeBytes });
  return loopDevice(devicePath, kernel);
}

/** What a loop driver that lies would give: a device without a file. */
function unknownLoop(path: string): LoopDevice {
  return { devicePath: '/dev/loop99', deviceNumber: '7:99', readOnly: false, backing: { device: 1n, inode: 0n, path } };
}

function loopDevice(devicePath: string, kernel: FakeKernel): LoopDevice {
  const { inode, path, readOnly } = kernel.loops.get(devicePath) ?? { inode: 0n, path: '', readOnly: false };
  return { devicePath, deviceNumber: kernel.numberOf(devicePath), readOnly, backing: { device: 2049n, inode, path } };
}

export function fakeBlockProbe(kernel: FakeKernel): BlockProbe {
  return {
    probe: (device) =>
      kernel.effects.doAsync('probe', device, () => probed(kernel.backing(device)), { kind: 'blank' } as const),
    describe: (device) => {
      kernel.backing(device);
      const node = kernel.disks.get(device)?.canonical ?? device;
      return { node, deviceNumber: kernel.numberOf(device), sizeBytes: kernel.sizeOf(device), readOnly: false };
    },
  };
}

function probed({ content, filesystemBytes }: ReturnType<FakeKernel['backing']>): ProbeResult {
  switch (content) {
    case 'hole':
    case 'zeros':
      return { kind: 'blank' };
    case 'other':
      return { kind: 'other', description: 'bytes that nothing recognises' };
    default:
      return {
        ...{ kind: 'filesystem', fsType: content },
        ...(filesystemBytes === undefined ? {} : { sizeBytes: filesystemBytes }),
      };
  }
}

export function fakeFilesystems(kernel: FakeKernel): Filesystems {
  return {
    make: (device, fsType) =>
      kernel.effects.doAsync(
        'mkfs',
        `${fsType} ${device}`,
        () => {
          const backing = kernel.backing(device);
          // mkfs and mount(2) open the device exclusively: while another mkfs has it, they get EBUSY.
          if (kernel.openDevices.has(device)) throw finalError(`Cannot format "${device}": busy`, 'Busy');
          if (backing.data !== undefined) kernel.violation(`mkfs.${fsType} on ${device}, which holds data`);
          if (backing.content !== 'hole' && backing.content !== 'zeros') {
            kernel.violation(`mkfs.${fsType} on ${device}, which holds ${backing.content}`);
          }
          backing.content = fsType;
          backing.filesystemBytes = kernel.sizeOf(device);
        },
        undefined,
      ),
    grow: ({ device, fsType, mountPoint }) =>
      kernel.effects.doAsync(
        'growFilesystem',
        `${fsType} ${device}`,
        () => {
          const backing = kernel.backing(device);
          const isMounted = kernel.top(mountPoint) !== undefined;
          if (!isMounted || backing.content !== fsType) kernel.violation(`grew ${fsType} on ${device}: not mounted`);
          const bytes = kernel.sizeOf(device);
          if (bytes < (backing.filesystemBytes ?? 0n)) kernel.violation(`shrank ${fsType} on ${device}`);
          backing.filesystemBytes = bytes;
        },
        undefined,
      ),
    check: (device) =>
      kernel.effects.doAsync(
        'fsck',
        device,
        () => {
          // e2fsck: "is mounted … Cannot continue, aborting", exit 8.
          if (kernel.isMounted(device)) throw finalError(`Cannot check "${device}": it is mounted`, 'Internal');
          return { corrected: false };
        },
        { corrected: false },
      ),
  };
}

export function fakeFilesystemHealth(kernel: FakeKernel): FilesystemHealth {
  return {
    look: ({ deviceNumber }) => {
      const count = kernel.ext4Errors.get(deviceNumber);
      return Promise.resolve(count === undefined ? {} : { ext4Errors: { count, lastFunction: 'ext4_test' } });
    },
  };
}

/** Tells nothing by itself: a test that acts from outside also says at which path. */
export function fakeAttachmentObserver(
  kernel: FakeKernel,
): AttachmentObserver & { readonly watched: ReadonlySet<string>; tell(path: string): void } {
  const watched = new Set<string>();
  const listeners = new Set<(path: string) => void>();
  return {
    watched,
    facts: (deviceNumber) => {
      const isDisk = [...kernel.disks.values()].some((disk) => disk.deviceNumber === deviceNumber);
      if (!deviceNumber.startsWith('7:')) return isDisk ? {} : undefined;
      const loop = kernel.loops.get(`/dev/loop${deviceNumber.slice(2)}`);
      if (loop === undefined) return {};
      const { path, inode, isAutoclear = false } = loop;
      const moved = [...kernel.imageFiles].find(([, image]) => image.inode === inode)?.[0];
      return { backing: { path: moved ?? `${path} (deleted)`, isAutoclear } };
    },
    watch: (path) => watched.add(path),
    unwatch: (path) => watched.delete(path),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    tell: (path) => {
      for (const listener of listeners) listener(path);
    },
  };
}
