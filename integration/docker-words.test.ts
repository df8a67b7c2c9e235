/** What people do with `docker run -v`, in the words of pods (X19), and a backup of a volume's directory (E10). */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DaemonProcess } from './support/daemon-process.ts';
import { run } from './support/kernel-facts.ts';
import { claim, claimVolume, documents, pod, storageClass } from './support/manifests.ts';

let daemon: DaemonProcess;

beforeEach(async () => {
  daemon = await new DaemonProcess().start();
});

afterEach(async () => {
  await daemon.dispose();
});

const sumOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** A directory of the host as a volume, and the claim that takes it. */
function hostDirectory(path: string): string {
  const here = `{ key: kubernetes.io/hostname, operator: In, values: [${hostname().toLowerCase()}] }`;
  const volume = [
    ...['apiVersion: v1', 'kind: PersistentVolume', 'metadata: { name: host }', 'spec:'],
    ...['  capacity: { storage: 64Mi }', '  accessModes: [ReadWriteOnce]', '  storageClassName: ""'],
    `  local: { path: ${path} }`,
    `  nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [${here}] }] } }`,
  ];
  return documents(volume.join('\n'), claim('host', { storageClass: '', volumeName: 'host' }));
}

it('X19: -v /c, -v /h:/c, -v name:/c, --volumes-from and --rm', async () => {
  const host = join(daemon.base, 'host');
  mkdirSync(host);
  const anonymous = { anonymous: 'emptyDir: {}' };
  const others = { host: claimVolume('host'), name: claimVolume('name') };
  daemon.apply('storage.yaml', documents(hostDirectory(host), storageClass('fast'), claim('name')));
  daemon.apply('one.yaml', pod('one', { ...anonymous, ...others }));
  daemon.apply('from.yaml', pod('from', others));
  await daemon.mounted('one');
  await daemon.mounted('from');
  const scratch = await daemon.path('one', 'anonymous');
  for (const volume of ['anonymous', 'host', 'name']) {
    writeFileSync(join(await daemon.path('one', volume), 'file'), volume);
  }
  expect(readFileSync(join(host, 'file'), 'utf8')).toBe('host');
  expect(readFileSync(join(await daemon.path('from', 'host'), 'file'), 'utf8')).toBe('host');
  expect(readFileSync(join(await daemon.path('from', 'name'), 'file'), 'utf8')).toBe('name');
  daemon.remove('one.yaml');
  daemon.remove('from.yaml');
  await daemon.unmounted('one');
  await daemon.unmounted('from');
  expect(existsSync(scratch)).toBe(false);
  expect(readFileSync(join(host, 'file'), 'utf8')).toBe('host');
  daemon.apply('again.yaml', pod('again', others));
  await daemon.mounted('again');
  expect(readFileSync(join(await daemon.path('again', 'name'), 'file'), 'utf8')).toBe('name');
});

it('E10: a tar of the directory of a volume is whole in the directory of another', async () => {
  const uses = (name: string) => documents(claim(name), pod(name, { data: claimVolume(name) }));
  daemon.apply('class.yaml', storageClass('fast'));
  daemon.apply('old.yaml', uses('old'));
  await daemon.mounted('old');
  const from = await daemon.path('old', 'data');
  mkdirSync(join(from, 'deep'));
  writeFileSync(join(from, 'deep/data.bin'), randomBytes(1_000_000));
  const sum = sumOf(join(from, 'deep/data.bin'));
  const archive = join(daemon.base, 'backup.tar');
  run('/usr/bin/tar', '--one-file-system', '-C', from, '-cf', archive, 'deep');
  daemon.apply('new.yaml', uses('new'));
  await daemon.mounted('new');
  const to = await daemon.path('new', 'data');
  run('/usr/bin/tar', '-C', to, '-xf', archive);
  expect(readdirSync(join(to, 'deep'))).toEqual(['data.bin']);
  expect(sumOf(join(to, 'deep/data.bin'))).toBe(sum);
});
