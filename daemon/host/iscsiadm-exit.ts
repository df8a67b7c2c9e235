import { StorageError, type StorageErrorOptions } from '../world/storage-error.ts';

/** Exit codes of iscsiadm(8), section EXIT STATUS, that are no failure for who asked for the result. */
export const iscsiadmExit = { sessionNotFound: 2, sessionExists: 15, noObjectsFound: 21 } as const;

interface Meaning {
  readonly text: string;
  readonly code: StorageErrorOptions['code'];
  readonly progress: StorageErrorOptions['progress'] & string;
  readonly hint?: string;
}

/** `final`: nothing was done; `uncertain`: iscsid may still be at it. */
const meanings: Readonly<Record<number, Meaning>> = {
  4: {
    text: 'the portal cannot be reached',
    code: 'Unavailable',
    progress: 'transient',
    hint: 'is the target up? ping, ss, firewall',
  },
  5: {
    text: 'the target refused the login',
    code: 'Unavailable',
    progress: 'transient',
    hint: 'journalctl -u iscsid; the target’s log',
  },
  6: {
    text: 'the database of open-iscsi cannot be used',
    code: 'Internal',
    progress: 'transient',
    hint: 'ls -l /etc/iscsi/nodes; df',
  },
  7: { text: 'open-iscsi does not understand what it was asked', code: 'InvalidArgument', progress: 'final' },
  8: {
    text: 'the portal did not answer in time',
    code: 'DeadlineExceeded',
    progress: 'transient',
    hint: 'is the target up? ping, ss, firewall',
  },
  11: {
    text: 'the portal does not answer',
    code: 'DeadlineExceeded',
    progress: 'transient',
  },
  12: {
    text: 'the kernel has no iSCSI transport',
    code: 'Unimplemented',
    progress: 'transient',
    hint: 'modprobe iscsi_tcp',
  },
  13: { text: 'open-iscsi was not permitted to do it', code: 'PermissionDenied', progress: 'transient' },
  18: { text: 'iscsid does not answer', code: 'Unavailable', progress: 'uncertain', hint: 'systemctl status iscsid' },
  19: {
    text: 'the target refused the login for good',
    code: 'NotFound',
    progress: 'transient',
    hint: 'is this initiator in the access list of the target? cat /etc/iscsi/initiatorname.iscsi',
  },
  20: {
    text: 'iscsid is not running',
    code: 'Unavailable',
    progress: 'transient',
    hint: 'systemctl enable --now iscsid.socket',
  },
  21: { text: 'open-iscsi has no record of it', code: 'NotFound', progress: 'transient' },
  24: {
    text: 'the target refused the CHAP name or password',
    code: 'PermissionDenied',
    progress: 'final',
    hint: 'compare the Secret with the target’s settings',
  },
  28: { text: 'the session is in use', code: 'Busy', progress: 'transient' },
  32: { text: 'iscsid is not connected to the target', code: 'Unavailable', progress: 'transient' },
};

/** @param action "Cannot log in to …" */
export function iscsiadmError(action: string, exitCode: number, stderr: string): StorageError {
  const known = meanings[exitCode];
  const said = stderr.trim().split('\n', 1)[0] ?? '';
  return new StorageError(`${action}: ${known?.text ?? (said || `iscsiadm ended with ${exitCode}`)}`, {
    code: known?.code ?? 'Internal',
    progress: known?.progress ?? 'uncertain',
    operation: 'iscsiadm',
    exitCode,
    stderr: stderr.trim(),
    ...(known?.hint === undefined ? {} : { hint: known.hint }),
  });
}
