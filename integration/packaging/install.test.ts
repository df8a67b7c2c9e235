/** scripts/install and scripts/uninstall with --root, on real files and a real mount. */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../daemon/cli/commands.ts';
import { run } from '../support/kernel-facts.ts';

const checkout = join(import.meta.dirname, '../..');
const root = mkdtempSync(join(process.env['MOORED_TEST_DIR'] ?? '/nonexistent', 'install-'));
const data = join(root, 'var/lib/moored');

function script(name: 'install' | 'uninstall', ...args: readonly string[]) {
  const argv = [join(checkout, `scripts/${name}.ts`), '--root', root, ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
  return { code: status, stdout, stderr };
}

function modeOf(path: string): string {
  const { mode, uid, gid } = statSync(join(root, path));
  return `${(mode & 0o7777).toString(8)} ${uid}:${gid}`;
}

/** A program as installed: its own Node, and nothing of the checkout. */
function installed(program: 'moored' | 'moorctl', ...args: readonly string[]) {
  const lib = join(root, 'usr/lib/moored');
  const argv = [join(lib, `dist/${program}.js`), ...args];
  return spawnSync(join(lib, 'node_modules/.bin/node'), argv, { encoding: 'utf8', env: {}, cwd: '/' });
}

beforeAll(() => {
  expect(script('install')).toMatchObject({ code: 0, stderr: '' });
});

describe('what is installed', () => {
  it.each([
    ['etc/moored', '755 0:0'],
    ['etc/moored/manifests', '755 0:0'],
    ['etc/moored/moored.yaml', '644 0:0'],
    ['var/lib/moored', '750 0:0'],
    ['usr/bin/moorctl', '755 0:0'],
    ['usr/sbin/moored', '755 0:0'],
    ['usr/lib/moored/node_modules/.bin/node', '755 0:0'],
    ['usr/lib/systemd/system/moored.service', '644 0:0'],
    ['usr/lib/systemd/system/moored-pod@.service', '644 0:0'],
    ['usr/lib/tmpfiles.d/moored.conf', '644 0:0'],
  ])('%s: %s', (path, mode) => {
    expect(modeOf(path)).toBe(mode);
  });

  it('is written by nobody but root', () => {
    const paths = globSync('**', { cwd: root }).filter((path) => path !== '');
    expect(paths.length).toBeGreaterThan(30);
    expect(paths.filter((path) => (statSync(join(root, path)).mode & 0o022) !== 0)).toEqual([]);
  });

  it('runs without the checkout: the daemon with its native half, and the client', () => {
    const doctor = installed('moored', '--doctor', '--config', join(root, 'etc/moored/moored.yaml'));
    expect(doctor.stderr).toBe('');
    expect(JSON.parse(doctor.stdout)).toMatchObject({
      checks: expect.arrayContaining([expect.objectContaining({ name: 'root' })]),
    });
    expect(installed('moorctl', 'version', '--client')).toMatchObject({ status: 0, stderr: '' });
  });

  it('starts what its wrappers and units name', () => {
    for (const file of ['usr/bin/moorctl', 'usr/sbin/moored', 'usr/lib/systemd/system/moored.service']) {
      const named = readFileSync(join(root, file), 'utf8').match(/\/usr\/lib\/moored\/[\w./-]+/g) ?? [];
      expect(named.length).toBeGreaterThan(1);
      for (const path of named) expect(existsSync(join(root, path)), path).toBe(true);
    }
  });

  it('has an example of every setting at its default, in comments', () => {
    const text = readFileSync(join(root, 'etc/moored/moored.yaml'), 'utf8');
    const all = join(root, 'all.yaml');
    writeFileSync(all, text.replaceAll(/^#(\w+:|  )/gm, '$1'));
    expect(readFileSync(all, 'utf8')).not.toBe(text);
    const checks = (path: string) => {
      const { stdout, stderr } = installed('moored', '--doctor', '--config', path);
      expect(stderr).toBe('');
      expect(stdout).not.toBe('');
      return stdout;
    };
    expect(checks(all)).toBe(checks(join(root, 'etc/moored/moored.yaml')));
    rmSync(all);
  });

  it('has a manual with every command and option of moorctl', () => {
    const page = gunzipSync(readFileSync(join(root, 'usr/share/man/man1/moorctl.1.gz'))).toString();
    const plain = page.replaceAll('\\-', '-');
    const names = commands.flatMap(({ name, options }) => [
      name,
      ...options.filter(({ name: option }) => option !== 'namespace').map((option) => `--${option.name}`),
    ]);
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !plain.includes(name))).toEqual([]);
  });

  it('completes commands in bash', () => {
    const completion = join(root, 'usr/share/bash-completion/completions/moorctl');
    const line = 'source "$1"; COMP_WORDS=(moorctl ho); COMP_CWORD=1; _moorctl; echo "${COMPREPLY[@]}"';
    expect(spawnSync('/bin/bash', ['-c', line, 'bash', completion], { encoding: 'utf8' }).stdout).toBe('hold\n');
  });
});

describe('a second installation', () => {
  it('keeps the configuration and manifests, replaces the rest, and removes what is no longer part of it', () => {
    const config = join(root, 'etc/moored/moored.yaml');
    const client = join(root, 'usr/lib/moored/dist/lib/moorctl.js');
    const old = join(root, 'usr/lib/moored/dist/old/gone.js');
    const list = join(root, 'usr/lib/moored/installed-files');
    writeFileSync(config, 'logLevel: debug\n');
    writeFileSync(client, 'old');
    mkdirSync(join(old, '..'));
    writeFileSync(old, '');
    writeFileSync(list, `${readFileSync(list, 'utf8')}/usr/lib/moored/dist/old/gone.js\n`);
    expect(script('install').code).toBe(0);
    expect(readFileSync(config, 'utf8')).toBe('logLevel: debug\n');
    expect(readFileSync(client, 'utf8')).not.toBe('old');
    expect(existsSync(join(old, '..'))).toBe(false);
  });
});

describe('uninstall', () => {
  const image = join(data, 'images/default/data-1.img');

  beforeAll(() => {
    mkdirSync(join(data, 'images/default'), { recursive: true });
    mkdirSync(join(data, 'state/objects'), { recursive: true });
    for (const name of ['data-1', 'data-2']) {
      writeFileSync(join(data, `images/default/${name}.img`), name);
      writeFileSync(join(data, `images/default/${name}.img.json`), '{"apiVersion":"moored.dev/v1"}');
    }
    writeFileSync(join(data, 'images/default/foreign.img'), 'not ours');
    mkdirSync(join(data, 'images/default/.trash'));
    writeFileSync(join(data, 'images/default/.trash/data-0.img.20260101T000000Z'), 'deleted before');
    writeFileSync(
      join(data, 'images/default/.trash/data-0.img.20260101T000000Z.json'),
      '{"apiVersion":"moored.dev/v1"}',
    );
    writeFileSync(join(data, 'state/journal-1'), '');
    writeFileSync(join(data, 'state/objects/a.json'), '{}');
  });

  it('is refused while a volume is mounted, and changes nothing then', () => {
    const target = join(data, 'pods/uid/mount');
    mkdirSync(target, { recursive: true });
    run('/usr/bin/mount', '-t', 'tmpfs', 'tmpfs', target);
    try {
      for (const args of [[], ['--purge', 'default/data-1']]) {
        const { code, stderr } = script('uninstall', ...args);
        expect(code).toBe(1);
        expect(stderr).toContain(target);
        expect(stderr).toContain('moorctl drain');
      }
    } finally {
      run('/usr/bin/umount', target);
    }
    expect(existsSync(join(root, 'usr/bin/moorctl'))).toBe(true);
    expect(existsSync(image)).toBe(true);
  });

  it('takes the files, keeps data, records and configuration, and says where they are', () => {
    const { code, stdout } = script('uninstall');
    expect(code).toBe(0);
    expect(stdout).toContain(`data and state are kept in ${data}`);
    expect(stdout).toContain('default/data-1');
    expect(globSync('usr/**', { cwd: root }).filter((path) => statSync(join(root, path)).isFile())).toEqual([]);
    expect(existsSync(join(root, 'usr/lib/moored'))).toBe(false);
    expect(existsSync(image)).toBe(true);
    expect(existsSync(join(root, 'etc/moored/moored.yaml'))).toBe(true);
  });

  it('deletes what is named and nothing else, records last', () => {
    expect(script('uninstall', '--purge').code).toBe(0);
    expect(existsSync(image)).toBe(true);
    for (const names of [['default/foreign'], ['nope', 'default/data-1'], ['../x'], ['state']]) {
      expect(script('uninstall', '--purge', ...names).code, names.join(' ')).toBe(1);
      expect(existsSync(image)).toBe(true);
      expect(existsSync(join(data, 'state/journal-1'))).toBe(true);
    }
    expect(script('uninstall', 'default/data-1').code).toBe(1);
    expect(script('uninstall', '--purge', 'default/data-1').code).toBe(0);
    expect(globSync('images/**/*.*', { cwd: data }).sort()).toEqual(
      ['data-2.img', 'data-2.img.json', 'foreign.img'].map((name) => `images/default/${name}`),
    );
    expect(script('uninstall', '--purge', 'default/data-2', 'state').stderr).toContain('1 images would be left');
    const trashed = 'default/.trash/data-0.img.20260101T000000Z';
    expect(script('uninstall', '--purge', 'default/data-2', trashed, 'state').code).toBe(0);
    expect(globSync('**/*.*', { cwd: data })).toEqual(['images/default/foreign.img']);
    expect(existsSync(join(data, 'state'))).toBe(false);
  });
});
