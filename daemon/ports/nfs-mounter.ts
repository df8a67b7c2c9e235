import type { MountFlags } from './mounter.ts';

export interface NfsMountRequest {
  /** "server:/path", an IPv6 address in brackets. */
  readonly source: string;
  readonly target: string;
  readonly flags: MountFlags;
  /** After the allow-list, e.g. "vers=4.2", "timeo=50". */
  readonly options: readonly string[];
}

/** What servers said of mounts that were asked for. */
export interface NfsProbe {
  /** Mounts whose root the server does not know any more (ESTALE): exported anew, restored, or its directory replaced. */
  readonly stale: readonly string[];
}

/**
 * Everything that may wait for an NFS server, each in a child of its own with a deadline. No other port touches the root
 * of an NFS mount or what lies below it. DeadlineExceeded is uncertain: the server did not answer, and the mount table
 * says what came of it. Nothing here decides or verifies.
 */
export interface NfsMounter {
  /** mount.nfs(8), one attempt. Unavailable when the server cannot be reached or refuses, without a wait. */
  mount(request: NfsMountRequest, signal: AbortSignal): Promise<void>;
  /** Sets the per-mount flags of what is mounted on `target` (repairs drift). */
  setFlags(target: string, flags: MountFlags, signal: AbortSignal): Promise<void>;
  /**
   * umount2(2), never lazy. Busy while somebody uses it. The kernel takes the mount out of its table before it writes
   * back what is cached, so a mount may be gone although the child ran into its deadline.
   * With `force` (MNT_FORCE) every request that waits for the server fails at once: writes that it had not confirmed are
   * lost, those of all mounts of the same superblock.
   */
  unmount(target: string, options: { readonly force: boolean }, signal: AbortSignal): Promise<void>;
  /**
   * Asks a server for the filesystem's figures (statfs(2), never answered from a cache) at each of its `targets`.
   * Resolves when it has answered. Rejects with DeadlineExceeded after about a minute, or at once while the child of an
   * earlier probe of this server still hangs; with Unavailable when a soft mount gave up; with Aborted.
   */
  probe(server: string, targets: readonly string[], signal: AbortSignal): Promise<NfsProbe>;
}
