/** What the kernel says, read without any code of the daemon. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface MountLine {
  readonly id: string;
  readonly device: string;
  readonly root: string;
  readonly target: string;
  readonly options: readonly string[];
  readonly fsType: string;
  readonly source: string;
  readonly line: string;
}

export function mounts(): readonly MountLine[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [id = '', , device = '', root = '', target = '', options = ''] = before.split(' ');
    const [fsType = '', source = ''] = after.split(' ');
    return { id, device, root, target, options: options.split(','), fsType, source, line };
  });
}

export function mountsAt(target: string): readonly MountLine[] {
  return mounts().filter((mount) => mount.target === target);
}

export function mountsBelow(directory: string): readonly MountLine[] {
  return mounts().filter((mount) => mount.target === directory || mount.target.startsWith(`${directory}/`));
}

/** Backing files by loop device, from sysfs. */
export function loopDevices(): ReadonlyMap<string, string> {
  const devices = new Map<string, string>();
  for (const name of readdirSync('/sys/block')) {
    if (!name.startsWith('loop')) continue;
    try {
      devices.set(`/dev/${name}`, readFileSync(`/sys/block/${name}/loop/backing_file`, 'utf8').trim());
    } catch (error) {
      // No such file: the device has no backing; no such device: it lost it between open and read.
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENODEV') throw error;
    }
  }
  return devices;
}

export function loopsOn(path: string): readonly string[] {
  return [...loopDevices()]
    .filter(([, backing]) => backing === path || backing === `${path} (deleted)`)
    .map(([d]) => d);
}

/** Runs a tool; throws with its stderr when it fails. */
export function run(tool: string, ...args: readonly string[]): string {
  return execFileSync(tool, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

export function filesystemUuid(device: string): string {
  return run('/usr/sbin/blkid', '-p', '-s', 'UUID', '-o', 'value', device).trim();
}
