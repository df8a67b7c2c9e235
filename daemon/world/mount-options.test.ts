import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMountOptions } from './mount-options.ts';
import { StorageError } from './storage-error.ts';

function refusal(options: readonly string[]): StorageError | undefined {
  try {
    parseMountOptions(options);
    return undefined;
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
}

describe('parseMountOptions', () => {
  it('has nothing to say without options', () => {
    expect(parseMountOptions([])).toEqual({ flags: [], options: [], readOnly: false });
  });

  it('sorts flags from filesystem options, each once and in order', () => {
    expect(parseMountOptions(['noatime', 'discard', 'noexec', 'commit=30', 'noatime', 'ro'])).toEqual({
      flags: ['noatime', 'noexec'],
      options: ['commit=30', 'discard'],
      readOnly: true,
    });
  });

  it('takes what is always on as said already', () => {
    expect(parseMountOptions(['nosuid', 'nodev', 'rw', 'defaults'])).toEqual({
      flags: [],
      options: [],
      readOnly: false,
    });
  });

  it('gives equal values whatever the order in which they are written', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(['ro', 'noexec', 'noatime', 'discard', 'nouuid', 'errors=continue', 'acl']),
        (options) => {
          expect(parseMountOptions(options)).toEqual(parseMountOptions([...options].sort()));
        },
      ),
    );
  });

  it.each([
    'barrier=0',
    'data=ordered',
    'errors=remount-ro',
    'nouser_xattr',
    'noacl',
    'inode64',
    'largeio',
    'logbsize=256k',
    'allocsize=64m',
    'compress=zstd:3',
    'compress-force=lzo',
    'nossd',
    'space_cache=v2',
    'discard=async',
    'nodiscard',
  ])('takes "%s"', (option) => {
    expect(parseMountOptions([option]).options).toEqual([option]);
  });

  it.each([
    // What a mount must never get.
    'suid',
    'dev',
    'exec',
    'user',
    'users',
    'owner',
    'group',
    'noauto',
    'auto',
    'nofail',
    '_netdev',
    // What makes mount(8) do something else than mount this device there.
    'bind',
    'rbind',
    'remount',
    'move',
    'loop',
    'loop=/dev/loop0',
    'offset=4096',
    'sizelimit=1',
    'encryption=aes',
    'shared',
    'rshared',
    'private',
    'slave',
    'unbindable',
    'make-rshared',
    // Helpers, hooks and units.
    'helper=',
    'helper=/tmp/evil',
    'x-systemd.automount',
    'x-systemd.requires=evil.service',
    'x-mount.mkdir',
    'x-mount.subdir=../..',
    'X-mount.idmap=/proc/1/ns/user',
    'uhelper=udisks2',
    'comment=x-gvfs-show',
    // Identities, labels, paths.
    'uid=0',
    'gid=0',
    'umask=000',
    'context=system_u:object_r:tmp_t:s0',
    'fscontext=x',
    'defcontext=x',
    'rootcontext=x',
    'journal_path=/dev/sda',
    'logdev=/dev/sda',
    'rtdev=/dev/sdb',
    'device=/dev/sdb',
    'subvol=/other',
    'subvolid=5',
    'usrjquota=aquota.user',
    'sb=32768',
    'errors=panic',
    'degraded',
    'norecovery',
    'noload',
    'data=bad',
    // Two in one, and an allowed word with something behind it.
    'ro,suid',
    'noexec,dev',
    'discard,helper=/x',
    'nosuid=x',
    'ro=x',
    'noexec=',
    'commit=30,suid',
    'commit=99999',
    'commit=-1',
    'commit=',
    'discard=async,suid',
    'compress=zstd:3,suid',
    'compress=zstd:',
    'data=ordered\nsuid',
    'ro\n',
    '\nro',
    'discard\n',
    'nouuid\nsuid',
    'discard\0',
    ' ro',
    'ro ',
    'RO',
    'Discard',
    'nouuid\tsuid',
    // Words that are options of a tool, or nothing.
    '',
    ' ',
    ',',
    '-o',
    '--bind',
    '-O',
    '=',
    'rw=1',
    'defaults,suid',
    'constructor',
    '__proto__',
    'toString',
  ])('refuses %j', (option) => {
    expect(refusal([option])).toMatchObject({
      code: 'InvalidArgument',
      progress: 'final',
      message: `Cannot use mount option "${option}": it is not one of the allowed options`,
    });
    expect(refusal(['ro', 'noatime', option, 'discard'])?.code).toBe('InvalidArgument');
  });

  it('gives nothing back that could be read as two options', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.constantFrom('ro', 'noexec', 'discard', 'commit=5'))),
        (options) => {
          if (refusal(options) !== undefined) return;
          const parsed = parseMountOptions(options);
          for (const word of [...parsed.flags, ...parsed.options]) {
            expect(word).toMatch(/^[a-z0-9_=:-]+$/);
            expect(options).toContain(word);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
