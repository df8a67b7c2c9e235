/** Takes away what scripts/install put there, and, by name only, data: what scripts/uninstall runs. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { readInstalledFiles, removeInstalled } from './installed-files.ts';
import { purge, purgeable } from './purge.ts';
import { runCommand } from './run-command.ts';

function say(text: string): void {
  process.stdout.write(`uninstall: ${text}\n`);
}

/** Where the data is: /var/lib/moored, or what the configuration says. */
function rootDirOf(root: string): string {
  const path = `${root}/etc/moored/moored.yaml`;
  const settings: unknown = existsSync(path) ? parse(readFileSync(path, 'utf8')) : undefined;
  const isMapping = typeof settings === 'object' && settings !== null && 'rootDir' in settings;
  return join(root === '' ? '/' : root, isMapping ? String(settings.rootDir) : '/var/lib/moored');
}

/** Mount points below a directory: field 5 of proc_pid_mountinfo(5), with its octal escapes. */
function mountsBelow(directory: string): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) =>
      (line.split(' ')[4] ?? '').replaceAll(/\\(\d{3})/g, (_match, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    )
    .filter((path) => path.startsWith(`${directory}/`));
}

async function stopService(): Promise<void> {
  if (!existsSync('/run/systemd/system')) return;
  const { code, stderr } = await runCommand(['systemctl', 'disable', '--now', 'moored.service']);
  if (code !== 0) throw new Error(`Cannot stop the service: ${stderr.trim()}`);
}

async function uninstall(root: string): Promise<void> {
  const files = readInstalledFiles(root);
  if (files === undefined) {
    say('nothing was installed from a checkout (a package goes with: apt remove moored)');
    return;
  }
  if (root === '') await stopService();
  removeInstalled(files, root);
  if (root === '' && existsSync('/run/systemd/system')) await runCommand(['systemctl', 'daemon-reload']);
  say(`${files.length} files are gone; manifests and configuration stay in ${root}/etc/moored`);
}

async function main(): Promise<void> {
  const { values, positionals: names } = parseArgs({
    options: { root: { type: 'string' }, 'leave-mounted': { type: 'boolean' }, purge: { type: 'boolean' } },
    allowPositionals: true,
  });
  if (names.length > 0 && values.purge !== true) throw new Error('Cannot take names without --purge');
  const root = (values.root ?? process.env['DESTDIR'] ?? '').replace(/\/+$/, '');
  const rootDir = rootDirOf(root);
  const mounts = mountsBelow(rootDir);
  if (mounts.length > 0 && (values['leave-mounted'] !== true || values.purge === true)) {
    const advice = values.purge === true ? 'moorctl drain' : 'moorctl drain, or --leave-mounted';
    const left = `${mounts.length} volumes are mounted below "${rootDir}" and would be left without a keeper`;
    throw new Error(`Cannot uninstall: ${left}: ${advice}\n  ${mounts.join('\n  ')}`);
  }
  // Names are judged before anything goes.
  const data = purgeable(rootDir);
  const unknown = names.filter((name) => !data.some((item) => item.name === name));
  if (unknown.length > 0) throw new Error(`Cannot purge "${unknown.join('", "')}": there is no such data`);
  await uninstall(root);
  if (values.purge === true && names.length > 0) for (const path of purge(rootDir, names)) say(`deleted ${path}`);
  const left = purgeable(rootDir);
  say(left.length === 0 ? `no data is left in ${rootDir}` : `data and state are kept in ${rootDir}:`);
  for (const { name, says } of left) say(`  ${name}  ${says}`);
  if (left.length > 0) say('to delete some of it, name it: scripts/uninstall --purge NAME…');
}

await main().catch((error: unknown) => {
  process.stderr.write(`uninstall: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
