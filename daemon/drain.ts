import type { DrainReply } from './control/protocol.ts';
import { operationKey } from './plan/operation.ts';
import type { Revision } from './revision.ts';
import type { DaemonSnapshot } from './status/daemon-snapshot.ts';

/** A volume that cannot be unmounted (busy, say) ends the wait once every way forward has failed at least this often. */
const enoughFailures = 3;

interface DrainWait {
  snapshot(): DaemonSnapshot;
  readonly revision: Revision;
}

/** Waits until nothing is mounted or attached, or until what is left has failed again and again. */
export async function waitUntilDrained(daemon: DrainWait): Promise<DrainReply> {
  const { revision } = daemon;
  for (;;) {
    const seen = revision.value;
    const snapshot = daemon.snapshot();
    const { failed, running } = snapshot;
    const remaining = remainingOf(snapshot);
    const hasGivenUp = [...failed.values()].some(({ failures }) => failures >= enoughFailures);
    const isStuck = running.length === 0 && remaining.length > 0 && hasGivenUp;
    if (remaining.length === 0 || isStuck) return { drained: remaining.length === 0, remaining };
    await revision.after(seen, AbortSignal.timeout(1_000));
  }
}

/** What the kernel still shows as mounted, or what is attached. A directory that cannot be removed is neither. */
function remainingOf({ asw, failed, mounts }: DaemonSnapshot): DrainReply['remaining'] {
  return [...asw.volumes.values()].flatMap(({ record, attachState, deviceMountState }) => {
    const pods = Object.values(record.pods).filter(({ targetPath }) => mounts.at(targetPath).length > 0);
    const message = (podUid: string) => failed.get(operationKey(record.name, podUid))?.error.message ?? 'not done yet';
    if (pods.length > 0) {
      return pods.map(({ pod }) => ({
        volume: record.name,
        pod: `${pod.namespace}/${pod.name}`,
        message: message(pod.uid),
      }));
    }
    const isAtRest = attachState === 'NotAttached' && deviceMountState === 'DeviceNotMounted';
    return isAtRest ? [] : [{ volume: record.name, pod: '', message: message('') }];
  });
}
