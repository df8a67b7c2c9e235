/** Somebody with root rights who knows nothing of moored, on the real machine. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LinuxLoopDevices } from '../../../daemon/host/linux-loop-devices.ts';
import type { AdminAct, LocalAdminAct } from '../../model/history.ts';
import { loopDevices, type MountLine, mounts, mountsAt, mountsBelow, run } from '../../support/kernel-facts.ts';
import type { RealMachine } from './real-machine.ts';

/** What the kernel or a tool refuses (busy, gone meanwhile) is refused to the admin, and no finding. */
export function administer(act: AdminAct, machine: RealMachine): void {
  try {
    if (isLocal(act)) acts[act](machine);
  } catch (error) {
    machine.trace(`  ${act}: ${String(error).split('\n', 2).join(' ')}`);
  }
}

const acts: Readonly<Record<LocalAdminAct, (machine: RealMachine) => void>> = {
  umount: (machine) => umount(pickMount(machine), machine),
  unmountForeign: (machine) => {
    const isForeign = ({ id }: MountLine): boolean => machine.foreign.some((one) => one.id === id);
    umount(pickMount(machine, isForeign), machine);
  },
  overMount: (machine) => mountOver(pickMount(machine)?.target, machine),
  mountOnTarget: (machine) => {
    const free = targetsBelow(machine.daemon.rootDir).filter((path) => mountsAt(path).length === 0);
    mountOver(machine.random.pick(free), machine);
  },
  remount: (machine) => {
    const path = pickMount(machine)?.target;
    const options = machine.random.is(0.5) ? 'remount,bind,ro,nosuid,nodev' : 'remount,bind,rw,suid,dev';
    if (path === undefined) return;
    machine.trace(`  mount -o ${options} ${path}`);
    run('/usr/bin/mount', '-o', options, path);
  },
  detachLoop: (machine) => {
    // By the daemon's own port: losetup(8) goes by the number, which may be somebody else's a moment later.
    const loops = new LinuxLoopDevices({ openat2: true });
    const ours = loops.list().filter(({ backing }) => backing.path.startsWith(`${machine.daemon.base}/`));
    const loop = machine.random.pick(ours);
    if (loop === undefined) return;
    machine.trace(`  losetup -d ${loop.devicePath}`);
    loops.detach(loop.devicePath, loop.backing);
  },
  // Numbers of devices are everybody's on this machine: not taken here.
  takeLoop: () => undefined,
  removeImage: (machine) => takeAside(machine, false),
  replaceImage: (machine) => takeAside(machine, true),
  restoreImage: (machine) => machine.restoreImage(),
};

/** The others are of a storage network, which is the model's alone. */
function isLocal(act: AdminAct): act is LocalAdminAct {
  return act in acts;
}

function pickMount(machine: RealMachine, isMeant: (mount: MountLine) => boolean = () => true): MountLine | undefined {
  return machine.random.pick(mountsBelow(machine.daemon.rootDir).filter(isMeant));
}

function umount(mount: MountLine | undefined, machine: RealMachine): void {
  if (mount === undefined) return;
  machine.trace(`  umount ${mount.target}`);
  machine.unmountTop(mount.target);
}

function mountOver(target: string | undefined, machine: RealMachine): void {
  if (target === undefined) return;
  machine.trace(`  mount -t tmpfs theirs ${target}`);
  machine.mountForeign(target);
}

function takeAside(machine: RealMachine, isReplaced: boolean): void {
  const path = machine.random.pick(imagesOf(machine));
  if (path === undefined) return;
  machine.trace(`  mv ${path}${isReplaced ? ', a blank one in its place' : ''}`);
  machine.takeImageAside(path, isReplaced);
}

export function imagesOf({ daemon, imageDirectory }: RealMachine): readonly string[] {
  const own = join(daemon.rootDir, 'images/default');
  return [own, imageDirectory].flatMap((directory) =>
    existsSync(directory)
      ? readdirSync(directory).flatMap((name) => (name.endsWith('.img') ? [join(directory, name)] : []))
      : [],
  );
}

/** Where moored mounts or may mount; by listing, because what lies over one may be somebody else's. */
function targetsBelow(directory: string): readonly string[] {
  const seen = new Set(mounts().map(({ target }) => target));
  const walk = (path: string): string[] =>
    readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
      const inner = join(path, entry.name);
      if (!entry.isDirectory() || entry.name === 'state' || entry.name === 'images') return [];
      if (entry.name === 'mount' || entry.name === 'globalmount') return [inner];
      return seen.has(inner) ? [] : walk(inner);
    });
  return existsSync(directory) ? walk(directory) : [];
}

/** Loop devices with a file of this machine. */
export function loopsOf({ daemon }: RealMachine): readonly (readonly [string, string])[] {
  return [...loopDevices()].filter(([, file]) => file.startsWith(`${daemon.base}/`));
}
