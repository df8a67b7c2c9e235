import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SpawnedChildProcesses } from '../../daemon/host/spawned-child-processes.ts';
import { mebibyte, RealDevices } from './real-devices.ts';
import { tool } from './real-mounts.ts';
import { processesWith, until } from './real-processes.ts';

const children = new SpawnedChildProcesses();
const never = new AbortController().signal;
const run = (name: string, args: readonly string[] = [], options = {}) =>
  children.run(name, args, { signal: never, deadlineMs: 20_000, ...options });
const shell = (script: string, options = {}) => run('sh', ['-c', script], options);

/** An argument of sleep(1) that no other run of this test has. */
const unique = (seconds: number): string => `${seconds}.${process.pid}`;

describe('SpawnedChildProcesses', () => {
  it('answers exit code and output', async () => {
    expect(await shell('echo out; echo err >&2; exit 3')).toEqual({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n',
      durationMs: expect.any(Number),
    });
  });

  it('gives a child nothing of the environment', async () => {
    const { stdout } = await run('env');
    expect(stdout.trim().split('\n').sort()).toEqual([
      'BLKID_FILE=/dev/null',
      'LC_ALL=C',
      'LIBMOUNT_FORCE_MOUNT2=always',
      'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
    ]);
  });

  it('runs a child in "/" with an empty stdin', async () => {
    expect((await run('pwd')).stdout).toBe('/\n');
    expect((await run('cat')).stdout).toBe('');
  });

  it('gives input on stdin, and forgives a child that does not read it', async () => {
    const input = 'x'.repeat(mebibyte);
    expect((await run('wc', ['-c'], { input })).stdout.trim()).toBe(`${mebibyte}`);
    expect(await run('true', [], { input })).toMatchObject({ exitCode: 0 });
  });

  it('runs a child in a session of its own', async () => {
    const [, , , , group, session] = (await run('cat', ['/proc/self/stat'])).stdout.split(' ');
    const [, , , , ourGroup] = readFileSync('/proc/self/stat', 'utf8').split(' ');
    expect(group).toBe(session);
    expect(group).not.toBe(ourGroup);
  });

  it('gives a child no descriptor of the daemon, and no signal that is blocked or ignored', async () => {
    const ours = openSync('/proc/self/mountinfo', 'r');
    const { stdout: links } = await run('ls', ['-l', '/proc/self/fd']);
    closeSync(ours);
    expect(links).toContain('/dev/null');
    expect(links).not.toContain('mountinfo');
    const { stdout: status } = await run('cat', ['/proc/self/status']);
    expect(/^SigBlk:\t(\w+)$/m.exec(status)?.[1]).toBe('0000000000000000');
    // glibc leaves its own two, 32 and 33, ignored.
    const ignored = BigInt(`0x${/^SigIgn:\t(\w+)$/m.exec(status)?.[1]}`);
    expect(ignored & 0x7fff_ffffn).toBe(0n);
  });

  it('leaves no descriptor behind, whether the child was started or not', async () => {
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    await run('true', [], { input: 'x' });
    await run('true', ['x'.repeat(200_000)], { input: 'x' }).catch(() => undefined);
    expect(open()).toBe(before);
  });

  it('ends many children at once, beside those of node:child_process', async () => {
    const codes = Array.from({ length: 40 }, (_, index) => index);
    const running = codes.map((code) => shell(`exit ${code}`));
    expect(spawnSync('sh', ['-c', 'exit 7']).status).toBe(7);
    expect((await Promise.all(running)).map(({ exitCode }) => exitCode)).toEqual(codes);
  });

  it('keeps 64 KiB of each output and lets the child finish', async () => {
    const { stdout, stderr, exitCode } = await shell('head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2; exit 5');
    expect([stdout.length, stderr.length, exitCode]).toEqual([65536, 65536, 5]);
  });

  it('names the package of a missing tool', async () => {
    await expect(run('/nonexistent/mkfs.xfs')).rejects.toMatchObject({
      code: 'Unimplemented',
      progress: 'transient',
      facts: { hint: 'apt install xfsprogs' },
      message: expect.stringContaining('Cannot run "/nonexistent/mkfs.xfs": not found'),
    });
    await expect(run('no-such-tool')).rejects.toMatchObject({
      code: 'Unimplemented',
      facts: { operation: 'no-such-tool' },
    });
  });

  it.each([
    ['too long an argument', 'x'.repeat(200_000)],
    ['a NUL in one', 'a\0b'],
  ])('refuses %s before anything was started', async (_, argument) => {
    await expect(run('true', [argument])).rejects.toMatchObject({ code: 'Internal', progress: 'transient' });
  });

  it('ends a child and its children at the deadline', async () => {
    const seconds = unique(601);
    const failed = shell(`sleep ${seconds} & sleep ${seconds}`, { deadlineMs: 300 });
    failed.catch(() => undefined);
    await until(() => processesWith(seconds).length === 2);
    await expect(failed).rejects.toMatchObject({
      code: 'DeadlineExceeded',
      progress: 'uncertain',
      message: expect.stringContaining('not finished after 0.3 s'),
    });
    await until(() => processesWith(seconds).length === 0);
  });

  it('kills a child that ignores SIGTERM', async () => {
    const abort = new AbortController();
    const seconds = unique(602);
    const failed = shell(`trap "" TERM; sleep ${seconds}; sleep ${seconds}`, { signal: abort.signal });
    failed.catch(() => undefined);
    await until(() => processesWith(seconds).length === 1);
    abort.abort();
    await expect(failed).rejects.toMatchObject({ code: 'Aborted', progress: 'uncertain' });
    expect(processesWith(seconds)).toEqual([]);
  });

  it('starts nothing when it is too late', async () => {
    const signal = AbortSignal.abort();
    await expect(shell('kill -KILL $$', { signal })).rejects.toMatchObject({ code: 'Aborted', progress: 'transient' });
  });

  it('does not take a killed child for one that has finished', async () => {
    await expect(shell('kill -KILL $$')).rejects.toMatchObject({
      code: 'Internal',
      progress: 'uncertain',
      message: expect.stringContaining('ended by SIGKILL from outside'),
    });
  });

  it('does not wait for a grandchild that keeps the output open', async () => {
    const seconds = unique(603);
    const { stdout } = await shell(`sleep ${seconds} & echo $!`);
    const pid = Number(stdout);
    expect(processesWith(seconds)).toMatchObject([{ pid }]);
    process.kill(pid);
  });
});

describe('a hung filesystem', () => {
  let devices: RealDevices;
  beforeAll(() => {
    devices = new RealDevices();
  });
  afterAll(() => devices[Symbol.dispose]());

  it('does not keep the daemon waiting for a child that cannot be killed', async () => {
    const target = devices.directory();
    const device = devices.blank(16 * mebibyte);
    tool('mkfs.ext4', '-q', device.path);
    tool('mount', device.path, target);
    const made = join(target, 'made');
    devices.freeze(target);
    try {
      await expect(run('mkdir', [made], { deadlineMs: 200 })).rejects.toMatchObject({
        code: 'DeadlineExceeded',
        progress: 'uncertain',
        message: expect.stringMatching(/not finished after 0.2 s; process \d+ does not die/),
      });
      expect(processesWith(made)).toMatchObject([{ state: 'D' }]);
    } finally {
      devices.thaw(target);
    }
    await until(() => processesWith(made).length === 0);
    tool('umount', target);
  });
});
