/** What a tool may still do that was broken by the device it reads. */
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { confinementLevel, forReading, forWriting } from '../../daemon/host/confinement.ts';
import { LinuxFilesystems } from '../../daemon/host/linux-filesystems.ts';
import { renewFilesystemIdentity } from '../../daemon/host/new-filesystem-identity.ts';
import { SpawnedChildProcesses } from '../../daemon/host/spawned-child-processes.ts';
import type { ChildProcesses, Confinement } from '../../daemon/ports/child-processes.ts';
import { mebibyte, RealDevices } from './real-devices.ts';
import { tool } from './real-mounts.ts';
import { processesWith, until } from './real-processes.ts';

const children = new SpawnedChildProcesses();
const never = new AbortController().signal;
const level = await confinementLevel();
const shell = (script: string, confinement: Confinement) =>
  children.run('sh', ['-c', script], { signal: never, deadlineMs: 20_000, confinement });

let devices: RealDevices;
beforeAll(() => {
  devices = new RealDevices();
});
afterAll(() => devices[Symbol.dispose]());

it('is there where these tests run', () => {
  expect(level).not.toBe('none');
});

it('takes all privileges from an e2fsck at work, and limits it', async () => {
  const target = devices.directory();
  const outer = devices.blank(64 * mebibyte);
  tool('mkfs.ext4', '-q', outer.path);
  tool('mount', outer.path, target);
  const device = devices.attach(devices.image(32 * mebibyte, target));
  tool('mkfs.ext4', '-q', device.path);
  tool('tune2fs', '-E', 'force_fsck', device.path);
  // It waits in the kernel for its first write, and can be looked at.
  devices.freeze(target);
  const checked = new LinuxFilesystems(children).check(device.path, 'ext4', never);
  try {
    checked.catch(() => undefined);
    await until(() => processesWith(device.path).some(({ state }) => state === 'D'));
    const [{ pid } = { pid: 0 }] = processesWith(device.path);
    expect(readFileSync(`/proc/${pid}/comm`, 'utf8').trim()).toMatch(/e2fsck|fsck.ext4/);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      expect(status).toContain(`${set}:\t0000000000000000\n`);
    const limits = readFileSync(`/proc/${pid}/limits`, 'utf8').replaceAll(/ {2,}/g, ' ');
    const memory = Math.floor(Math.max(1024 * mebibyte, totalmem() / 2));
    expect(limits).toContain(`Max address space ${memory} ${memory} bytes`);
    expect(limits).toContain('Max cpu time 3600 3600 seconds');
    expect(limits).toContain('Max core file size 0 0 bytes');
    expect(limits).toContain('Max file size 0 0 bytes');
    expect(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim()).toBe('0');
  } finally {
    devices.thaw(target);
  }
  await checked;
  devices.detach(device);
  tool('umount', target);
});

/** Runs `look` at the child of this tool while it waits in the kernel for its first write; the others run as they would. */
function stoppingAt(wanted: string, target: string, look: (pid: number) => void): ChildProcesses {
  return {
    run: async (name, args, options) => {
      if (name !== wanted) return children.run(name, args, options);
      tool('sync');
      devices.freeze(target);
      const running = children.run(name, args, options);
      try {
        running.catch(() => undefined);
        const device = args.at(-1) ?? '';
        await until(() => processesWith(device).some(({ state }) => state === 'D'));
        look(processesWith(device)[0]?.pid ?? 0);
      } finally {
        devices.thaw(target);
      }
      return running;
    },
  };
}

it.each([
  ['ext4', 'e2fsck', 'no capability'],
  ['ext4', 'tune2fs', 'no capability'],
  ['xfs', 'xfs_db', 'CAP_SYS_ADMIN'],
  ['btrfs', 'btrfstune', 'no capability'],
])('a copy of %s gets its UUID by a confined %s, with %s', async (fsType, wanted, capability) => {
  const target = devices.directory();
  const outer = devices.blank(512 * mebibyte);
  tool('mkfs.ext4', '-q', outer.path);
  tool('mount', outer.path, target);
  const device = devices.attach(devices.image(320 * mebibyte, target));
  tool(`mkfs.${fsType}`, '-q', device.path);
  if (fsType === 'ext4') tool('tune2fs', '-E', 'force_fsck', device.path);
  const seen: string[] = [];
  const watched = stoppingAt(wanted, target, (pid) => {
    seen.push(readFileSync(`/proc/${pid}/status`, 'utf8'), readFileSync(`/proc/${pid}/limits`, 'utf8'));
  });
  const directory = devices.directory();
  const renewed = await renewFilesystemIdentity(device.path, directory, { children: watched, signal: never });
  expect(renewed).toBe('renewed');
  const [status = '', limits = ''] = seen;
  expect(status).toMatch(new RegExp(`^Name:\\t${wanted === 'e2fsck' ? '(e2fsck|fsck.ext4)' : wanted}$`, 'm'));
  expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  // CAP_SYS_ADMIN is number 21.
  const mask = capability === 'CAP_SYS_ADMIN' ? '0000000000200000' : '0000000000000000';
  for (const set of ['CapPrm', 'CapEff', 'CapBnd']) expect(status).toContain(`${set}:\t${mask}\n`);
  expect(limits.replaceAll(/ {2,}/g, ' ')).toContain('Max file size 0 0 bytes');
  devices.detach(device);
  tool('umount', target);
  devices.detach(outer);
});

