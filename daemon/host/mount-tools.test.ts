import { expect, it } from 'vitest';
import { StorageError } from '../world/storage-error.ts';
import { MountTools, type RunTool } from './mount-tools.ts';

const never = new AbortController().signal;
const answering =
  (exitCode: number, stderr: string): RunTool =>
  () =>
    Promise.resolve({ exitCode, stderr });
const request = { device: '/dev/loop3', target: '/root/x', fsType: 'ext4', flags: { readOnly: false }, options: [] };

it('names the target where mount(8) names the descriptor', async () => {
  const tools = new MountTools(
    answering(32, "mount: /proc/1/fd/7: unknown filesystem type 'ext4'.\n       dmesg(1) may.\n"),
  );
  await expect(tools.mount(request, '/proc/1/fd/7', never)).rejects.toMatchObject({
    message: `Cannot mount "/dev/loop3" at "/root/x": mount: /root/x: unknown filesystem type 'ext4'.`,
    code: 'Unimplemented',
    progress: 'final',
    facts: { operation: 'mount', source: '/dev/loop3', target: '/root/x', flags: 'nosuid,nodev', exitCode: 32 },
  });
});

it('passes on what became of a child that was ended', async () => {
  const ended = new StorageError('Cannot finish "umount": out of time', {
    code: 'DeadlineExceeded',
    progress: 'uncertain',
  });
  const tools = new MountTools(() => Promise.reject(ended));
  await expect(tools.mount(request, '/proc/1/fd/7', never)).rejects.toBe(ended);
  await expect(tools.unmount('/root/x', never)).rejects.toBe(ended);
});

it('gives the exit status of a tool that says nothing', async () => {
  const tools = new MountTools(answering(4, ''));
  await expect(tools.unmount('/root/x', never)).rejects.toThrow('Cannot unmount "/root/x": exit status 4');
});
