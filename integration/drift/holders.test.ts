/** Who keeps a mount or a device is named: in the error of the unmount and in `explain`. Real processes and namespaces. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DaemonProcess } from '../support/daemon-process.ts';
import { DaemonView } from '../support/daemon-view.ts';
import { eventually } from '../support/eventually.ts';
import { mountsAt, run } from '../support/kernel-facts.ts';
import { claim, claimVolume, documents, pod, storageClass } from '../support/manifests.ts';

const secret = 'hunter2-on-the-command-line';

let daemon: DaemonProcess;
let view: DaemonView;
let holders: ChildProcess[];

beforeEach(async () => {
  holders = [];
  daemon = await new DaemonProcess().start();
  view = new DaemonView(daemon);
});

afterEach(async () => {
  release();
  await daemon.dispose();
});

function release(): void {
  for (const holder of holders) holder.kill('SIGKILL');
}

/** Runs until it is killed, and has said something first: then it holds what it shall. */
async function hold(command: string, args: readonly string[], cwd = '/'): Promise<number> {
  const child = spawn(command, args, { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
  holders.push(child);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child.pid ?? 0;
}

const waiting = (before = ':') => ['-c', `${before}; echo ready; read line`, secret];

async function memoryPod(): Promise<string> {
  daemon.apply('m.yaml', pod('m', { data: 'emptyDir: { medium: Memory }' }));
  await view.ready('m');
  return view.path('m');
}

async function claimPod(): Promise<string> {
  daemon.apply('web.yaml', documents(storageClass('fast'), claim('data'), pod('web', { data: claimVolume('data') })));
  await view.ready('web');
  return view.path('web');
}

describe('a busy unmount names', () => {
  it.each<[string, (path: string) => Promise<number>]>([
    ['working directory', (path) => hold('/bin/dash', waiting(), path)],
    ['open file', (path) => hold('/bin/dash', waiting(`exec 9> ${join(path, 'file')}`))],
    [
      'program',
      (path) => {
        copyFileSync('/bin/dash', join(path, 'dash'));
        return hold(join(path, 'dash'), waiting());
      },
    ],
  ])('a process by its %s, and nothing of its command line', async (use, start) => {
    const pid = await start(await memoryPod());
    daemon.remove('m.yaml');
    const message = await view.event('FailedUnmount');
    expect(message).toContain(`used by dash (pid ${pid}, ${use})`);
    const { stdout } = await daemon.ctl('explain', 'pod/m');
    expect(stdout).toContain(`used by dash (pid ${pid}, ${use})`);
    expect(stdout).toContain(`systemctl status ${pid}`);
    expect(daemon.log).not.toContain(secret);
    release();
    await view.gone('m');
  });

  it('what is mounted inside it', async () => {
    const path = await memoryPod();
    const inside = join(path, 'inside');
    run('/usr/bin/mkdir', inside);
    run('/usr/bin/mount', '-t', 'tmpfs', 'theirs', inside);
    daemon.remove('m.yaml');
    expect(await view.event('FailedUnmount')).toContain(`mounted inside it: "${inside}"`);
    run('/usr/bin/umount', inside);
    await view.gone('m');
  });

  it('a loop device with its file on it', async () => {
    const file = join(await memoryPod(), 'nested.img');
    writeFileSync(file, '');
    truncateSync(file, 1024 * 1024);
    const device = run('/usr/sbin/losetup', '--find', '--show', file).trim();
    daemon.remove('m.yaml');
    expect(await view.event('FailedUnmount')).toContain(`${device} (backing file)`);
    run('/usr/sbin/losetup', '--detach', device);
    await view.gone('m');
  });

  it('at most four, and how many more', async () => {
    const path = await memoryPod();
    for (let count = 0; count < 6; count++) await hold('/bin/dash', waiting(), path);
    daemon.remove('m.yaml');
    expect(await view.event('FailedUnmount')).toMatch(
      /used by (dash \(pid \d+, working directory\)(, )?){4} and 2 more/,
    );
    release();
    await view.gone('m');
  });
});

describe('another mount namespace', () => {
  const privately = ['--mount', '--propagation', 'private', '/bin/dash', ...waiting()];

  it('is named with whom it keeps a device from being detached', async () => {
    const path = await claimPod();
    // Its mounts go when we remove our directories (rmdir(2) detaches those of others), its working directory stays.
    const pid = await hold('/usr/bin/unshare', privately, path);
    daemon.remove('web.yaml');
    const message = await view.event('FailedDetachVolume');
    expect(message).toMatch(new RegExp(`used by dash \\(pid ${pid}, working directory, in mnt:\\[\\d+\\]\\)`));
    expect(mountsAt(path)).toEqual([]);
    release();
    await eventually(async () => (await daemon.asw()).length === 0 || 'still attached');
  });

  it('that has what was unmounted here is named by explain, as is an open file on what no table shows', async () => {
    const path = await claimPod();
    const elsewhere = await hold('/usr/bin/unshare', privately);
    const open = await hold('/bin/dash', waiting(`exec 9> ${join(path, 'file')}`));
    run('/usr/bin/umount', '--lazy', path);
    await eventually(async () => {
      const text = JSON.stringify(await view.client.explain('pods', 'default', 'web'));
      const isNamed =
        text.includes(`dash (pid ${open}, open file)`) && text.includes(`dash (pid ${elsewhere}, mount, in`);
      return isNamed || text;
    });
    expect(mountsAt(path)).toHaveLength(1);
    const { stdout } = await daemon.ctl('describe', 'volumes');
    expect(stdout).toMatch(/Drift Count: +1\n/);
    expect(stdout).toMatch(/Old Mount Used By: +dash/);
    release();
    daemon.remove('web.yaml');
    await view.gone('web');
  });
});
