import { StorageError } from './storage-error.ts';

/** Per-mount flags (mount(2)) that a manifest may ask for; `nosuid` and `nodev` are always on and may be repeated. */
const mountFlags = [
  'noexec',
  'noatime',
  'nodiratime',
  'relatime',
  'strictatime',
  'lazytime',
  'sync',
  'dirsync',
] as const;
const alwaysOn = ['nosuid', 'nodev', 'rw', 'defaults'] as const;

/** Filesystem options that cannot weaken the host: nothing that names a path, a helper, a user or a context. */
const filesystemOptions: readonly RegExp[] = [
  /^(no)?discard$/,
  /^(discard)=async$/,
  /^barrier=[01]$/,
  /^commit=\d{1,4}$/,
  /^data=(ordered|writeback|journal)$/,
  /^errors=(remount-ro|continue)$/,
  /^(no)?user_xattr$/,
  /^(no)?acl$/,
  /^nouuid$/,
  /^inode64$/,
  /^largeio$/,
  /^logbsize=\d+k?$/,
  /^allocsize=\d+[kmg]?$/,
  /^compress(-force)?=(zlib|lzo|zstd)(:\d{1,2})?$/,
  /^(no)?ssd$/,
  /^space_cache=v2$/,
];

export interface MountOptions {
  /** Per-mount flags, sorted. */
  readonly flags: readonly string[];
  /** Filesystem options, sorted. */
  readonly options: readonly string[];
  readonly readOnly: boolean;
}

/**
 * The allow-list over `mountOptions` (threat: option smuggling such as `suid`, `dev`, `x-*`, `helper=`).
 * @throws StorageError InvalidArgument naming the option.
 */
export function parseMountOptions(mountOptions: readonly string[]): MountOptions {
  const flags = new Set<string>();
  const options = new Set<string>();
  let readOnly = false;
  for (const option of mountOptions) {
    if (option === 'ro') readOnly = true;
    else if ((mountFlags as readonly string[]).includes(option)) flags.add(option);
    else if (filesystemOptions.some((allowed) => allowed.test(option))) options.add(option);
    else if (!(alwaysOn as readonly string[]).includes(option)) {
      throw new StorageError(`Cannot use mount option "${option}": it is not one of the allowed options`, {
        code: 'InvalidArgument',
        operation: 'mountOptions',
        hint: `allowed: ro, ${mountFlags.join(', ')}, discard, commit=N, data=…, errors=…, nouuid, compress=…`,
      });
    }
  }
  return { flags: [...flags].sort(), options: [...options].sort(), readOnly };
}
