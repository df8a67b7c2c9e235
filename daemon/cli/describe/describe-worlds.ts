import type { AswVolume, DswVolume, ManifestFile, OperationView, VolumeView } from '../../control/protocol.ts';
import { ageOf, formatAge } from '../age.ts';
import { describeProblem, formatProgress } from '../resources/record-resources.ts';
import { adviceSection } from './advice-section.ts';
import { type Description, type Field, type Section, timeAndAge } from './section.ts';

/** What both worlds and the executor know of the volume; undefined where they do not know it. */
export interface VolumeParts {
  readonly actual: AswVolume | undefined;
  readonly operations: readonly OperationView[];
}

export function describeVolume(volume: VolumeView, { actual, operations }: VolumeParts, nowMs: number): Description {
  return {
    fields: [
      ['Name', volume.name],
      ['Plugin', volume.plugin],
      ['State', volume.state],
      ['Message', volume.message],
      ['Device', volume.device],
      ['Device State', actual?.deviceMountState ?? ''],
      ['Path', volume.path],
      ['Claim', volume.claim],
      ['Capacity', volume.capacity],
      ['Requested', volume.requested],
      ['Pods', volume.pods],
      ...driftFields(volume.drift, nowMs),
    ],
    sections: [
      ...(actual === undefined ? [] : [actualPods(actual)]),
      operationSection(operations, nowMs),
      ...adviceSection([{ subject: 'volume', reason: volume.reason, help: volume.help }]),
    ],
  };
}

function driftFields(drift: VolumeView['drift'], nowMs: number): Description['fields'] {
  if (drift === undefined) return [];
  const standing = drift.standing.map(({ message, help }) => (help === '' ? message : `${message}; ${help}`));
  return [
    ['Drift Count', String(drift.count)],
    ['Last Drift', `${timeAndAge(drift.lastAt, nowMs)}: ${drift.lastMessage}`],
    ['Standing Drift', standing],
    ['Old Mount Used By', drift.holders],
  ];
}

export function describeActual(volume: AswVolume): Description {
  return {
    fields: [
      ['Name', volume.name],
      ['Plugin', volume.plugin],
      ['Device', volume.devicePath],
      ['Device State', volume.deviceMountState],
      ['Global Mount Path', volume.globalMountPath],
    ],
    sections: [actualPods(volume)],
  };
}

export function describeDesired(volume: DswVolume): Description {
  const rows = volume.pods.map((pod) => [
    `${pod.namespace}/${pod.name}`,
    pod.uid,
    String(pod.readOnly),
    pod.targetPath,
  ]);
  return {
    fields: [
      ['Name', volume.name],
      ['Plugin', volume.plugin],
      ['Global Mount Path', volume.globalMountPath],
    ],
    sections: [{ title: 'Pods', headers: ['Pod', 'UID', 'ReadOnly', 'Path'], rows }],
  };
}

export function describeOperation(operation: OperationView, nowMs: number): Description {
  return {
    fields: [
      ['Operation', operation.kind],
      ['Volume', operation.volume],
      ['Pod', operation.pod],
      ['State', operation.state],
      ['Reason', operation.reason],
      ['Started', timeAndAge(operation.startedAt, nowMs)],
      ['Attempts', String(operation.attempts)],
      ['Next Attempt', operation.state === 'running' ? 'now' : `in ${formatAge(operation.nextRetryMs)}`],
      ...(operation.copy === undefined ? [] : copyFields(operation.copy)),
      ['Last Error', operation.lastError],
    ],
    sections: [],
  };
}

function copyFields(copy: NonNullable<OperationView['copy']>): readonly Field[] {
  return [
    ['Copy For', copy.for],
    ['Copied', formatProgress(copy)],
  ];
}

export function describeManifest({ name, state, objects, ignored, problems }: ManifestFile): Description {
  return {
    fields: [
      ['Name', name],
      ['State', state],
      [
        'Objects',
        objects.map(({ kind, metadata }) => [kind, metadata.namespace, metadata.name].filter(Boolean).join('/')),
      ],
      ['Ignored', ignored.map((one) => `document ${one.document}: ${one.apiVersion} ${one.kind} ${one.name}`)],
      ['Problems', problems.map(describeProblem)],
    ],
    sections: [],
  };
}

function actualPods({ pods }: AswVolume): Section {
  return {
    title: 'Mounts',
    headers: ['Pod', 'State', 'UID', 'ReadOnly', 'Path'],
    rows: pods.map((pod) => [
      `${pod.namespace}/${pod.name}`,
      pod.mountState,
      pod.uid,
      String(pod.readOnly),
      pod.targetPath,
    ]),
    stateColumn: 1,
  };
}

function operationSection(operations: readonly OperationView[], nowMs: number): Section {
  return {
    title: 'Operations',
    headers: ['Operation', 'Pod', 'State', 'Attempts', 'Since', 'Last Error'],
    rows: operations.map(({ kind, pod, state, attempts, startedAt, lastError }) => [
      kind,
      pod,
      state,
      String(attempts),
      ageOf(startedAt, nowMs),
      lastError,
    ]),
    stateColumn: 2,
  };
}
