import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem, version } from 'node:os';

/** What the figures were measured on, one line each. */
export function machineWords(disk: string | undefined, watchMethod: string): readonly string[] {
  const gib = (totalmem() / 2 ** 30).toFixed(0);
  return [
    `Linux ${release()} (${version()}), ${process.arch}; ${distribution()}`,
    `${availableParallelism()} cores, ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${gib} GiB`,
    `Node ${process.version}`,
    `Root dir: a fresh ext4 for each run, ${disk === undefined ? 'on a loop device over tmpfs' : `on a loop device over "${disk}"`}`,
    `Mount table watched by ${watchMethod || 'nothing'}; load average at the end ${loadavg()[0]?.toFixed(1)}`,
  ];
}

function distribution(): string {
  const text = readFileSync('/etc/os-release', 'utf8');
  return /^PRETTY_NAME="?(.*?)"?$/m.exec(text)?.[1] ?? 'unknown distribution';
}
