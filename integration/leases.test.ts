/** Leases: what a unit was promised is not unmounted before the unit has stopped, whatever the daemon does meanwhile. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { DaemonProcess } from './support/daemon-process.ts';
import { eventually } from './support/eventually.ts';
import { mountsBelow, run } from './support/kernel-facts.ts';
import { documents, pod, statefulSet, storageClass, web } from './support/manifests.ts';

const unit = 'moored-pod@default-web.service';
let daemon: DaemonProcess;

// No unit of this machine is meant: its systemd, if it has one, would know that the one named here is not active.
const systemd = '/run/systemd';
const hasSystemd = existsSync(systemd);
beforeAll(() => {
  if (hasSystemd) run('/usr/bin/mount', '-t', 'tmpfs', 'tmpfs', systemd);
});
afterAll(() => {
  if (hasSystemd) run('/usr/bin/umount', systemd);
});

beforeEach(async () => {
  daemon = await new DaemonProcess().start();
});

afterEach(async () => {
  for (const name of readdirSync(join(daemon.runDir, 'leases'))) rmSync(join(daemon.runDir, 'leases', name));
  await daemon.dispose();
});

const hold = (instance: string, timeout = '30s', by = unit) =>
  daemon.ctl('hold', instance, '--unit', by, '--timeout', timeout);
const lease = (of = unit) => join(daemon.runDir, 'leases', of);
const mounts = () => mountsBelow(daemon.rootDir).map(({ line }) => line);

async function explained(text: string): Promise<void> {
  await eventually(async () => {
    const { stdout, stderr } = await daemon.ctl('explain', 'pod/web');
    return stdout.replaceAll(/\s+/g, ' ').includes(text) || `${stdout}${stderr}`;
  });
}

it('waits for a pod whose manifest comes later, and holds it through a kill of the daemon', async () => {
  const held = hold('default-web');
  daemon.apply('web.yaml', web());
  expect(await held).toMatchObject({ code: 0, stdout: `default-web held by ${unit}\n` });
  expect(mounts()).not.toEqual([]);
  const before = mounts();
  await daemon.kill('SIGKILL');
  daemon.remove('web.yaml');
  await daemon.start();
  await explained(`to be unmounted (pod no longer uses the volume) when unit "${unit}" has stopped`);
  await daemon.event('FailedStopUnit');
  expect(mounts()).toEqual(before);
  // What ExecStopPost= does when the unit has stopped; nobody tells the daemon.
  run('/usr/bin/rm', '-f', '--', lease());
  await daemon.unmounted('web');
  await daemon.gone();
  expect(mounts()).toEqual([]);
});

it('unmounts nothing that was promised when it is drained, before the lease ends', async () => {
  daemon.apply('web.yaml', web());
  daemon.apply('other.yaml', pod('other', { scratch: 'emptyDir: { medium: Memory }' }));
  await daemon.mounted('other');
  expect((await hold('default/web')).code).toBe(0);
  const drained = daemon.ctl('drain');
  await daemon.unmounted('other');
  await explained('draining');
  expect(mounts()).toHaveLength(2);
  expect((await hold('default/web', '0')).stderr).toContain('the daemon is draining');
  rmSync(lease());
  expect(await drained).toMatchObject({ code: 0 });
  expect(mounts()).toEqual([]);
});

it('gives no lease on less than everything, on two pods of one name, or to what is no unit', async () => {
  daemon.apply('web.yaml', pod('web', { data: 'persistentVolumeClaim: { claimName: nowhere }' }));
  await daemon.condition('web', /nowhere/);
  const pending = await hold('default-web', '0');
  expect(pending.code).toBe(1);
  expect(pending.stderr).toContain('claim "nowhere" not found');
  const [first, second] = [pod('b-c', {}), pod('c', {})];
  daemon.apply('first.yaml', first.replace('name: b-c', 'name: b-c, namespace: a'));
  daemon.apply('second.yaml', second.replace('name: c', 'name: c, namespace: a-b'));
  await eventually(async () => (await daemon.ctl('get', 'pods', '-A')).stdout.split('\n').length === 5);
  const either = await hold('a-b-c');
  expect(either.code).toBe(1);
  expect(either.stderr).toContain('it may be "a/b-c" (a-b\\x2dc) or "a-b/c" (a\\x2db-c)');
  expect((await hold('a-b\\x2dc')).code).toBe(0);
  expect((await daemon.ctl('hold', 'a/b-c', '--unit', '../x.service')).stderr).toContain('is not the name of a unit');
  expect(existsSync(join(daemon.runDir, 'x.service'))).toBe(false);
});

it('holds pods of a StatefulSet by set and ordinal, before they are made, and keeps one that is scaled away', async () => {
  const set = (replicas: number) => documents(storageClass('fast'), statefulSet('web', replicas));
  const [first, second] = ['moored-pod@default-web-0.service', 'moored-pod@default-web-1.service'] as const;
  const held = [hold('default-web-0', '30s', first), hold('default-web\\x2d1', '30s', second)];
  daemon.apply('web.yaml', set(2));
  for (const each of await Promise.all(held)) expect(each).toMatchObject({ code: 0, stderr: '' });
  expect(await daemon.ctl('wait', 'pod/web-1', '--timeout', '0s')).toMatchObject({ code: 0 });
  const before = mounts();
  daemon.apply('web.yaml', set(1));
  await daemon.event('FailedStopUnit');
  await daemon.restart('SIGKILL');
  await daemon.mounted('web-0');
  expect(mounts()).toEqual(before);
  rmSync(lease(second));
  await eventually(async () => (await daemon.ctl('get', 'pods', 'web-1')).code !== 0 || 'pod web-1 is there');
  await daemon.mounted('web-0');
  expect(mounts()).toHaveLength(before.length / 2);
  expect(existsSync(lease(first))).toBe(true);
});
