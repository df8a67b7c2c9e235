import type { Reason } from './reason.ts';

/** About servers, targets and units: what moored needs others for. */
export const serviceReasons = {
  ServerStalled: {
    type: 'Warning',
    means: 'An NFS server does not answer; its volumes wait for it and no others do.',
    help: ['is it up, and reachable? ping SERVER; rpcinfo -T tcp SERVER nfs'],
  },
  ServerAnswers: { type: 'Normal', means: 'An NFS server answers again.', help: [] },
  StaleFileHandle: {
    type: 'Warning',
    means: 'An NFS server no longer knows what is mounted; it is mounted anew as soon as nobody uses it.',
    help: ['restart the workload if it keeps the old mount in use'],
  },
  UnmountedUnconfirmed: {
    type: 'Warning',
    means: 'A volume was unmounted while its server did not answer: last writes may not have arrived.',
    help: ['have the server answer before this machine restarts'],
  },
  ForcedUnmount: {
    type: 'Warning',
    means: 'A volume was unmounted by force because its server did not answer: unconfirmed writes are lost.',
    help: ['check the last files that were written'],
  },
  MultipathUnavailable: {
    type: 'Warning',
    means: 'A LUN has several paths and there is no dm-multipath: one path alone is used.',
    help: ['apt-get install multipath-tools; systemctl enable --now multipathd'],
  },
  PathMissing: {
    type: 'Warning',
    means: 'A portal of an iSCSI volume cannot be used; the volume goes over the others.',
    help: ['is the portal up, and reachable? iscsiadm -m session; ping PORTAL'],
  },
  StoppingUnit: {
    type: 'Normal',
    means: 'A unit that uses a volume is asked to stop before the volume is unmounted.',
    help: ['systemctl status UNIT'],
  },
  FailedStopUnit: {
    type: 'Warning',
    means: 'A unit that uses a volume could not be stopped; the volume stays mounted.',
    help: ['systemctl stop UNIT'],
  },
} as const satisfies Readonly<Record<string, Reason>>;
