import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { SdNotify, watchdogIntervalMs } from '../../daemon/host/sd-notify.ts';

/** What systemd does: a datagram socket, one line for each message. Node has no such sockets; perl-base is Essential. */
const listener = `
  use Socket; $| = 1;
  my $path = $ARGV[0]; $path =~ s/^@/\\0/;
  socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, pack_sockaddr_un($path)) or die "bind: $!";
  print "listening\\n";
  while (defined recv($s, my $message, 4096, 0)) { print "$message\\n"; }
`;

let child: ChildProcess | undefined;
let directory: string | undefined;
afterEach(() => {
  child?.kill();
  if (directory !== undefined) rmSync(directory, { recursive: true });
  directory = undefined;
});

async function listen(path: string): Promise<AsyncIterator<string>> {
  child = spawn('perl', ['-e', listener, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child, 'spawn');
  if (child.stdout === null) throw new Error('Cannot listen: the child has no stdout');
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('listening');
  return lines;
}

const refuse = (error: unknown) => {
  throw error;
};

describe('SdNotify', () => {
  it.each(['path', 'abstract'])('sends each state as one datagram to a socket with a %s name', async (kind) => {
    directory = mkdtempSync(join(tmpdir(), 'moored-notify-'));
    const path = kind === 'path' ? join(directory, 'notify.sock') : `@moored-test-${process.pid}`;
    const lines = await listen(path);
    const notify = new SdNotify(path, refuse);
    notify.ready();
    notify.status('2 volumes\nmounted');
    notify.watchdog();
    notify.extendTimeout(1500.5);
    notify.stopping();
    const heard: unknown[] = [];
    for (let count = 0; count < 5; count += 1) heard.push((await lines.next()).value);
    expect(heard).toEqual([
      'READY=1',
      'STATUS=2 volumes mounted',
      'WATCHDOG=1',
      'EXTEND_TIMEOUT_USEC=1500500',
      'STOPPING=1',
    ]);
  });

  it('does nothing without a socket', () => {
    new SdNotify(undefined, refuse).ready();
    new SdNotify('', refuse).ready();
  });

  it('tells of a socket that is gone, and goes on', () => {
    const failures: unknown[] = [];
    const notify = new SdNotify('/nonexistent/notify.sock', (error) => failures.push(error));
    notify.ready();
    expect(failures).toEqual([expect.objectContaining({ call: 'sendto', code: 'ENOENT' })]);
  });

  it.each(['relative/path', `/${'x'.repeat(107)}`, 'vsock:2:1234'])('refuses the address "%s"', (address) => {
    expect(() => new SdNotify(address, refuse)).toThrow('Cannot use NOTIFY_SOCKET');
  });
});

describe('watchdogIntervalMs', () => {
  it.each([
    [{ WATCHDOG_USEC: '60000000' }, 30000],
    [{ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '42' }, 30000],
    [{ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '43' }, undefined],
    [{ WATCHDOG_USEC: '0' }, undefined],
    [{ WATCHDOG_USEC: 'soon' }, undefined],
    [{}, undefined],
  ])('of %o is %s', (env, expected) => {
    expect(watchdogIntervalMs(env, 42)).toBe(expected);
  });
});
