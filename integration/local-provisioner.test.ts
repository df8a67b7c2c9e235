/** Directories that a class of local.moored.dev makes, on the real kernel, with data in them. */
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PersistentVolumeView, TrashView } from '../daemon/control/protocol.ts';
import { DaemonProcess } from './support/daemon-process.ts';
import { eventually } from './support/eventually.ts';
import { mountsAt } from './support/kernel-facts.ts';
import { claim, claimVolume, documents, pod } from './support/manifests.ts';

let daemon: DaemonProcess;
let base: string;
const data = randomBytes(300_000);
const sumOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

beforeEach(async () => {
  daemon = await new DaemonProcess().start();
  base = join(daemon.base, 'srv');
  mkdirSync(base, { mode: 0o755 });
});

afterEach(async () => {
  await daemon.dispose();
});

const directories = (lines: readonly string[] = []): string =>
  ['apiVersion: storage.k8s.io/v1', 'kind: StorageClass', 'metadata: { name: fast }', 'provisioner: local.moored.dev']
    .concat(`parameters: { directory: ${base} }`, lines)
    .join('\n');
const deleting = ['reclaimPolicy: Delete'];

const app = (lines: readonly string[] = []): string =>
  documents(directories(lines), claim('data'), pod('web', { data: claimVolume('data') }));

async function volume(): Promise<PersistentVolumeView> {
  const [first] = (await daemon.json<{ items: readonly PersistentVolumeView[] }>('pv')).items;
  if (first === undefined) throw new Error('there is no volume');
  return first;
}

async function mountWithData(lines: readonly string[] = []): Promise<string> {
  daemon.apply('web.yaml', app(lines));
  await daemon.mounted('web');
  mkdirSync(join(await daemon.path('web', 'data'), 'deep'));
  writeFileSync(join(await daemon.path('web', 'data'), 'deep/data.bin'), data);
  return (await volume()).spec.local?.path ?? '';
}

async function expectData(): Promise<void> {
  expect(sumOf(readFileSync(join(await daemon.path('web', 'data'), 'deep/data.bin')))).toBe(sumOf(data));
}

async function trashed(): Promise<TrashView> {
  let found: TrashView | undefined;
  await eventually(async () => {
    [found] = (await daemon.json<{ trash: readonly TrashView[] }>('trash')).trash;
    return found !== undefined || 'the trash is empty';
  });
  if (found === undefined) throw new Error('the trash is empty');
  return found;
}

function forgetState(): void {
  for (const entry of readdirSync(daemon.stateDir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) unlinkSync(join(entry.parentPath, entry.name));
  }
}

async function phase(wanted: string): Promise<void> {
  await eventually(async () => {
    const { items } = await daemon.json<{ items: readonly PersistentVolumeView[] }>('pv');
    return items[0]?.status?.phase === wanted || JSON.stringify(items[0]?.status ?? 'none');
  });
}

