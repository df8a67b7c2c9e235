import { describe, expect, it } from 'vitest';
import type { DeviceMountRequest } from '../ports/mounter.ts';
import {
  codeOfNfsStderr,
  codeOfStderr,
  mountArguments,
  nfsMountArguments,
  nfsUnmountArguments,
  remountArguments,
} from './mount-commands.ts';

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

describe('NFS', () => {
  const nfs = { source: '[::1]:/srv', target: '/root/share', flags: { readOnly: false }, options: ['vers=4.2'] };

  it('is mounted by one attempt of mount.nfs, nosuid and nodev last', () => {
    expect(nfsMountArguments(nfs, '/proc/1/fd/7')).toEqual([
      '[::1]:/srv',
      '/proc/1/fd/7',
      '-n',
      '-o',
      'vers=4.2,retry=0,nosuid,nodev',
    ]);
    const readOnly = nfsMountArguments({ ...nfs, options: [], flags: { readOnly: true, extra: ['noexec'] } }, '/x');
    expect(readOnly.at(-1)).toBe('retry=0,ro,nosuid,nodev,noexec');
  });

  it.each(['suid', 'remount', 'a,suid', ''])('takes no option %j', (option) => {
    expect(() => nfsMountArguments({ ...nfs, options: [option] }, '/x')).toThrow(`with option "${option}"`);
  });

  it('is unmounted without a helper, and by force only when asked', () => {
    expect(nfsUnmountArguments('/x', false)).toEqual(['-c', '-i', '/x']);
    expect(nfsUnmountArguments('/x', true)).toEqual(['-c', '-i', '-f', '/x']);
  });

  it('gets its flags back by a remount of the mount alone', () => {
    const flags = { readOnly: false, extra: ['noexec'] };
    expect(remountArguments('/x', flags)).toEqual([
      '-c',
      '-i',
      '-n',
      '-o',
      'remount,bind,rw,nosuid,nodev,noexec',
      '/x',
    ]);
    expect(remountArguments('/x', { readOnly: true })[4]).toBe('remount,bind,ro,nosuid,nodev');
  });

  it.each([
    ['mount.nfs: Connection refused', 'Unavailable'],
    ['mount.nfs: Connection timed out for filer:/srv on /x', 'Unavailable'],
    ['mount.nfs: No route to host', 'Unavailable'],
    ['mount.nfs: Network is unreachable', 'Unavailable'],
    ['mount.nfs: Failed to resolve server filer: Name or service not known', 'Unavailable'],
    ['mount.nfs: portmap query failed: RPC: Remote system error - Connection refused', 'Unavailable'],
    ['mount.nfs: access denied by server while mounting filer:/srv', 'PermissionDenied'],
    ['mount.nfs: mounting filer:/srv failed, reason given by server: No such file or directory', 'NotFound'],
    ['mount.nfs: requested NFS version or transport protocol is not supported', 'InvalidArgument'],
    ['mount.nfs: an incorrect mount option was specified', 'InvalidArgument'],
    ['mount.nfs: rpc.statd is not running but is required for remote locking.', 'FailedPrecondition'],
    ['mount.nfs: Stale file handle', 'NotFound'],
    ['umount: /x: target is busy.', 'Busy'],
    ['mount.nfs: something new', 'Internal'],
  ])('says %j, which is %s', (text, code) => {
    expect(codeOfNfsStderr(text)).toBe(code);
  });
});
