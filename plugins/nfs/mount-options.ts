/** The allow-list over `mountOptions` of an NFS volume. */
import { StorageError } from '../../daemon/world/storage-error.ts';

/** Options that say the same thing in one of several ways: of each row at most one. */
const choices: readonly (readonly string[])[] = [
  ['hard', 'soft', 'softerr'],
  ['lock', 'nolock'],
  ['resvport', 'noresvport'],
  ['ac', 'noac'],
  ['cto', 'nocto'],
  ['acl', 'noacl'],
  ['rdirplus', 'nordirplus'],
  ['sharecache', 'nosharecache'],
  ['tcp', 'udp', 'rdma'],
  ['softreval', 'nosoftreval'],
  ['relatime', 'noatime', 'strictatime'],
  // Without effect since Linux 2.6.25, and still in many manifests.
  ['intr', 'nointr'],
  ['noexec'],
  ['nodiratime'],
  ['sync'],
  ['ro', 'rw'],
];

/** Options with a value: nfs(5). Nothing that names a path, a context, a helper, an address or what the daemon decides. */
const values: Readonly<Record<string, RegExp>> = {
  vers: /^(3|4|4\.[0-2])$/,
  nfsvers: /^(3|4|4\.[0-2])$/,
  minorversion: /^[0-2]$/,
  proto: /^(tcp6?|udp6?|rdma6?)$/,
  port: /^\d{1,5}$/,
  mountproto: /^(tcp6?|udp6?)$/,
  mountport: /^\d{1,5}$/,
  mountvers: /^[1-3]$/,
  timeo: /^\d{1,5}$/,
  retrans: /^\d{1,4}$/,
  rsize: /^\d{1,8}$/,
  wsize: /^\d{1,8}$/,
  nconnect: /^([1-9]|1[0-6])$/,
  sec: /^(sys|none|krb5|krb5i|krb5p)$/,
  xprtsec: /^(none|tls|mtls)$/,
  actimeo: /^\d{1,6}$/,
  acregmin: /^\d{1,6}$/,
  acregmax: /^\d{1,6}$/,
  acdirmin: /^\d{1,6}$/,
  acdirmax: /^\d{1,6}$/,
  lookupcache: /^(all|none|pos|positive)$/,
  local_lock: /^(all|flock|posix|none)$/,
};

/** Two names of one option. */
const synonyms: Readonly<Record<string, string>> = { nfsvers: 'vers', proto: 'transport' };

/** Always so: they may be repeated. */
const alwaysOn: ReadonlySet<string> = new Set(['nosuid', 'nodev', 'defaults']);

const accepted = `${[...choices.flat(), ...alwaysOn].join(', ')}, and with a value ${Object.keys(values).join(', ')}`;

export interface NfsMountOptions {
  /** Sorted, each once. */
  readonly options: readonly string[];
  readonly readOnly: boolean;
}

/** @throws StorageError InvalidArgument that names the option, and what is accepted or what it contradicts */
export function parseNfsMountOptions(mountOptions: readonly string[]): NfsMountOptions {
  const chosen = new Map<string, string>();
  for (const option of mountOptions) {
    if (alwaysOn.has(option)) continue;
    const subject = subjectOf(option);
    if (subject === undefined) throw refused(option, `want ${accepted}`);
    const other = chosen.get(subject);
    if (other !== undefined && other !== option) throw refused(option, `it contradicts "${other}"`);
    chosen.set(subject, option);
  }
  const options = [...chosen.values()].filter((option) => option !== 'ro' && option !== 'rw');
  return { options: options.sort(), readOnly: chosen.get('ro') === 'ro' };
}

/** What the option decides on; undefined for one that is not allowed. */
function subjectOf(option: string): string | undefined {
  const choice = choices.find((row) => row.includes(option))?.[0];
  if (choice !== undefined) return choice === 'tcp' ? 'transport' : choice;
  const [name = '', value] = option.split('=');
  const isAllowed = Object.hasOwn(values, name) && values[name]?.test(value ?? '') === true;
  return isAllowed && option === `${name}=${value}` ? (synonyms[name] ?? name) : undefined;
}

function refused(option: string, cause: string): StorageError {
  return new StorageError(`Cannot use NFS mount option "${option}": ${cause}`, {
    code: 'InvalidArgument',
    operation: 'mountOptions',
  });
}
