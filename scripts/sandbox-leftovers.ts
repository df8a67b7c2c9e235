import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { runCommand } from './run-command.ts';

/** An attached loop device: "loop3" and the file that it shows. */
export interface LoopDevice {
  readonly name: string;
  readonly file: string;
}

export interface Leftover {
  readonly pid: number;
  readonly commandLine: string;
}

/** What a process or device says about itself; undefined when it went away meanwhile. */
function readIfPresent(read: () => string): string | undefined {
  try {
    return read().trim();
  } catch {
    return undefined;
  }
}

export function loopDevices(): readonly LoopDevice[] {
  const names = readdirSync('/sys/block').filter((name) => name.startsWith('loop'));
  return names.flatMap((name) => {
    const path = `/sys/block/${name}/loop/backing_file`;
    const file = existsSync(path) ? readIfPresent(() => readFileSync(path, 'utf8')) : undefined;
    return file === undefined ? [] : [{ name, file }];
  });
}

/** Every mount point of our namespace, one entry a mount, so that stacked mounts count. */
export function mountPoints(): readonly string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
  return lines.map((line) => line.split(' ')[4] ?? '');
}

/** Processes that share our mount namespace, except us: whoever made the namespace for a command ends with it. */
export function processesInOurNamespace(): readonly Leftover[] {
  const own = readlinkSync('/proc/self/ns/mnt');
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    if (readIfPresent(() => readlinkSync(`/proc/${pid}/ns/mnt`)) !== own) return [];
    const commandLine = readIfPresent(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
    return commandLine === undefined || commandLine === '' ? [] : [{ pid, commandLine }];
  });
}

/** Ends what a sandbox left, by its own pids and device names, so that the machine does not fill up with failed runs. */
export async function endLeftovers(processes: readonly Leftover[], loops: readonly LoopDevice[]): Promise<void> {
  for (const { pid } of processes) readIfPresent(() => String(process.kill(pid, 'SIGKILL')));
  for (const { name } of loops) await runCommand(['losetup', '--detach', `/dev/${name}`]);
}
