import { instanceOf, podsNamedBy } from './api/pod-instance.ts';
import { ControlError } from './control/control-handlers.ts';
import type { HoldReply, HoldRequest } from './control/protocol.ts';
import { podUidOf } from './plan/operation.ts';
import type { PodLeases } from './ports/pod-leases.ts';
import type { DaemonSnapshot } from './status/daemon-snapshot.ts';
import { podViews } from './status/pod-views.ts';

/** A name that is one file name and one argument: systemd.unit(5), "Unit names can only contain…". */
const unitName = /^[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]*\.(service|scope|target|mount|socket)$/;

/**
 * Gives a unit its lease if all volumes of the pod are mounted at this moment: looking and giving are one step, so that no
 * unmount comes between. Else says what is missing.
 * @throws ControlError BadRequest for what waiting cannot mend: no pod's name, two pods of that name, no unit's name
 */
export function holdPod(request: HoldRequest, snapshot: DaemonSnapshot, leases: PodLeases): HoldReply {
  const { instance, unit } = request;
  if (!unitName.test(unit) || unit.length > 255) throw refused(instance, `"${unit}" is not the name of a unit`);
  const names = podsNamedBy(instance).map(({ namespace, name }) => `${namespace}/${name}`);
  if (names.length === 0)
    throw refused(instance, 'wanted "namespace-name", each with its dashes as "\\x2d", or "namespace/name"');
  const pods = podViews(snapshot, ({ metadata }) => names.includes(`${metadata.namespace}/${metadata.name}`));
  const [pod, second] = pods;
  if (pod === undefined) return { held: false, pod: '', message: `no such pod: ${names.join(', ')}` };
  if (second !== undefined) {
    const both = pods.map(({ metadata }) => `"${metadata.namespace}/${metadata.name}" (${instanceOf(metadata)})`);
    throw refused(instance, `it may be ${both.join(' or ')}: write the one you mean as in the brackets`);
  }
  const { namespace, name, uid } = pod.metadata;
  const why = obstacleOf(pod, snapshot);
  if (why !== undefined) return { held: false, pod: `${namespace}/${name}`, message: why };
  const targetPaths = pod.status.volumes.map(({ path }) => path);
  leases.grant({ unit, pod: { namespace, name, uid }, targetPaths });
  return { held: true, pod: `${namespace}/${name}`, message: pod.status.conditions[0]?.message ?? '' };
}

function obstacleOf(pod: ReturnType<typeof podViews>[number], snapshot: DaemonSnapshot): string | undefined {
  if (snapshot.draining) return 'the daemon is draining: nothing is mounted until it is started again';
  const [condition] = pod.status.conditions;
  if (condition?.status !== 'True') return condition?.message ?? `the pod is ${pod.status.phase}`;
  const running = snapshot.running.find(({ operation }) => podUidOf(operation) === pod.metadata.uid);
  return running === undefined ? undefined : `${running.operation.kind} is running`;
}

function refused(instance: string, cause: string): ControlError {
  return new ControlError('BadRequest', `Cannot tell which pod "${instance}" is: ${cause}`);
}
