import type { Confinement } from '../ports/child-processes.ts';

/**
 * What setpriv(1) can take from a child here. A root without capabilities still owns root's files: only Landlock
 * (util-linux 2.40, Linux 5.13) keeps it from writing to them, and to other disks.
 */
export type ConfinementLevel = 'landlock' | 'privileges' | 'none';

/**
 * Every way to write to a path that Landlock knows, with a rule for what stays allowed. Reading and executing are not
 * handled by the rules, so they go on as they were. `truncate` came last, with Linux 6.2.
 */
const writing = [
  'write-file,truncate,remove-dir,remove-file',
  'make-char,make-dir,make-reg,make-sock,make-fifo,make-block,make-sym',
].join(',');

/**
 * The words that go before the tool's absolute path and arguments. Nothing that is executed gets a privilege back. By
 * prlimit(1), because posix_spawn(3) has no attribute for limits, and prlimit(2) would come after the first allocations.
 */
export function confiningWords(
  level: ConfinementLevel,
  { writes, capability, memoryBytes }: Confinement,
  cpuSeconds: number,
): readonly string[] {
  if (level === 'none') return [];
  // What is written is a device, which no limit on files concerns. The deadline's clock runs in the daemon, which may end.
  const limits = [`--as=${memoryBytes}`, '--fsize=0', '--core=0', `--cpu=${cpuSeconds}`];
  const bounding = capability === undefined ? '-all' : `-all,+${capability}`;
  const places = writes === undefined ? ['/dev/null'] : ['/dev/null', writes];
  const landlock = ['--landlock-access', `fs:${writing}`].concat(
    places.flatMap((path) => ['--landlock-rule', `path-beneath:write-file:${path}`]),
  );
  return [
    ...(memoryBytes === undefined ? [] : ['prlimit', ...limits, '--']),
    ...['setpriv', '--no-new-privs', '--inh-caps=-all', '--ambient-caps=-all', `--bounding-set=${bounding}`],
    ...(level === 'landlock' ? landlock : []),
    '--',
  ];
}
