import type { EventRecorder } from '../ports/events.ts';
import { describeMount } from '../world/recorded-mount.ts';
import type { StrayMount } from '../world/stray-mounts.ts';
import type { UniqueVolumeName } from '../world/unique-volume-name.ts';
import { type DriftLog, recordDrift } from './drift-log.ts';

/** Says once of each mount of other people that it is there; what is no longer among them has ended. */
export function reportStrays(
  strays: readonly StrayMount[],
  { log, events }: { readonly log: DriftLog; readonly events: EventRecorder },
): void {
  const keys = new Map<UniqueVolumeName, Set<string>>();
  for (const stray of strays) {
    const { volumeName, mount } = stray;
    const key = `stray ${stray.kind} ${mount.mountPoint}`;
    keys.set(volumeName, (keys.get(volumeName) ?? new Set()).add(key));
    const standing = { message: messageOf(stray), help: `if it is not wanted: umount ${mount.mountPoint}` };
    // Somebody may well want it: a backup, a chroot. It is worth knowing because the volume cannot be unmounted meanwhile.
    if (log.stand(volumeName, key, standing)) {
      recordDrift(events, volumeName, { reason: 'ForeignBind', ...standing });
    }
  }
  log.keep('stray ', keys);
}

function messageOf({ kind, mount }: StrayMount): string {
  const { mountPoint } = mount;
  if (kind === 'elsewhere') {
    return `Somebody else has this volume mounted at "${mountPoint}" too: the volume is not given up meanwhile`;
  }
  return `Somebody else mounted ${describeMount(mount)} inside this volume, at "${mountPoint}": it stays mounted meanwhile`;
}
