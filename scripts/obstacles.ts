import { readFileSync } from 'node:fs';
import { runCommand } from './run-command.ts';

const sysAdmin = 21n;

/** Why this host cannot mount and attach loop devices, if so. */
export function sandboxObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'it mounts filesystems and attaches loop devices: run it as root';
  const status = readFileSync('/proc/self/status', 'utf8');
  const capabilities = BigInt(`0x${/^CapEff:\s*(\w+)$/m.exec(status)?.[1] ?? '0'}`);
  return ((capabilities >> sysAdmin) & 1n) === 1n
    ? undefined
    : 'root without CAP_SYS_ADMIN: use a privileged container';
}

/** Why this host cannot make or start a guest, if so, as far as can be seen without booting one. */
export async function vmObstacle(): Promise<string | undefined> {
  if (process.arch !== 'x64') return `User Mode Linux is for x86_64, this is ${process.arch}`;
  const { code } = await runCommand(['mmdebstrap', '--version']);
  return sandboxObstacle() ?? (code === 127 ? 'mmdebstrap is not installed: scripts/setup --with-vm' : undefined);
}

/** Why this host has no containers at all, if so. */
export async function podmanObstacle(): Promise<string | undefined> {
  const { code } = await runCommand(['podman', '--version']);
  return sandboxObstacle() ?? (code === 127 ? 'podman is not installed' : undefined);
}

/** Why `podman run` with these arguments does not start here, if so: a container that starts and ends is the proof. */
export async function containerObstacle(runArguments: readonly string[]): Promise<string | undefined> {
  const { code, stderr } = await runCommand(['podman', 'run', ...runArguments, '/bin/true']);
  return code === 0 ? undefined : `podman cannot run a privileged container: ${stderr.trim().split('\n').at(-1) ?? ''}`;
}