describe('a child that reads', () => {
  it('keeps no capability, whatever is executed in its turn', async () => {
    const { stdout } = await shell('grep -E "^Cap|NoNewPrivs" /proc/self/status', forReading);
    expect(stdout.match(/^Cap\w+:\t0000000000000000$/gm)).toHaveLength(5);
    expect(stdout).toContain('NoNewPrivs:\t1');
  });

  it.runIf(level === 'landlock')('writes to no device, and one that writes to its own only', async () => {
    const [own, other] = [devices.blank(mebibyte), devices.blank(mebibyte)];
    const write = (path: string, confinement: Confinement) => shell(`echo x > ${path}`, confinement);
    expect(await write(own.path, forReading)).toMatchObject({ stderr: expect.stringContaining('Permission denied') });
    expect(await write(own.path, forWriting(own.path))).toMatchObject({ exitCode: 0 });
    expect(await write(other.path, forWriting(own.path))).toMatchObject({
      stderr: expect.stringContaining('Permission denied'),
    });
    const file = join(devices.directory(), 'file');
    writeFileSync(file, 'of root');
    expect(await shell(`rm -f ${file}`, forWriting(own.path))).toMatchObject({
      stderr: expect.stringContaining('Permission denied'),
    });
    expect(readFileSync(file, 'utf8')).toBe('of root');
  });
});

describe('a child that writes to a device', () => {
  it('writes into no file, also not into one of root', async () => {
    const file = join(devices.directory(), 'file');
    writeFileSync(file, 'before');
    // By Landlock at the open, and without it by the limit at the write.
    const said = await shell(`echo after >> ${file}`, forWriting('/dev/null')).then(({ stderr }) => stderr, String);
    expect(said).toMatch(level === 'landlock' ? /Permission denied/ : /SIGXFSZ/);
    expect(readFileSync(file, 'utf8')).toBe('before');
  });

  it('is told from setpriv, whose exit code could be an answer of the tool', async () => {
    const confinement = forWriting('/nowhere');
    const run = children.run('true', [], { signal: never, confinement });
    if (level === 'landlock')
      await expect(run).rejects.toMatchObject({ message: expect.stringMatching(/setpriv: .*nowhere/) });
    else expect(await run).toMatchObject({ exitCode: 0 });
  });
});

it('stops an e2fsck that a superblock makes ask for a gigabyte, and says so', async () => {
  const device = devices.blank(64 * mebibyte);
  const features = '^metadata_csum,^resize_inode,^has_journal,^flex_bg,64bit';
  tool('mkfs.ext4', '-q', '-b', '1024', '-O', features, device.path);
  claimManyGroups(device.path);
  const short: ChildProcesses = {
    run: (name, args, options) =>
      children.run(name, args, { ...options, confinement: { writes: device.path, memoryBytes: 512 * mebibyte } }),
  };
  await expect(new LinuxFilesystems(short).check(device.path, 'ext4', never)).rejects.toMatchObject({
    message: `Cannot check "${device.path}": that takes more memory than a check may have`,
    code: 'ResourceExhausted',
  });
});

/** 2^32 blocks in groups of 256, with a descriptor of 64 bytes each; offsets of struct ext2_super_block. */
function claimManyGroups(path: string): void {
  const [blocks, perGroup, inodesPerGroup] = [2 ** 32, 256, 8];
  const fd = openSync(path, 'r+');
  const put = (offset: number, value: number): void => {
    writeSync(fd, Buffer.from(Uint32Array.of(value).buffer), 0, 4, 1024 + offset);
  };
  put(0x00, (blocks / perGroup) * inodesPerGroup);
  put(0x04, blocks % 2 ** 32);
  put(0x150, Math.floor(blocks / 2 ** 32));
  for (const offset of [0x20, 0x24]) put(offset, perGroup);
  put(0x28, inodesPerGroup);
  closeSync(fd);
  tool('sync', path);
}
