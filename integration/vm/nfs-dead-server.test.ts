/** A server that stops answering hurts its own volumes alone, and recovers by itself. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { DaemonProcess } from '../support/daemon-process.ts';
import { DaemonView } from '../support/daemon-view.ts';
import { eventually } from '../support/eventually.ts';
import { mountsAt, mountsBelow } from '../support/kernel-facts.ts';
import { claim, claimVolume, documents, pod, storageClass } from '../support/manifests.ts';
import { NfsServer } from '../support/nfs-server.ts';

let server: NfsServer;
let daemon: DaemonProcess;
let view: DaemonView;

beforeAll(async () => {
  server = new NfsServer();
  daemon = await new DaemonProcess().start();
  view = new DaemonView(daemon);
});

afterAll(async () => {
  await daemon.dispose();
  server.dispose();
});

beforeEach(() => {
  for (const name of ['a', 'b']) mkdirSync(join(server.exports, name), { recursive: true });
  writeFileSync(join(server.exports, 'a/file'), 'kept');
});

afterEach(async () => {
  server.plugIn();
  for (const name of readdirSync(daemon.manifestDir)) daemon.remove(name);
  await view.empty();
  expect(mountsBelow(daemon.rootDir)).toEqual([]);
});

/** With a short timeo the kernel tries again soon when the server is back; it is hard all the same. */
function share(name: string, directory: string): string {
  return documents(
    ['apiVersion: v1', 'kind: PersistentVolume', `metadata: { name: ${name} }`, 'spec:']
      .concat('  capacity: { storage: 64Mi }', '  accessModes: [ReadWriteMany]', '  storageClassName: ""')
      .concat(`  claimRef: { namespace: default, name: ${name} }`, '  mountOptions: [hard, timeo=10, retrans=1]')
      .concat(`  nfs: { server: ${server.address}, path: ${join(server.exports, directory)} }`)
      .join('\n'),
    claim(name, { storageClass: '', accessMode: 'ReadWriteMany', volumeName: name }),
  );
}

const uses = (podName: string, claimName: string): string => pod(podName, { data: claimVolume(claimName) });

/** Milliseconds of an answer of the daemon: the median of some. */
async function answerMs(): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < 15; count++) {
    const start = performance.now();
    await view.client.get('pods');
    times.push(performance.now() - start);
  }
  return times.toSorted((a, b) => a - b)[7] ?? 0;
}

/** Milliseconds until a new pod with a memory volume is mounted. */
async function mountMs(name: string): Promise<number> {
  const start = performance.now();
  daemon.apply(`${name}.yaml`, pod(name, { data: 'emptyDir: { medium: Memory }' }));
  await view.ready(name);
  return performance.now() - start;
}

/** "D" for a process that waits in the kernel and hears no signal. */
function stateOf(pid: number | undefined): string {
  return /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';
}

it('stalls its own volumes by name; everybody else goes on, over a kill of the daemon too; and it recovers', async () => {
  const loop = documents(storageClass('fast'), claim('local'), pod('local', { data: claimVolume('local') }));
  daemon.apply('web.yaml', documents(share('files', 'a'), uses('web', 'files')));
  daemon.apply('local.yaml', loop);
  await view.ready('web', 'local');
  // The first answers of a process are its slowest.
  await answerMs();
  const [path, local] = [await view.path('web'), await view.path('local')];
  const before = { answer: await answerMs(), mount: await mountMs('early') };

  server.pullCable();
  const message = await view.state('web', 'Stalled');
  expect(message).toMatch(`NFS server "${server.address}" does not answer since `);
  expect(await view.event('ServerStalled')).toContain(`"${server.address}"`);
  const { volumes } = await view.client.get('volumes');
  expect(volumes.filter(({ state }) => state === 'Stalled').map(({ pods }) => pods)).toEqual([['default/web']]);
  const during = { answer: await answerMs(), mount: await mountMs('late') };
  // biome-ignore lint/suspicious/noConsole: a figure for people
  console.log('milliseconds, with the server and without:', JSON.stringify({ before, during }));
  // The margin is for the machine: a daemon that waits for the server answers not at all.
  expect(during.answer).toBeLessThan(before.answer * 10);
  writeFileSync(join(local, 'file'), 'goes on');

  await daemon.restart('SIGKILL');
  expect((await view.client.version()).ready).toBe(true);
  expect(mountsAt(path)).toHaveLength(1);
  await view.ready('local', 'early', 'late');
  await view.state('web', 'Stalled');
  const { stdout } = await daemon.ctl('explain', 'pod/web');
  expect(stdout).toContain(`NFS server "${server.address}" does not answer since `);

  server.plugIn();
  expect(await view.event('ServerAnswers')).toContain(`"${server.address}"`);
  await view.ready('web');
  expect(readFileSync(join(path, 'file'), 'utf8')).toBe('kept');
  writeFileSync(join(path, 'after'), 'written');
  expect(readFileSync(join(server.exports, 'a/after'), 'utf8')).toBe('written');
});

it('lets go of a pod that has ended: at once when it is idle, by force and said so when its users hang', async () => {
  daemon.apply('idle.yaml', documents(share('files', 'a'), uses('idle', 'files')));
  daemon.apply('busy.yaml', documents(share('others', 'b'), uses('busy', 'others')));
  await view.ready('idle', 'busy');
  const busy = await view.path('busy');
  server.pullCable();
  await view.state('busy', 'Stalled');
  const writer = spawn('dd', ['if=/dev/zero', `of=${busy}/new`, 'count=1'], { stdio: 'ignore' });
  const ended = once(writer, 'exit');
  await eventually(() => stateOf(writer.pid) === 'D' || 'it does not wait for the server');
  daemon.remove('idle.yaml');
  await view.gone('idle');
  expect(await view.events('ForcedUnmount')).toEqual([]);
  daemon.remove('busy.yaml');
  expect(await view.event('ForcedUnmount')).toContain('writes that it had not confirmed are lost');
  await view.gone('busy');
  expect(mountsAt(busy)).toEqual([]);
  expect((await ended)[0]).not.toBe(0);
});

it('is waited for by pods that start while it is down, silent or refusing, and they are mounted when it is back', async () => {
  server.pullCable();
  daemon.apply('web.yaml', documents(share('files', 'a'), uses('web', 'files')));
  await eventually(async () => {
    const { operations } = await view.client.get('operations');
    return operations.some(({ kind, state }) => kind === 'mountVolume' && state === 'running') || 'no mount is tried';
  });
  await mountMs('meanwhile');
  server.plugIn();
  await view.ready('web');
  daemon.remove('web.yaml');
  await view.gone('web');

  server.refuse();
  daemon.apply('api.yaml', documents(share('others', 'b'), uses('api', 'others')));
  expect(await view.state('api', 'Stalled')).toMatch(/mount\.nfs: .*(refused|timed out)/);
  writeFileSync(join(server.exports, 'b/file'), 'written meanwhile');
  server.serve();
  await view.ready('api');
  expect(readFileSync(join(await view.path('api'), 'file'), 'utf8')).toBe('written meanwhile');
});
