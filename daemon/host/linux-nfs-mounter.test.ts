import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { ChildProcesses, ChildResult } from '../ports/child-processes.ts';
import { StorageError } from '../world/storage-error.ts';
import { LinuxNfsMounter } from './linux-nfs-mounter.ts';

const never = new AbortController().signal;

interface Call {
  readonly tool: string;
  readonly args: readonly string[];
  readonly deadlineMs: number | undefined;
}

/** Children that end at once, each as the next of these says. */
function children(...endings: readonly (Partial<ChildResult> | Error)[]) {
  const calls: Call[] = [];
  const run: ChildProcesses['run'] = (tool, args, { deadlineMs }) => {
    const ending = endings[calls.length] ?? {};
    calls.push({ tool, args, deadlineMs });
    if (ending instanceof Error) return Promise.reject(ending);
    return Promise.resolve({ exitCode: 0, stdout: '', stderr: '', durationMs: 1, ...ending });
  };
  return { calls, mounter: new LinuxNfsMounter({ openat2: true }, { run }) };
}

const outOfTime = (pid?: number) =>
  new StorageError('Cannot run "x": not finished', {
    code: 'DeadlineExceeded',
    progress: 'uncertain',
    ...(pid === undefined ? {} : { pid }),
  });

describe('a probe', () => {
  it('asks each mount for its figures, in one child with a deadline', async () => {
    const { calls, mounter } = children({ stdout: '1\n2\n' });
    await expect(mounter.probe('filer', ['/r/a', '/r/b'], never)).resolves.toEqual({ stale: [] });
    expect(calls).toEqual([{ tool: 'stat', args: ['-f', '-c', '%i', '--', '/r/a', '/r/b'], deadlineMs: 60_000 }]);
  });

  it('finds which of them are stale', async () => {
    const stderr = "stat: cannot read file system information for '/r/a': Stale file handle\n";
    const { mounter } = children({ exitCode: 1, stderr });
    await expect(mounter.probe('filer', ['/r/a', '/r/ab'], never)).resolves.toEqual({ stale: ['/r/a'] });
  });

  it('takes a refusal for an answer', async () => {
    const stderr = "stat: cannot read file system information for '/r/a': Permission denied\n";
    const { mounter } = children({ exitCode: 1, stderr });
    await expect(mounter.probe('filer', ['/r/a'], never)).resolves.toEqual({ stale: [] });
  });

  it.each(['Input/output error', 'Connection timed out', 'Unknown error 512'])('takes %s for none', async (text) => {
    const stderr = `stat: cannot read file system information for '/r/a': ${text}\n`;
    const { mounter } = children({ exitCode: 1, stderr });
    await expect(mounter.probe('filer', ['/r/a'], never)).rejects.toMatchObject({
      code: 'Unavailable',
      message: expect.stringContaining('Cannot reach server "filer": '),
    });
  });

  it('sends no second child after one that does not die, and one again when it has', async () => {
    using directory = mkdtempDisposableSync(`${tmpdir()}/moored-`);
    copyFileSync('/bin/sleep', `${directory.path}/stat`);
    const hanging = spawn(`${directory.path}/stat`, ['60'], { stdio: 'ignore' });
    await once(hanging, 'spawn');
    const { calls, mounter } = children(outOfTime(hanging.pid), outOfTime(process.pid));
    const probe = () => mounter.probe('filer', ['/r/a'], never);
    await expect(probe()).rejects.toMatchObject({ code: 'DeadlineExceeded' });
    await expect(probe()).rejects.toMatchObject({ message: expect.stringContaining(`process ${hanging.pid} still`) });
    await expect(mounter.probe('other', ['/r/b'], never)).rejects.toMatchObject({ facts: { pid: process.pid } });
    expect(calls).toHaveLength(2);
    hanging.kill('SIGKILL');
    await once(hanging, 'exit');
    await expect(probe()).resolves.toEqual({ stale: [] });
    // Another program has that number now.
    await expect(mounter.probe('other', ['/r/b'], never)).resolves.toEqual({ stale: [] });
    expect(calls).toHaveLength(4);
  });
});

describe('an unmount', () => {
  it('names the mount and the server’s silence when it runs into its deadline', async () => {
    const { calls, mounter } = children(outOfTime(77));
    await expect(mounter.unmount('/r/a', { force: false }, never)).rejects.toMatchObject({
      message: 'Cannot unmount "/r/a": the server has not answered for 15 s',
      code: 'DeadlineExceeded',
      progress: 'uncertain',
      facts: { pid: 77, target: '/r/a' },
    });
    expect(calls).toMatchObject([{ tool: 'umount', deadlineMs: 15_000 }]);
  });

  it('is Busy while somebody uses it', async () => {
    const { mounter } = children({ exitCode: 32, stderr: 'umount: /r/a: target is busy.\n' });
    await expect(mounter.unmount('/r/a', { force: true }, never)).rejects.toMatchObject({
      message: 'Cannot unmount "/r/a" by force: umount: /r/a: target is busy.',
      code: 'Busy',
    });
  });
});
