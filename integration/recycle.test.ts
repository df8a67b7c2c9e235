/** Reclaim policy Recycle on a directory of this machine: what is in it goes, and nothing that is elsewhere. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DaemonProcess } from './support/daemon-process.ts';
import { eventually } from './support/eventually.ts';
import { run } from './support/kernel-facts.ts';
import { claim, claimVolume, documents, pod } from './support/manifests.ts';

let daemon: DaemonProcess;
let directory: string;
let precious: string;

beforeEach(async () => {
  daemon = await new DaemonProcess().start();
  directory = join(daemon.base, 'disk');
  precious = join(daemon.base, 'precious');
  mkdirSync(directory);
  mkdirSync(precious);
  writeFileSync(join(precious, 'file'), 'precious');
});

afterEach(async () => {
  await daemon.dispose();
});

function recyclable(name = 'disk', path = directory): string {
  return [
    ...['apiVersion: v1', 'kind: PersistentVolume', `metadata: { name: ${name} }`, 'spec:'],
    ...['  capacity: { storage: 64Mi }', '  accessModes: [ReadWriteOnce]', '  storageClassName: ""'],
    ...['  persistentVolumeReclaimPolicy: Recycle', `  local: { path: ${path} }`],
    ...['  nodeAffinity:', '    required:', '      nodeSelectorTerms:'],
    `        - matchExpressions: [{ key: kubernetes.io/hostname, operator: In, values: [${hostname().toLowerCase()}] }]`,
  ].join('\n');
}

const use = documents(claim('data', { storageClass: '' }), pod('web', { data: claimVolume('data') }));

async function phase(name: string): Promise<string | undefined> {
  const { items } = await daemon.json<{ items: readonly { metadata: { name: string }; status?: { phase: string } }[] }>(
    'pv',
  );
  return items.find(({ metadata }) => metadata.name === name)?.status?.phase;
}

const isIn = (wanted: string) => eventually(async () => (await phase('disk')) === wanted || `${await phase('disk')}`);

async function used(): Promise<void> {
  daemon.apply('use.yaml', use);
  await daemon.mounted('web');
  const path = await daemon.path('web', 'data');
  mkdirSync(join(path, 'a/b'), { recursive: true });
  writeFileSync(join(path, 'a/b/c'), 'x');
  writeFileSync(join(path, '.hidden'), 'x');
}

it('empties the directory once nothing uses it, follows no symlink, and the volume serves the next claim', async () => {
  daemon.apply('pv.yaml', recyclable());
  await used();
  symlinkSync(precious, join(directory, 'link'));
  daemon.remove('use.yaml');
  await isIn('Available');
  expect(readdirSync(directory)).toEqual([]);
  expect(readFileSync(join(precious, 'file'), 'utf8')).toBe('precious');
  await daemon.event('VolumeRecycled');
  daemon.apply('use.yaml', use);
  await daemon.mounted('web');
  daemon.remove('use.yaml');
  await isIn('Available');
});

it('stops at a mount below it, says so, and goes on once that is gone', async () => {
  daemon.apply('pv.yaml', recyclable());
  await used();
  mkdirSync(join(directory, 'inner'));
  run('/usr/bin/mount', '--bind', precious, join(directory, 'inner'));
  daemon.remove('use.yaml');
  await isIn('Failed');
  expect(readFileSync(join(precious, 'file'), 'utf8')).toBe('precious');
  run('/usr/bin/umount', join(directory, 'inner'));
  await isIn('Available');
  expect(readdirSync(directory)).toEqual([]);
  expect(readFileSync(join(precious, 'file'), 'utf8')).toBe('precious');
});

it('touches nothing while the directory is bound elsewhere, or another volume is in it', async () => {
  const elsewhere = join(daemon.base, 'elsewhere');
  mkdirSync(elsewhere);
  daemon.apply('pv.yaml', recyclable());
  await used();
  run('/usr/bin/mount', '--bind', directory, elsewhere);
  daemon.remove('use.yaml');
  await isIn('Failed');
  expect(existsSync(join(directory, 'a/b/c'))).toBe(true);
  daemon.apply('other.yaml', recyclable('other', join(directory, 'a')));
  run('/usr/bin/umount', elsewhere);
  await eventually(async () => (await daemon.events()).some(({ message }) => message.includes('volume "other" is in')));
  expect(existsSync(join(directory, 'a/b/c'))).toBe(true);
  daemon.remove('other.yaml');
  await isIn('Available');
  expect(readdirSync(directory)).toEqual([]);
});
