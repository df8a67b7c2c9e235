import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FileLock } from '../../daemon/host/file-lock.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moored-lock-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

it('is held by one at a time, and free again afterwards', () => {
  const path = join(directory, 'lock');
  const first = new FileLock(path);
  expect(() => new FileLock(path)).toThrow(expect.objectContaining({ code: 'Busy' }));
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  new FileLock(path)[Symbol.dispose]();
  expect(existsSync(path)).toBe(true);
});

it('is let go by the kernel when its process is killed', async () => {
  const path = join(directory, 'lock');
  const holder = spawn('flock', ['--exclusive', '--no-fork', path, 'sh', '-c', 'echo held; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  expect(() => new FileLock(path)).toThrow('another process holds it');
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  new FileLock(path)[Symbol.dispose]();
});

it('is not inherited by children: one that lives on does not keep it', () => {
  const path = join(directory, 'lock');
  const lock = new FileLock(path);
  const open = execFileSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' });
  expect(open).not.toContain(path);
  lock[Symbol.dispose]();
});

it('does not follow a symlink', () => {
  symlinkSync(join(directory, 'elsewhere'), join(directory, 'lock'));
  expect(() => new FileLock(join(directory, 'lock'))).toThrow(expect.objectContaining({ code: 'FailedPrecondition' }));
  expect(existsSync(join(directory, 'elsewhere'))).toBe(false);
});
