import { describe, expect, it } from 'vitest';
import type { DeviceMountRequest } from '../ports/mounter.ts';
import { codeOfStderr, mountArguments } from './mount-commands.ts';

const request: DeviceMountRequest = {
  device: '/dev/loop3',
  target: '/root/globalmount',
  fsType: 'ext4',
  flags: { readOnly: false },
  options: ['discard', 'commit=30'],
};

describe('mountArguments', () => {
  it('puts nosuid and nodev last, where nothing overrides them', () => {
    expect(mountArguments(request, '/proc/1/fd/7')).toEqual([
      '-c',
      '-i',
      '-n',
      '-w',
      '-t',
      'ext4',
      '-o',
      'discard,commit=30,nosuid,nodev',
      '/dev/loop3',
      '/proc/1/fd/7',
    ]);
  });

  it('asks for read-only both ways', () => {
    const args = mountArguments({ ...request, flags: { readOnly: true, extra: ['noexec'] }, options: [] }, '/x');
    expect(args.slice(3)).toEqual(['-r', '-t', 'ext4', '-o', 'ro,nosuid,nodev,noexec', '/dev/loop3', '/x']);
  });

  it.each([
    'suid',
    'dev',
    'exec',
    'user',
    'loop',
    'loop=/dev/loop0',
    'offset=4096',
    'bind',
    'remount',
    'rw',
    'helper=sh',
    'x-systemd.automount',
    'X-mount.mkdir',
    'discard,suid',
    'a b',
    '"',
    '',
  ])('refuses the option "%s"', (option) => {
    expect(() => mountArguments({ ...request, options: [option] }, '/x')).toThrow(`with option "${option}"`);
  });

  it.each(['auto', 'noext3', 'ext4,xfs', '', 'Ext4', '-o'])('refuses the type "%s"', (fsType) => {
    expect(() => mountArguments({ ...request, fsType }, '/x')).toThrow('not the name of one filesystem');
  });
});

describe('codeOfStderr', () => {
  it.each([
    [
      'mount: /x: wrong fs type, bad option, bad superblock on /dev/loop0, missing codepage or helper program',
      'InvalidArgument',
    ],
    ["mount: /x: unknown filesystem type 'bogus'.", 'Unimplemented'],
    ['mount: /x: special device /dev/loop99 does not exist.', 'NotFound'],
    ['mount: /x: mount point does not exist.', 'NotFound'],
    ['mount: /x: /dev/loop0 is write-protected but explicit read-write mode requested.', 'FailedPrecondition'],
    ["mount: /x: can't read superblock on /dev/loop0.", 'Unavailable'],
    ['mount: /x: /dev/loop0 already mounted or mount point busy.', 'Busy'],
    ['mount: /x: mount(2) system call failed: Structure needs cleaning.', 'FilesystemErrors'],
    ['umount: /x: target is busy.', 'Busy'],
    ['something else', 'Internal'],
  ])('%s', (stderr, code) => {
    expect(codeOfStderr(stderr)).toBe(code);
  });
});
