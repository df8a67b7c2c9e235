/** Faults at the ports: what any call may do instead of simply succeeding, and how often each was done. */
import { type Progress, StorageError } from '../../daemon/world/storage-error.ts';
import { isRead, type PortCall } from '../support/port-calls.ts';
import type { Random } from './random.ts';

export type Fault =
  | { readonly kind: 'failBefore'; readonly progress: Progress }
  /** Also what a deadline gives that runs out just after the effect. */
  | { readonly kind: 'failAfter' }
  /** The effect comes after `beforeMs`, the answer `afterMs` later. Only where a promise is answered. */
  | { readonly kind: 'delay'; readonly beforeMs: number; readonly afterMs: number }
  | { readonly kind: 'lie' };

/** Success without an effect, where the real thing can say so: a mount that is gone again before it is looked at. */
const lies: Readonly<Record<string, unknown>> = {
  'mounter.mountDevice': undefined,
  'mounter.mountTmpfs': undefined,
  'mounter.bind': undefined,
  'mounter.setFlags': undefined,
  'mounter.unmount': 'unmounted',
  'nfs.mount': undefined,
  'nfs.setFlags': undefined,
  'nfs.unmount': undefined,
  'iscsi.login': undefined,
};

const nameOf = ({ port, method }: PortCall): string => `${port}.${method}`;

export function lieOf(call: PortCall): unknown {
  return lies[nameOf(call)];
}

/** These answer from memory or take what is given: nothing can go wrong in them that is not the daemon's own end. */
const neverFails = new Set([
  ...['mountTable.current', 'mountTable.onChange', 'state.entries', 'state.put', 'state.remove'],
  // Waits for others of this process, and does what it is given.
  'iscsi.exclusive',
]);

const delays = [5, 200, 3_000, 90_000, 700_000];

export function chooseFault(call: PortCall, isAsync: boolean, random: Random): Fault | undefined {
  if (neverFails.has(nameOf(call))) return undefined;
  const choice = random.below(10);
  if (isRead(call)) return failBefore(random);
  // What is in the state dir is not known by halves: the disk refuses, or not (see FakeStateDisk).
  if (call.port === 'state') return { kind: 'delay', beforeMs: 0, afterMs: random.pick(delays.slice(0, 3)) ?? 0 };
  if (choice < 3) return failBefore(random);
  if (choice < 6) return { kind: 'failAfter' };
  if (choice < 8 && isAsync) {
    // Only a child can take longer, and that has a signal to end it.
    const known = call.args.some((arg) => arg instanceof AbortSignal) ? delays : delays.slice(0, 3);
    // umount(2) goes by path: whatever lies on top when it comes is unmounted, so its way there has to be short.
    const beforeMs = call.method === 'unmount' ? 0 : (random.pick(known) ?? 0);
    // The table is answered in the turn in which it was read: an old reading is not what can go wrong there.
    return { kind: 'delay', beforeMs, afterMs: call.method === 'refresh' ? 0 : (random.pick(known) ?? 0) };
  }
  return nameOf(call) in lies ? { kind: 'lie' } : failBefore(random);
}

function failBefore(random: Random): Fault {
  return { kind: 'failBefore', progress: random.pick(['final', 'transient', 'uncertain'] as const) ?? 'final' };
}

export function injected(call: PortCall, progress: Progress): StorageError {
  const code = progress === 'uncertain' ? 'DeadlineExceeded' : progress === 'transient' ? 'Unavailable' : 'Internal';
  return new StorageError(`Injected into ${nameOf(call)}: ${progress}`, { code, progress });
}
