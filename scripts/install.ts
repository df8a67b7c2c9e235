/** Installs this checkout; what scripts/install runs after its set-up. */
import { existsSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { installTree } from './install-tree.ts';
import { installedFilesPath, readInstalledFiles, removeInstalled } from './installed-files.ts';
import { installedTree, libDir } from './installed-tree.ts';
import { runCommand } from './run-command.ts';

function say(text: string): void {
  process.stdout.write(`install: ${text}\n`);
}

/** The files, and the list of them; what an older installation had and this one has not goes. */
async function installFiles(root: string): Promise<void> {
  const before = readInstalledFiles(root) ?? [];
  const entries = await installedTree();
  installTree(entries, root);
  const now = entries.flatMap((entry) =>
    entry.kind === 'directory' || (entry.kind === 'file' && entry.isConfiguration === true) ? [] : [entry.path],
  );
  const paths = [...now, installedFilesPath].sort();
  writeFileSync(`${root}${installedFilesPath}`, `${paths.join('\n')}\n`);
  removeInstalled(
    before.filter((path) => !paths.includes(path)),
    root,
  );
}

async function startService(): Promise<void> {
  if (!existsSync('/run/systemd/system')) {
    say('this machine is not run by systemd: start /usr/sbin/moored yourself');
    return;
  }
  for (const args of [['daemon-reload'], ['enable', '--quiet', 'moored.service'], ['restart', 'moored.service']]) {
    const { code, stderr } = await runCommand(['systemctl', ...args]);
    if (code !== 0) throw new Error(`Cannot start the service: systemctl ${args.join(' ')}: ${stderr.trim()}`);
  }
  say('moored.service is enabled and runs: systemctl status moored');
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { root: { type: 'string' } } });
  const root = (values.root ?? process.env['DESTDIR'] ?? '').replace(/\/+$/, '');
  if (root === '') {
    if (process.geteuid?.() !== 0) throw new Error('Cannot install: run it as root, or with --root DIR');
    const { code } = await runCommand(['dpkg-query', '--show', 'moored']);
    const isPackaged = code === 0 && existsSync(libDir) && readInstalledFiles('') === undefined;
    if (isPackaged) throw new Error('Cannot install: the Debian package is installed; apt remove moored first');
  }
  await installFiles(root);
  say(`the files are in ${root === '' ? `${libDir}, /usr/bin, /usr/sbin and /etc/moored` : root}`);
  if (root === '') await startService();
}

await main().catch((error: unknown) => {
  process.stderr.write(`install: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
