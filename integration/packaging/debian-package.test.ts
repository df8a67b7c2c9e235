/** scripts/package: what is in the .deb, and that one commit gives one file. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { run } from '../support/kernel-facts.ts';

const checkout = join(import.meta.dirname, '../..');
let deb: string;

/** Compressed no more than needed, to be quick. */
function build(): string {
  const out = mkdtempSync(join(process.env['MOORED_TEST_DIR'] ?? '/nonexistent', 'deb-'));
  const env = { ...process.env, MOORED_DEB_LEVEL: '1', SOURCE_DATE_EPOCH: '1700000000' };
  const argv = [join(checkout, 'scripts/package.ts'), out];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', env });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

const field = (name: string) => run('/usr/bin/dpkg-deb', '--field', deb, name).trim();

beforeAll(() => {
  deb = build();
});

it('is the same file when it is made again', () => {
  const sum = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
  expect(sum(build())).toBe(sum(deb));
});

it('has the version of the project, and depends on the tools that moored runs', () => {
  const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { version: string };
  expect(field('Version')).toBe(version);
  for (const name of ['e2fsprogs', 'util-linux', 'mount', 'libstdc++6']) expect(field('Depends')).toContain(name);
  for (const name of ['xfsprogs', 'btrfs-progs']) expect(field('Recommends')).toContain(name);
});

it('has root as the owner of everything, and the modes that an installation has', () => {
  const lines = run('/usr/bin/dpkg-deb', '--contents', deb).trim().split('\n');
  const listed = new Map(
    lines.map((line) => [line.split(/\s+/)[5]?.slice(1), line.split(/\s+/).slice(0, 2).join(' ')]),
  );
  expect([...listed.values()].filter((entry) => !entry.endsWith('root/root'))).toEqual([]);
  expect(listed.get('/var/lib/moored/')).toBe('drwxr-x--- root/root');
  expect(listed.get('/etc/moored/manifests/')).toBe('drwxr-xr-x root/root');
  expect(listed.get('/usr/bin/moorctl')).toBe('-rwxr-xr-x root/root');
  expect(listed.get('/usr/lib/systemd/system/moored-pod@.service')).toBe('-rw-r--r-- root/root');
});

it('has the settings as its only conffile, and a sum for every file', () => {
  const control = (name: string) => run('/usr/bin/dpkg-deb', '--info', deb, name);
  expect(control('conffiles')).toBe('/etc/moored/moored.yaml\n');
  const out = mkdtempSync(join(process.env['MOORED_TEST_DIR'] ?? '/nonexistent', 'deb-'));
  run('/usr/bin/dpkg-deb', '--extract', deb, out);
  const files = run('/usr/bin/find', out, '-type', 'f').trim().split('\n');
  const sums = control('md5sums').trim().split('\n');
  expect(sums).toHaveLength(files.length);
  for (const line of sums) {
    const [sum, path] = line.split('  ');
    expect(
      createHash('md5')
        .update(readFileSync(join(out, path ?? '')))
        .digest('hex'),
      path,
    ).toBe(sum);
  }
});

it('never unmounts and never deletes data', () => {
  for (const name of ['postinst', 'prerm', 'postrm']) {
    const script = run('/usr/bin/dpkg-deb', '--info', deb, name);
    expect(script).toMatch(/^#!\/bin\/sh\n/);
    expect(script.replaceAll(/^ *(#|echo ).*$/gm, '')).not.toMatch(
      /umount|drain|rm -r|\/var\/lib\/moored.*rm|rm .*\/var\/lib/,
    );
  }
});
