/**
 * The guest's disk and kernel, from Debian packages alone: mmdebstrap makes the tree, mkfs.ext4 puts it into a file without
 * a mount. The kernel is an ordinary program (User Mode Linux). It wants the libc of its own suite, which an older host
 * lacks, so it is kept with that libc and its dynamic linker beside it.
 */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { projectRoot, runCommand, seconds } from '../run-command.ts';
import {
  diskSize,
  excludedPaths,
  maskedUnits,
  overlay,
  packages,
  recipeHash,
  suite,
  wantedGenerators,
} from './recipe.ts';

const hostLinker = '/lib64/ld-linux-x86-64.so.2';

/** Where images are; several checkouts may share one place. */
function cacheDirectory(): string {
  return process.env['MOORED_VM_CACHE'] ?? join(projectRoot, '.cache/vm');
}

async function must(argv: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await runCommand(argv);
  if (code !== 0) throw new Error(`Cannot run "${argv.join(' ')}": exit code ${code}: ${(stderr || stdout).trim()}`);
}

function mask(directory: string, names: readonly string[]): void {
  mkdirSync(directory, { recursive: true });
  for (const name of names) symlinkSync('/dev/null', join(directory, name));
}

/** Takes the kernel out of the tree, leaves its modules where modprobe looks, and has it find its libc beside itself. */
function extractKernel(tree: string, directory: string): void {
  const kernel = readFileSync(join(tree, 'usr/bin/linux.uml'));
  const at = kernel.indexOf(`${hostLinker}\0`);
  if (at < 0) throw new Error(`Cannot use the kernel: it does not name "${hostLinker}" as its dynamic linker`);
  kernel.fill(0, at, at + hostLinker.length).write('./ld.so', at, 'latin1');
  writeFileSync(join(directory, 'linux'), kernel, { mode: 0o755 });
  rmSync(join(tree, 'usr/bin/linux.uml'));
  copyFileSync(join(tree, 'usr/lib64/ld-linux-x86-64.so.2'), join(directory, 'ld.so'));
  copyFileSync(join(tree, 'usr/lib/x86_64-linux-gnu/libc.so.6'), join(directory, 'libc.so.6'));
  const modules = '/usr/lib/uml/modules';
  mkdirSync(join(tree, 'usr/lib/modules'), { recursive: true });
  for (const version of readdirSync(join(tree, modules))) {
    symlinkSync(join(modules, version), join(tree, 'usr/lib/modules', version));
  }
}

async function configure(tree: string): Promise<void> {
  cpSync(overlay, tree, { recursive: true });
  const etc = join(tree, 'etc/systemd');
  mask(join(etc, 'system'), maskedUnits);
  const generators = readdirSync(join(tree, 'usr/lib/systemd/system-generators'));
  mask(
    join(etc, 'system-generators'),
    generators.filter((name) => !wantedGenerators.includes(name)),
  );
  symlinkSync('/usr/lib/systemd/system/multi-user.target', join(etc, 'system/default.target'));
  await must(['chroot', tree, 'systemctl', 'preset-all']);
}

async function build(directory: string): Promise<void> {
  const tree = join(directory, 'tree');
  const options = [`--include=${packages.join(',')}`, ...excludedPaths.map((path) => `--dpkgopt=path-exclude=${path}`)];
  await must(['mmdebstrap', '--quiet', '--mode=root', '--variant=minbase', ...options, suite, tree]);
  extractKernel(tree, directory);
  await configure(tree);
  const disk = join(directory, 'root.img');
  // With a journal: a power cut must cost what it costs on a real machine and no more.
  const features = ['-E', 'lazy_itable_init=1,lazy_journal_init=1', '-J', 'size=32'];
  await must(['mkfs.ext4', '-q', '-F', '-d', tree, ...features, disk, diskSize]);
  rmSync(tree, { recursive: true });
}

/** The directory of the image for the present recipe, made when it is missing. Throws with the reason when it cannot be. */
export async function ensureImage(): Promise<string> {
  const cache = cacheDirectory();
  const image = join(cache, recipeHash());
  if (existsSync(image)) return image;
  process.stderr.write(`Making the guest's image of Debian ${suite} (about a minute, once)\n`);
  const start = performance.now();
  mkdirSync(cache, { recursive: true });
  const unfinished = mkdtempSync(join(cache, 'unfinished-'));
  try {
    await build(unfinished);
    // Another checkout may have been quicker: rename(2) onto a directory with files in it fails, and theirs is as good.
    if (!existsSync(image)) renameSync(unfinished, image);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  process.stderr.write(`Made "${image}" in ${seconds(performance.now() - start)}\n`);
  return image;
}
