import type { StoredNode } from '../api/node.ts';
import type { NodeView } from '../control/protocol.ts';
import type { DaemonSnapshot } from './daemon-snapshot.ts';

/** This machine first, whether a manifest tells of it or not; then the others, of which nothing is known but that. */
export function nodeViews({ objects, nodes, startedAt }: DaemonSnapshot): readonly NodeView[] {
  const { name, labels, taints, unschedulable } = nodes.own;
  const declared = objects.list('Node');
  const found = declared.find(({ metadata }) => metadata.name === name);
  const own: StoredNode = found ?? {
    apiVersion: 'v1',
    kind: 'Node',
    // The kubelet calls its node by its name where a uid is asked for, too.
    metadata: { name, namespace: '', uid: name, resourceVersion: '0', generation: 1, creationTimestamp: startedAt },
    spec: {},
  };
  return [
    {
      ...own,
      metadata: { ...own.metadata, labels },
      spec: { ...own.spec, ...(taints.length === 0 ? {} : { taints }), ...(unschedulable ? { unschedulable } : {}) },
      status: ready('True', 'ThisMachine', 'this machine: its pods are served here', startedAt),
    },
    ...declared
      .filter((node) => node !== found)
      .map((node): NodeView => {
        const message = 'another machine, of which a manifest tells: its pods are not served here';
        return { ...node, status: ready('Unknown', 'OtherMachine', message, node.metadata.creationTimestamp) };
      }),
  ];
}

function ready(
  status: 'True' | 'Unknown',
  reason: string,
  message: string,
  lastTransitionTime: string,
): NodeView['status'] {
  return { conditions: [{ type: 'Ready', status, reason, message, lastTransitionTime }] };
}
