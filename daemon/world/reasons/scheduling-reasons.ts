import type { Reason } from './reason.ts';

/** About pods and nodes: whether a pod may be on this machine, and its volumes with it. */
export const schedulingReasons = {
  FailedScheduling: {
    type: 'Warning',
    means:
      'The pod, or a volume that it needs, may not be on this machine; the message counts the nodes and their reasons.',
    help: [
      'moorctl explain pod/NAME; moorctl describe node',
      'to give this machine a label: node.labels in /etc/moored/moored.yaml, then restart moored',
    ],
  },
  OtherNode: {
    type: 'Normal',
    means: 'The pod names another machine with spec.nodeName: nothing of it is mounted here.',
    help: ['is it for this machine? take spec.nodeName out, or give it the name that moorctl get nodes shows'],
  },
} as const satisfies Readonly<Record<string, Reason>>;
