import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot, runCommand } from './run-command.ts';

/** What the tests call, beyond a minimal Debian; Node and the daemon come with the checkout. */
const packages = [
  'btrfs-progs',
  'e2fsprogs',
  'fdisk',
  'libstdc++6',
  'mount',
  'procps',
  'psmisc',
  'util-linux',
  'util-linux-extra',
  'xfsprogs',
] as const;

const unneeded = ['doc', 'info', 'locale', 'man'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);

/** The host's own Debian release, so that the container ring says something about this very system. */
function debianRelease(): string {
  const release = readFileSync('/etc/os-release', 'utf8');
  const codename = /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1];
  return /^ID=debian$/m.test(release) && codename !== undefined ? codename : 'trixie';
}

/** Made once for a list of packages; podman keeps it. Returns why it could not be made. */
async function ensureImage(tag: string, suite: string): Promise<string | undefined> {
  if ((await runCommand(['podman', 'image', 'exists', tag])).code === 0) return undefined;
  const archive = join(projectRoot, '.cache/image.tar');
  mkdirSync(join(projectRoot, '.cache'), { recursive: true });
  process.stdout.write(`Making the container image of ${suite} (about a minute, once)\n`);
  const include = `--include=${packages.join(',')}`;
  const made = await runCommand(['mmdebstrap', '--quiet', '--variant=minbase', include, ...unneeded, suite, archive]);
  const imported = made.code === 0 ? await runCommand(['podman', 'import', archive, tag]) : made;
  rmSync(archive, { force: true });
  return imported.code === 0 ? undefined : imported.stderr.trim();
}

/**
 * The arguments of `podman run` up to the command. runc and the limits are for hosts with hybrid cgroups and low limits of
 * their own, where podman's defaults do not start. The checkout is read-only except for its cache, where reports go.
 */
export async function containerArguments(): Promise<readonly string[]> {
  const suite = debianRelease();
  const recipe = [suite, ...packages, ...unneeded].join('\n');
  const tag = `localhost/moored-test:${suite}-${createHash('sha256').update(recipe).digest('hex').slice(0, 12)}`;
  const problem = await ensureImage(tag, suite);
  if (problem !== undefined) {
    process.stdout.write(
      `Cannot make the container image: ${problem}\nUsing the host's own files under an overlay instead\n`,
    );
  }
  const limits = ['--ulimit', 'nofile=4096:4096', '--ulimit', 'nproc=4096:4096'];
  const cache = join(projectRoot, '.cache');
  const volumes = ['/dev:/dev', `${projectRoot}:${projectRoot}:ro`, `${cache}:${cache}`].flatMap((each) => [
    '-v',
    each,
  ]);
  const root = problem === undefined ? [tag] : ['--rootfs', '/:O'];
  const isolation = ['--rm', '--runtime', 'runc', '--privileged', '--network=none', ...limits];
  return [...isolation, ...volumes, '-w', projectRoot, '-e', 'CI', '-e', 'NO_COLOR', ...root];
}
