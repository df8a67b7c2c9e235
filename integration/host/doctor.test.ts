import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { doctorChecks } from '../../daemon/host/doctor.ts';
import type { DoctorCheck } from '../../daemon/ports/doctor.ts';
import { Playground, tool } from './real-mounts.ts';

let playground: Playground;
beforeAll(() => {
  playground = new Playground();
});
afterAll(() => playground[Symbol.dispose]());

let count = 0;
function place(): { readonly rootDir: string; readonly manifestDir: string } {
  count += 1;
  const base = playground.directory(`${count}`);
  return { rootDir: join(base, 'root'), manifestDir: join(base, 'manifests') };
}

async function checkOf(name: string, paths = place()): Promise<DoctorCheck | undefined> {
  const checks = await doctorChecks(paths);
  return checks.find((entry) => entry.name === name);
}

describe('doctorChecks', () => {
  it('gives each check one name, and a fix exactly when it is not well', async () => {
    const checks = await doctorChecks(place());
    expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length);
    for (const entry of checks) expect(entry.ok).toBe(entry.fix === '');
  });

  it.each(['root', 'loop devices', 'mkfs.ext4', 'e2fsck', 'mount', 'umount', 'blkid', 'cmp', 'ext4 in the kernel'])(
    'is content with %s where these tests run',
    async (name) => {
      expect(await checkOf(name)).toMatchObject({ ok: true, required: true });
    },
  );

  it.each(['mkfs.xfs', 'mkfs.btrfs', 'xfs in the kernel', 'btrfs in the kernel'])(
    'does not insist on %s',
    async (name) => {
      expect(await checkOf(name)).toMatchObject({ required: false });
    },
  );

  it('says how far what reads devices is confined', async () => {
    expect(await checkOf('confinement')).toMatchObject({
      ok: true,
      required: false,
      detail: expect.stringContaining('no privileges'),
    });
  });

  it('sees that a mount namespace is not shared, and that it is', async () => {
    const paths = place();
    mkdirSync(paths.rootDir);
    tool('mount', '-t', 'tmpfs', 'here', paths.rootDir);
    expect(await checkOf('mount propagation', paths)).toMatchObject({
      ok: false,
      required: false,
      fix: `mount --make-rshared ${paths.rootDir}`,
    });
    tool('mount', '--make-rshared', paths.rootDir);
    expect(await checkOf('mount propagation', paths)).toMatchObject({ ok: true });
  });

  it('warns of a root directory that does not outlive a reboot', async () => {
    const paths = place();
    mkdirSync(paths.rootDir);
    expect(await checkOf('root directory is kept', paths)).toMatchObject({ ok: true });
    tool('mount', '-t', 'tmpfs', 'here', paths.rootDir);
    const below = { ...paths, rootDir: join(paths.rootDir, 'not/yet/there') };
    expect(await checkOf('root directory is kept', below)).toMatchObject({ ok: false, required: false });
    expect(await checkOf('root directory', below)).toMatchObject({ ok: true, required: true });
  });
});

describe('the manifest directory', () => {
  const trusted = (): ReturnType<typeof place> => {
    const paths = place();
    mkdirSync(paths.manifestDir);
    return paths;
  };
  /** The parents of a temporary directory are writable by others: a finding of its own beside the one that is meant. */
  const detailOf = async (paths: ReturnType<typeof place>): Promise<string> =>
    (await checkOf('manifest directory', paths))?.detail ?? '';

  it('is missing', async () => {
    const paths = place();
    expect(await checkOf('manifest directory', paths)).toMatchObject({
      ok: false,
      required: true,
      fix: `install -d -m 0755 ${paths.manifestDir}`,
    });
  });

  it('is trusted when root alone may write to it and to each directory above', async () => {
    const base = mkdtempSync('/run/moored-doctor-');
    const paths = { rootDir: base, manifestDir: join(base, 'manifests') };
    try {
      mkdirSync(paths.manifestDir);
      writeFileSync(join(paths.manifestDir, 'a.yaml'), '');
      expect(await checkOf('manifest directory', paths)).toMatchObject({ ok: true, required: true });
      chmodSync(base, 0o1777);
      expect(await checkOf('manifest directory', paths)).toMatchObject({
        ok: false,
        detail: `"${base}" is writable by others (mode 1777)`,
      });
    } finally {
      rmSync(base, { recursive: true });
    }
  });

  it.each<[string, (directory: string) => void, RegExp]>([
    ['it is writable by its group', (path) => chmodSync(path, 0o775), /manifests" is writable by others \(mode 775\)/],
    ['it belongs to somebody', (path) => chownSync(path, 1000, 0), /manifests" belongs to user 1000/],
    [
      'one of its files is writable by everybody',
      (path) => {
        writeFileSync(join(path, 'a.yaml'), '');
        chmodSync(join(path, 'a.yaml'), 0o666);
      },
      /a\.yaml" is writable by others \(mode 666\)/,
    ],
    [
      'a link in it belongs to somebody',
      (path) => {
        symlinkSync('/etc/passwd', join(path, 'b.yml'));
        tool('chown', '--no-dereference', '1000', join(path, 'b.yml'));
      },
      /b\.yml" belongs to user 1000/,
    ],
  ])('is not trusted when %s', async (_, change, finding) => {
    const paths = trusted();
    change(paths.manifestDir);
    expect(await detailOf(paths)).toMatch(finding);
  });

  it('is not judged by what is no manifest', async () => {
    const paths = trusted();
    writeFileSync(join(paths.manifestDir, 'README'), '');
    chmodSync(join(paths.manifestDir, 'README'), 0o666);
    expect(await detailOf(paths)).not.toMatch(/README/);
  });
});
