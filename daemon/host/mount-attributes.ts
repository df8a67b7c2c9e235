import type { MountFlags } from '../ports/mounter.ts';
import { StorageError } from '../world/storage-error.ts';

/**
 * An option as mountinfo prints it, as mount(2) takes it (MS_) and as mount_setattr(2) takes it (MOUNT_ATTR_). The last
 * three belong to the whole filesystem: they count when it is mounted, and a bind has no say in them.
 */
const perMount = {
  ro: { ms: 1, attr: 0x1 },
  nosuid: { ms: 2, attr: 0x2 },
  nodev: { ms: 4, attr: 0x4 },
  noexec: { ms: 8, attr: 0x8 },
  nosymfollow: { ms: 256, attr: 0x200000 },
  noatime: { ms: 1024, attr: 0x10 },
  nodiratime: { ms: 2048, attr: 0x80 },
  relatime: { ms: 1 << 21, attr: 0 },
  strictatime: { ms: 1 << 24, attr: 0x20 },
  lazytime: { ms: 1 << 25, attr: 0 },
  sync: { ms: 16, attr: 0 },
  dirsync: { ms: 128, attr: 0 },
} as const;

type PerMountOption = keyof typeof perMount;

const ATTR_RDONLY = 0x1;
const ATTR_NODEV = 0x4;
/** A field, not a bit: relatime (0), noatime or strictatime. To be set it must be cleared in the same call. */
const ATTR_ATIME = 0x70;

/** What an allow-listed mountOptions may add; suid, dev and exec would only weaken. */
const extraOptions: ReadonlySet<string> = new Set(Object.keys(perMount).filter((option) => option !== 'ro'));
const accessTimes: ReadonlySet<string> = new Set(['noatime', 'relatime', 'strictatime']);

/** The per-mount options that `flags` asks for, e.g. ["ro", "nosuid", "nodev", "noexec"]. Throws InvalidArgument. */
export function optionsOf(flags: MountFlags): readonly PerMountOption[] {
  const extra = flags.extra ?? [];
  const unknown = extra.find((option) => !extraOptions.has(option));
  if (unknown !== undefined) {
    const allowed = [...extraOptions].join(', ');
    throw new StorageError(`Cannot mount with option "${unknown}": not one of ${allowed}`, { code: 'InvalidArgument' });
  }
  const always: PerMountOption[] = flags.allowDevices === true ? ['nosuid'] : ['nosuid', 'nodev'];
  return [...(flags.readOnly ? (['ro'] as const) : []), ...always, ...(extra as PerMountOption[])];
}

/** MS_ flags of mount(2). Options that are not per-mount flags ("rw", "idmapped") count for nothing. */
export function mountFlagsOf(options: readonly string[]): number {
  return options.filter(isPerMount).reduce((flags, option) => flags | perMount[option].ms, 0);
}

export interface AttributeChange {
  readonly set: number;
  readonly clear: number;
}

/** For a new bind: adds what was asked for, and keeps every restriction of the source (a clone has its flags). */
export function addedAttributes(flags: MountFlags): AttributeChange {
  const options = optionsOf(flags);
  const set = options.reduce((bits, option) => bits | perMount[option].attr, 0);
  return { set, clear: options.some((option) => accessTimes.has(option)) ? ATTR_ATIME : 0 };
}

/** For a mount that drifted: read-only and nodev become exactly what was asked for, other restrictions stay. */
export function repairedAttributes(flags: MountFlags): AttributeChange {
  const { set, clear } = addedAttributes(flags);
  return { set, clear: clear | (ATTR_RDONLY & ~set) | (ATTR_NODEV & ~set) };
}

/** The same for mount(2), which takes the whole set: what is there, less what may be lifted, plus what was asked for. */
export function repairedOptions(present: readonly string[], flags: MountFlags): readonly string[] {
  const wanted = optionsOf(flags);
  return [...keptOptions(present, wanted).filter((option) => option !== 'ro' && option !== 'nodev'), ...wanted];
}

/** What a bind by mount(2) must repeat: remounting with fewer flags than the source has would lift them. */
export function boundOptions(source: readonly string[], flags: MountFlags): readonly string[] {
  const wanted = optionsOf(flags);
  return [...keptOptions(source, wanted), ...wanted];
}

/** Access time is one choice: a wanted one replaces the present one. */
function keptOptions(present: readonly string[], wanted: readonly string[]): readonly string[] {
  const choosesAtime = wanted.some((option) => accessTimes.has(option));
  return present.filter((option) => !(choosesAtime && accessTimes.has(option)));
}

function isPerMount(option: string): option is PerMountOption {
  return Object.hasOwn(perMount, option);
}
