import { execFile } from 'node:child_process';

const deadlineMs = 5_000;

/**
 * Sets the line that `systemctl status` shows of the unit that runs us; nothing outside of one. By systemd-notify(1),
 * which waits until systemd has read it; Node has no datagrams on unix sockets. A status that cannot be told is no
 * reason to fail: the same text goes to stderr when it ends in a failure.
 */
export async function notifyStatus(text: string, env: NodeJS.ProcessEnv): Promise<void> {
  if (env['NOTIFY_SOCKET'] === undefined) return;
  await new Promise<void>((resolve) => {
    execFile('/usr/bin/systemd-notify', [`--status=${text}`], { timeout: deadlineMs }, () => resolve());
  });
}
