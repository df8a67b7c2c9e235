/** What is on a block device or image, as far as it can be proven. */
export type ProbeResult =
  /** Both probes agree: no signature is known, and what was read is zeros. */
  | { readonly kind: 'blank' }
  /** `sizeBytes`: what its superblock says it takes of the device; of the filesystems that moored makes. */
  | { readonly kind: 'filesystem'; readonly fsType: string; readonly uuid?: string; readonly sizeBytes?: bigint }
  /** Anything else: partition table, LVM, LUKS, RAID, ambivalent signatures, or bytes that nothing recognises. */
  | { readonly kind: 'other'; readonly description: string };
