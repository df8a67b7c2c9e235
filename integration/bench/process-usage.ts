import { readdirSync, readFileSync } from 'node:fs';

/** Ticks a second of /proc/PID/stat: USER_HZ is 100 on every architecture that Node runs on. */
const tickMs = 10;

/** CPU of a process, ms: its own threads to the nanosecond, its ended children to 10 ms. */
export function cpuMs(pid: number): number {
  return ownCpuMs(pid) + childrenCpuMs(pid);
}

/** Of the threads that live; the daemon's never end. */
export function ownCpuMs(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = tasks.map((task) =>
    Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanoseconds.reduce((sum, value) => sum + value, 0) / 1e6;
}

function childrenCpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in brackets may hold blanks; cutime and cstime are fields 16 and 17 (proc_pid_stat(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) * tickMs;
}

/** Resident memory now and at its highest, MB (10^6 bytes). */
export function memoryMb(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string) => (Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024) / 1e6;
  return { now: field('VmRSS'), peak: field('VmHWM') };
}
