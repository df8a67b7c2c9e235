/** "server:/path", as it is asked for and as the mount table shows it. */
import type { MountInfo } from './mount-info.ts';

/** Brackets around an IPv6 address, as mount.nfs(8) wants it (upstream: getServerFromSource). */
export function nfsSource(server: string, path: string): string {
  return server.includes(':') ? `[${server}]:${path}` : `${server}:${path}`;
}

/**
 * Whether a mount is of this export. By the path alone: of a server that it knows already, by another name or, since
 * version 4.1, by another address (trunking, RFC 8881 2.10.5), the kernel uses the superblock that is there, and shows the
 * name and the address that this one was mounted by. It shows "nfs" for version 3 and "nfs4" for version 4, and the last
 * slash of the path or not.
 */
export function isNfsMountOf({ fsType, source: shown }: MountInfo, source: string): boolean {
  return (fsType === 'nfs' || fsType === 'nfs4') && pathOf(shown) === pathOf(source);
}

/** The path begins at the first "/" after a ":": an IPv6 address has colons of its own. */
function pathOf(source: string): string | undefined {
  const colon = source.indexOf(':/');
  if (colon === -1) return undefined;
  const path = source.slice(colon + 1).replaceAll(/\/+/g, '/');
  return path === '/' ? path : path.replace(/\/$/, '');
}
