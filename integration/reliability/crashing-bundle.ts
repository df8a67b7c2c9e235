/** The daemon as it is shipped, with something between it and each of its ports: no line of this is in the product. */
import { join, resolve } from 'node:path';
import { build, type Plugin, stop } from 'esbuild';

const projectRoot = resolve(import.meta.dirname, '../..');
const inDaemon = join(import.meta.dirname, 'in-daemon');

/** What is imported of the daemon by the daemon, and what it gets instead. */
const replaced: Readonly<Record<string, string>> = {
  'daemon/host/linux-host.ts': 'linux-host.ts',
  'daemon/host/image-copy/copy-data.ts': 'copy-data.ts',
  'daemon/host/image-copy/frozen.ts': 'frozen.ts',
  'daemon/host/image-sidecar.ts': 'image-sidecar.ts',
  'daemon/host/image-trash.ts': 'image-trash.ts',
  'daemon/host/spawned-child-processes.ts': 'spawned-child-processes.ts',
  'daemon/adapters/journal-state-store.ts': 'journal-state-store.ts',
  'daemon/reconcile/operations/executors.ts': 'executors.ts',
};

const replacing: Plugin = {
  name: 'crash-points',
  setup(bundler) {
    bundler.onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir }) => {
      const target = resolve(resolveDir, path);
      const entry = Object.entries(replaced).find(([module]) => join(projectRoot, module) === target);
      const isOfDaemon = resolveDir.startsWith(join(projectRoot, 'daemon'));
      return entry === undefined || !isOfDaemon ? undefined : { path: join(inDaemon, entry[1]) };
    });
  },
};

const requireForCommonJs = [
  `import { createRequire as moored_createRequire } from 'node:module';`,
  'const require = moored_createRequire(import.meta.url);',
].join('\n');

/** @returns the path of the program; below the checkout, so that koffi is found beside it */
export async function bundleCrashingDaemon(): Promise<string> {
  const outdir = join(projectRoot, '.cache/reliability');
  await build({
    absWorkingDir: projectRoot,
    // The daemon finds the child that copies images beside itself.
    entryPoints: [
      { in: 'daemon/main.ts', out: 'moored' },
      { in: 'daemon/host/image-copy/main.ts', out: 'image-copy' },
    ],
    outdir,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    external: ['koffi'],
    banner: { js: requireForCommonJs },
    logLevel: 'warning',
    plugins: [replacing],
  });
  // Its service ends with this process, and is a process left behind for whoever looks in that moment.
  await stop();
  return join(outdir, 'moored.js');
}
