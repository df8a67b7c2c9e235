/**
 * Makes dist/: a launcher and a bundle for the daemon and for the client.
 * The bundle is one readable file (not minified) because it starts in half the time of its modules; koffi stays outside
 * because it loads a native library beside itself.
 */
import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { projectRoot } from './run-command.ts';

const programs = [
  { name: 'moored', entry: 'daemon/main.ts' },
  { name: 'moorctl', entry: 'daemon/cli/main.ts' },
];

/** What the daemon starts as a child: a bundle without a launcher. */
const parts = [
  { name: 'mount-holders', entry: 'daemon/host/holders/main.ts' },
  { name: 'image-copy', entry: 'daemon/host/image-copy/main.ts' },
];

const dist = join(projectRoot, 'dist');

// Bundled CommonJS packages still call require() for Node's own modules, which an ES module does not have.
const requireForCommonJs = [
  `import { createRequire as moored_createRequire } from 'node:module';`,
  'const require = moored_createRequire(import.meta.url);',
].join('\n');

/**
 * What `dist/<name>.js` is. It must parse in any Node since 14.8, so that "#!/usr/bin/env node" that finds an old one ends
 * in a sentence and not in a SyntaxError of the bundle. The client goes on under the Node that the package brings; the
 * daemon does not, because it would no longer be the process that systemd watches.
 */
function launcher(name: string): string {
  return `#!/usr/bin/env node
// Made by scripts/build.ts; the program is in lib/${name}.js.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major > 24 || (major === 24 && minor >= 12)) {
  // libuv reads this once, when its first thread starts: with its default of four, four calls that hang stop all others.
  // It has to be set before any module of the program runs, hence here.
  if (process.env.UV_THREADPOOL_SIZE === undefined) process.env.UV_THREADPOOL_SIZE = '16';
${name === 'moored' ? smallHeap : ''}  await import('./lib/${name}.js');
} else {
  const ownNode = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));
  const self = fileURLToPath(import.meta.url);
${name === 'moorctl' ? goOn : refuse(name)}}
`;
}

/**
 * 250 volumes are some 11 MB of live heap; what the process holds beside it is garbage. V8 lets both generations grow to
 * several times what lives in them, unless told: 107 MB of RSS instead of 124 (small old one) or 161 (neither).
 * --optimize-for-size makes that 101, and keeps the process at work when there is none: 0.5 % of a core idle, not 0.2.
 */
const smallHeap = `  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=50');
`;

const goOn = `  const { status, error } = spawnSync(ownNode, [self, ...process.argv.slice(2)], { stdio: 'inherit' });
  if (error) process.stderr.write('Cannot start moorctl under "' + ownNode + '": ' + error.message + '; run npm ci\\n');
  process.exitCode = status === null ? 1 : status;
`;

const refuse = (name: string): string => `  const found = process.version;
  process.stderr.write(
    'Cannot run ${name} under Node "' + found + '": it needs 24.12 or later; start it with the Node that it brings:\\n' +
      '  ' + ownNode + ' ' + self + '\\n',
  );
  process.exitCode = 1;
`;

/** Written whole or not at all: a daemon may be starting from the same dist/ in another terminal. */
function writeWhole(path: string, content: string | Uint8Array, mode: number): void {
  writeFileSync(`${path}.new`, content);
  chmodSync(`${path}.new`, mode);
  renameSync(`${path}.new`, path);
}

const built = await build({
  absWorkingDir: projectRoot,
  entryPoints: [...programs, ...parts].map(({ name, entry }) => ({ in: entry, out: name })),
  outdir: join(dist, 'lib'),
  write: false,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  sourcemap: true,
  sourcesContent: false,
  external: ['koffi'],
  banner: { js: requireForCommonJs },
  logLevel: 'warning',
}).catch(() => undefined); // esbuild has printed what is wrong and where

if (built === undefined) {
  process.exitCode = 1;
} else {
  mkdirSync(join(dist, 'lib'), { recursive: true });
  for (const { path, contents } of built.outputFiles) writeWhole(path, contents, 0o644);
  for (const { name } of programs) writeWhole(join(dist, `${name}.js`), launcher(name), 0o755);
}
