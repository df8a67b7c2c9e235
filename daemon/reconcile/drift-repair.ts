import type { EventRecorder } from '../ports/events.ts';
import type { Logger } from '../ports/logger.ts';
import type { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import type { Drift } from '../world/drift.ts';
import type { ReasonCode } from '../world/reasons/reason-table.ts';
import { describeMount } from '../world/recorded-mount.ts';
import type { DriftLog } from './drift-log.ts';

interface DriftContext {
  readonly asw: ActualStateOfWorld;
  readonly events: EventRecorder;
  readonly logger: Logger;
  readonly log: DriftLog;
}

/** Takes what the kernel shows into the actual state of world, and says so; the next plan repairs it. */
export function applyDrift(drift: Drift, { asw, events, logger, log }: DriftContext): void {
  const { volumeName, podUid, path, finding } = drift;
  if (podUid === '') asw.markDeviceAsUncertain(volumeName);
  else asw.markVolumeMountAs(volumeName, podUid, 'VolumeMountUncertain');
  const pod = asw.get(volumeName)?.record.pods[podUid]?.pod;
  const message = messageOf(drift);
  log.count(volumeName, message);
  logger.warn('mount drifted', { volume: volumeName, pod: podUid || undefined, path, finding: finding.kind, message });
  events.record({
    reason: reasons[finding.kind],
    regarding: pod === undefined ? `Volume/${volumeName}` : `Pod/${pod.namespace}/${pod.name}`,
    message,
  });
}

const reasons = {
  absent: 'VolumeMountLost',
  flagsDiffer: 'VolumeMountChanged',
  covered: 'ForeignMount',
  foreign: 'ForeignMount',
} as const satisfies Record<Drift['finding']['kind'], ReasonCode>;

function messageOf({ path, finding }: Drift): string {
  switch (finding.kind) {
    case 'absent':
      return `The mount at "${path}" is gone: somebody else unmounted it`;
    case 'flagsDiffer':
      return `The mount at "${path}" was remounted by somebody else: it is no longer ${finding.differing}`;
    case 'covered':
      return `The mount at "${path}" is covered: ${describeMount(finding.by)} was mounted over it by somebody else`;
    case 'foreign':
      return `The mount at "${path}" is not ours: ${describeMount(finding.mount)} was mounted there by somebody else`;
  }
}
