import type { Socket } from 'node:net';
import { getsockopt } from './syscalls.ts';

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;

/**
 * The user on the other end of a unix socket, by SO_PEERCRED (unix(7)); undefined when the kernel does not say. Node has
 * no call for it: the descriptor is taken from the socket's handle.
 */
export function peerUid(socket: Socket): number | undefined {
  const fd = (socket as unknown as { readonly _handle?: { readonly fd?: number } })._handle?.fd;
  if (fd === undefined || fd < 0) return undefined;
  // struct ucred: pid, uid, gid, of 32 bits each.
  const credentials = Buffer.alloc(12);
  getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials);
  return credentials.readUInt32LE(4);
}
