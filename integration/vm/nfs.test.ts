/** NFS volumes on a real server: versions 3 and 4.2, IPv4 and IPv6, inline and bound. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { DaemonProcess } from '../support/daemon-process.ts';
import { DaemonView } from '../support/daemon-view.ts';
import { eventually } from '../support/eventually.ts';
import { mountsAt, mountsBelow, run } from '../support/kernel-facts.ts';
import { claim, claimVolume, documents, pod } from '../support/manifests.ts';
import { SystemNfsServer } from '../support/nfs-server.ts';

let server: SystemNfsServer;
let daemon: DaemonProcess;
let view: DaemonView;

beforeAll(async () => {
  server = new SystemNfsServer();
  mkdirSync(join(server.exports, 'sub'));
  writeFileSync(join(server.exports, 'file'), 'on the server');
  writeFileSync(join(server.exports, 'sub/file'), 'in a directory below');
  daemon = await new DaemonProcess().start();
  view = new DaemonView(daemon);
});

afterAll(async () => {
  await daemon.dispose();
  server.dispose();
});

afterEach(async () => {
  for (const name of readdirSync(daemon.manifestDir)) daemon.remove(name);
  await view.empty();
  expect(mountsBelow(daemon.rootDir)).toEqual([]);
});

const inline = (address: string, path = server.exports, more = '') =>
  `nfs: { server: "${address}", path: ${path}${more} }`;

function share(name: string, spec: readonly string[]): string {
  const head = ['apiVersion: v1', 'kind: PersistentVolume', `metadata: { name: ${name} }`, 'spec:'];
  const lines = ['capacity: { storage: 64Mi }', 'storageClassName: ""', ...spec];
  return [...head, ...lines.map((line) => `  ${line}`)].join('\n');
}

it('mounts an export for each pod, by IPv4 and by IPv6, writable and read-only, whole and from a directory below', async () => {
  const names = { data: inline('127.0.0.1'), six: inline('::1'), sub: inline('127.0.0.1', `${server.exports}/sub`) };
  const readOnly = { data: inline('127.0.0.1', server.exports, ', readOnly: true') };
  daemon.apply('pods.yaml', documents(pod('web', names), pod('reader', readOnly)));
  await view.ready('web', 'reader');
  const [data, six, sub] = await Promise.all(['data', 'six', 'sub'].map((name) => view.path('web', name)));
  const reader = await view.path('reader', 'data');
  for (const path of [data, six, sub, reader].map(String)) {
    expect(mountsAt(path)).toMatchObject([{ fsType: 'nfs4' }]);
    expect(mountsAt(path)[0]?.options).toEqual(expect.arrayContaining(['nosuid', 'nodev']));
  }
  expect(mountsAt(reader)[0]?.options).toContain('ro');
  expect(readFileSync(`${data}/file`, 'utf8')).toBe('on the server');
  expect(readFileSync(`${six}/file`, 'utf8')).toBe('on the server');
  expect(readFileSync(`${sub}/file`, 'utf8')).toBe('in a directory below');
  writeFileSync(`${data}/new`, 'from web');
  expect(readFileSync(`${reader}/new`, 'utf8')).toBe('from web');
  expect(() => writeFileSync(`${reader}/new`, 'x')).toThrow(/EROFS/);
  daemon.apply('pods.yaml', documents(pod('reader', readOnly)));
  await view.gone('web');
  expect(mountsAt(String(data))).toEqual([]);
  expect(readFileSync(`${reader}/new`, 'utf8')).toBe('from web');
  expect(readFileSync(join(server.exports, 'new'), 'utf8')).toBe('from web');
});

it('mounts a PersistentVolume with its options, as version 3', async () => {
  const options = 'mountOptions: [vers=3, nolock, soft, timeo=50, retrans=3, rsize=65536, noexec]';
  const spec = [`nfs: { server: localhost, path: ${server.exports} }`, 'accessModes: [ReadWriteMany]', options];
  const bound = claim('data', { storageClass: '', accessMode: 'ReadWriteMany' });
  const uses = { data: claimVolume('data') };
  daemon.apply('web.yaml', documents(share('files', spec), bound, pod('web', uses), pod('api', uses)));
  await view.ready('web', 'api');
  const path = await view.path('web', 'data');
  const [mount] = mountsAt(path);
  expect(mount).toMatchObject({ fsType: 'nfs', source: `localhost:${server.exports}` });
  expect(mount?.options).toEqual(expect.arrayContaining(['rw', 'noexec', 'nosuid', 'nodev']));
  for (const word of ['vers=3', 'nolock', 'soft', 'timeo=50', 'retrans=3', 'rsize=65536']) {
    expect(mount?.line.split(/[ ,]/)).toContain(word);
  }
  writeFileSync(`${path}/three`, 'version 3');
  expect(readFileSync(`${await view.path('api', 'data')}/three`, 'utf8')).toBe('version 3');
});

it('says what the server or the allow-list refuses', async () => {
  const spec = [`nfs: { server: 127.0.0.1, path: ${server.exports} }`, 'accessModes: [ReadWriteMany]'];
  const bound = claim('data', { storageClass: '', accessMode: 'ReadWriteMany' });
  daemon.apply('lost.yaml', pod('lost', { data: inline('127.0.0.1', `${server.exports}/nowhere`) }));
  await view.state('lost', 'Failed', /No such file or directory/);
  daemon.apply(
    'sly.yaml',
    documents(share('files', [...spec, 'mountOptions: [suid]']), bound, pod('sly', { data: claimVolume('data') })),
  );
  await view.state('sly', 'Pending', /Cannot use NFS mount option "suid": want hard, soft/);
  expect(mountsBelow(daemon.rootDir)).toEqual([]);
});

it('keeps its mounts over a kill of the daemon, and mends what others do to them', async () => {
  daemon.apply('web.yaml', pod('web', { data: inline('127.0.0.1') }));
  await view.ready('web');
  const path = await view.path('web', 'data');
  const before = mountsAt(path);
  const open = execFileSync('stat', ['-c', '%d', `${path}/file`], { encoding: 'utf8' });
  await daemon.restart('SIGKILL');
  await view.ready('web');
  expect(mountsAt(path)).toEqual(before);
  expect(execFileSync('stat', ['-c', '%d', `${path}/file`], { encoding: 'utf8' })).toBe(open);
  run('mount', '-o', 'remount,bind,ro,suid', path);
  await eventually(() => mountsAt(path)[0]?.options.includes('rw') === true || 'read-only');
  expect(mountsAt(path)[0]?.options).toEqual(expect.arrayContaining(['nosuid', 'nodev']));
  run('umount', '-i', path);
  await eventually(() => mountsAt(path).length === 1 || 'unmounted');
  await view.ready('web');
  expect(readFileSync(`${path}/file`, 'utf8')).toBe('on the server');
});

it('mounts again what its server no longer knows', async () => {
  const directory = join(server.exports, 'fleeting');
  mkdirSync(directory);
  writeFileSync(join(directory, 'file'), 'old');
  daemon.apply('web.yaml', pod('web', { data: inline('127.0.0.1', directory) }));
  await view.ready('web');
  const path = await view.path('web', 'data');
  rmSync(directory, { recursive: true });
  mkdirSync(directory);
  writeFileSync(join(directory, 'file'), 'new');
  expect(await view.event('StaleFileHandle')).toContain('"127.0.0.1" no longer knows');
  await view.ready('web');
  expect(readFileSync(`${path}/file`, 'utf8')).toBe('new');
});
