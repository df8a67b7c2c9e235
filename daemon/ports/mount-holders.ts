import type { MountHolder } from '../world/mount-holder.ts';

/** Whose users are looked for. */
export type Held =
  /** One mount of our namespace: what makes its unmount EBUSY. */
  | { readonly kind: 'mount'; readonly deviceNumber: string; readonly mountPoint: string }
  /** A superblock, by whatever no longer is or never was in our mount table: lazily unmounted, or of another namespace. */
  | { readonly kind: 'hidden'; readonly deviceNumber: string }
  /** A block device: what is mounted from it anywhere, and who has its node open. */
  | { readonly kind: 'device'; readonly deviceNumber: string; readonly devicePath: string };

export interface MountHolders {
  /**
   * Looks through /proc in a child with a deadline. Nothing on a network or user-space filesystem is asked for anything.
   * Never rejects: what cannot be found out is nobody.
   */
  find(held: Held, signal: AbortSignal): Promise<readonly MountHolder[]>;
}
