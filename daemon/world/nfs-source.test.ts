import { describe, expect, it } from 'vitest';
import { isNfsMountOf, nfsSource } from './nfs-source.ts';
import { mountAt } from './testing/volumes.ts';

const shown = (source: string, fsType = 'nfs4') => mountAt('/mnt', { source, fsType });

describe('nfsSource', () => {
  it.each([
    ['filer', '/srv', 'filer:/srv'],
    ['10.0.0.5', '/', '10.0.0.5:/'],
    ['::1', '/srv', '[::1]:/srv'],
  ])('of %s and %s is %s', (server, path, source) => {
    expect(nfsSource(server, path)).toBe(source);
  });
});

describe('isNfsMountOf', () => {
  it.each([
    ['what was asked for', shown('filer:/srv'), 'filer:/srv'],
    ['version 3', shown('filer:/srv', 'nfs'), 'filer:/srv'],
    ['the kernel without the last slash', shown('filer:/srv'), 'filer:/srv/'],
    ['the kernel with a last slash', shown('filer:/srv/'), 'filer:/srv'],
    ['doubled slashes', shown('filer:/srv/data'), 'filer://srv//data'],
    ['the root', shown('filer:/'), 'filer:/'],
    ['a server that is known by another name', shown('filer.example.org:/srv'), 'filer:/srv'],
    ['a server that is known by another address', shown('127.0.0.2:/srv'), '[::1]:/srv'],
    ['IPv6', shown('[::1]:/srv'), '[::1]:/srv'],
    ['a path with colons', shown('filer:/a:/b'), 'filer:/a:/b'],
  ])('knows %s', (_what, mount, source) => {
    expect(isNfsMountOf(mount, source)).toBe(true);
  });

  it.each([
    ['another path', shown('filer:/srv2'), 'filer:/srv'],
    ['a directory above', shown('filer:/srv'), 'filer:/srv/data'],
    ['a path that differs in case', shown('filer:/SRV'), 'filer:/srv'],
    ['something that is not NFS', shown('filer:/srv', 'fuse.sshfs'), 'filer:/srv'],
    ['a mount without a source', shown(''), 'filer:/srv'],
  ])('does not take %s for it', (_what, mount, source) => {
    expect(isNfsMountOf(mount, source)).toBe(false);
  });
});