describe('a claim of a class of local.moored.dev', () => {
  it('is a directory with its identity beside it, bound into the pod, and says that nothing limits it', async () => {
    const path = await mountWithData();
    expect(path).toMatch(new RegExp(`^${base}/default/data-[0-9a-f-]{36}$`));
    expect(statSync(path).mode & 0o7777).toBe(0o755);
    expect(statSync(dirname(path)).mode & 0o7777).toBe(0o700);
    expect(JSON.parse(readFileSync(`${path}.json`, 'utf8'))).toMatchObject({ content: 'directory' });
    expect(sumOf(readFileSync(join(path, 'deep/data.bin')))).toBe(sumOf(data));
    expect((await volume()).metadata.annotations?.['moored.dev/capacity']).toBe('not-enforced');
    const events = await daemon.events();
    expect(events.find(({ reason }) => reason === 'ProvisioningSucceeded')?.message).toContain('nothing limits it');
    const { stdout } = await daemon.ctl('orphans');
    expect(stdout).not.toContain(base);
    daemon.remove('web.yaml');
    await daemon.unmounted('web');
    await phase('Released');
    expect(sumOf(readFileSync(join(path, 'deep/data.bin')))).toBe(sumOf(data));
  });

  it('with policy Delete goes to the trash once nobody uses it, and comes back with its data', async () => {
    const path = await mountWithData(deleting);
    daemon.apply('web.yaml', directories(deleting));
    const entry = await trashed();
    await daemon.unmounted('web');
    expect(existsSync(path)).toBe(false);
    expect(sumOf(readFileSync(join(entry.path, 'deep/data.bin')))).toBe(sumOf(data));
    const { code, stderr } = await daemon.ctl('undelete', entry.path);
    expect([code, stderr]).toEqual([0, '']);
    expect(existsSync(`${path}.json`)).toBe(true);
    daemon.apply('web.yaml', app(deleting));
    await daemon.mounted('web');
    await expectData();
    expect((await volume()).spec.local?.path).toBe(path);
  });

  it('is found again when the state is lost, and no other takes its place meanwhile', async () => {
    const path = await mountWithData();
    daemon.remove('web.yaml');
    await daemon.unmounted('web');
    await daemon.kill('SIGTERM');
    forgetState();
    await daemon.start();
    daemon.apply('web.yaml', app());
    await eventually(async () => {
      const events = await daemon.events();
      const found = events.some((event) => event.message.includes(`no volume knows the data in "${path}"`));
      return found || JSON.stringify(events.map(({ message }) => message));
    });
    const { code, stderr } = await daemon.ctl('recover', '--from-data', '--yes');
    expect([code, stderr]).toEqual([0, '']);
    await daemon.mounted('web');
    await expectData();
    expect((await volume()).metadata.annotations?.['moored.dev/capacity']).toBe('not-enforced');
  });

  it('is never emptied by gc: only an empty directory leaves the trash', async () => {
    await mountWithData(deleting);
    daemon.apply('web.yaml', directories(deleting));
    const { path } = await trashed();
    await daemon.unmounted('web');
    const kept = await daemon.ctl('gc', path, '--yes', '--older-than', '0s');
    expect(kept.stdout + kept.stderr).toMatch(/not empty/i);
    expect(sumOf(readFileSync(join(path, 'deep/data.bin')))).toBe(sumOf(data));
    unlinkSync(join(path, 'deep/data.bin'));
    rmdirSync(join(path, 'deep'));
    expect(await daemon.ctl('gc', path, '--yes', '--older-than', '0s')).toMatchObject({ code: 0 });
    expect([existsSync(path), existsSync(`${path}.json`)]).toEqual([false, false]);
  });

  it('is an orphan when its objects are gone, put into the trash when somebody says so, and neither grows nor is copied', async () => {
    daemon.apply('web.yaml', app(['allowVolumeExpansion: true']));
    await daemon.mounted('web');
    const path = (await volume()).spec.local?.path ?? '';
    const source = '\n  dataSource: { kind: PersistentVolumeClaim, name: data }';
    daemon.apply('copy.yaml', claim('copy').concat(source));
    await daemon.event('ProvisioningFailed');
    expect(readdirSync(dirname(path)).filter((name) => name.startsWith('copy'))).toEqual([]);
    daemon.remove('copy.yaml');
    const larger = documents(directories(['allowVolumeExpansion: true']), claim('data', { size: '128Mi' }));
    daemon.apply('web.yaml', larger);
    await daemon.unmounted('web');
    expect((await volume()).spec.capacity.storage).toBe('64Mi');
    daemon.apply('web.yaml', directories());
    await phase('Released');
    await daemon.kill('SIGTERM');
    forgetState();
    await daemon.start();
    await eventually(async () => (await daemon.ctl('gc', path, '--yes')).code === 0 || 'it is kept');
    expect((await trashed()).path).toMatch(new RegExp(`^${dirname(path)}/[.]trash/data-`));
  });

  it('asks for a directory that is there, and makes none', async () => {
    const missing = directories().replace(base, `${base}/none`);
    daemon.apply('web.yaml', documents(missing, claim('data')));
    await daemon.event('ProvisioningFailed');
    expect(existsSync(`${base}/none`)).toBe(false);
    mkdirSync(`${base}/none`, { mode: 0o755 });
    await phase('Bound');
    const { spec } = await volume();
    expect(mountsAt(spec.local?.path ?? '')).toEqual([]);
  });
});
