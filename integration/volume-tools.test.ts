/** Undelete, release, adopt, export, recover and the emptying of the trash, on real images with data in them. */
import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { ClaimView, PersistentVolumeView, TrashView } from '../daemon/control/protocol.ts';
import { DaemonProcess } from './support/daemon-process.ts';
import { eventually } from './support/eventually.ts';
import { claim, claimVolume, documents, pod, storageClass, web } from './support/manifests.ts';

let daemon: DaemonProcess;
const data = randomBytes(500_000);
const sum = createHash('sha256').update(data).digest('hex');

beforeEach(async () => {
  daemon = await new DaemonProcess().start();
});

afterEach(async () => {
  await daemon.dispose();
});

const deleting = (claimName = 'data') =>
  documents(
    storageClass('fast', ['reclaimPolicy: Delete']),
    claim(claimName),
    pod('web', { data: claimVolume(claimName) }),
  );

async function writeData(): Promise<void> {
  writeFileSync(join(await daemon.path('web', 'data'), 'data.bin'), data);
}

async function expectData(podName = 'web'): Promise<void> {
  const read = readFileSync(join(await daemon.path(podName, 'data'), 'data.bin'));
  expect(createHash('sha256').update(read).digest('hex')).toBe(sum);
}

async function volumes(): Promise<readonly PersistentVolumeView[]> {
  return (await daemon.json<{ items: readonly PersistentVolumeView[] }>('pv')).items;
}

async function trash(): Promise<readonly TrashView[]> {
  return (await daemon.json<{ trash: readonly TrashView[] }>('trash')).trash;
}

async function inTrash(): Promise<TrashView> {
  let found: TrashView | undefined;
  await eventually(async () => {
    [found] = await trash();
    return found !== undefined || 'the trash is empty';
  });
  if (found === undefined) throw new Error('the trash is empty');
  return found;
}

async function phase(name: string, wanted: string): Promise<void> {
  await eventually(async () => {
    const volume = (await volumes()).find(({ metadata }) => metadata.name === name);
    return volume?.status?.phase === wanted || JSON.stringify(volume?.status ?? 'no volume');
  });
}

async function ok(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.ctl(...args);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

/** A pod and its data, and then nothing of them: the claim is deleted. */
async function writtenAndRemoved(manifest: string): Promise<void> {
  daemon.apply('web.yaml', manifest);
  await daemon.mounted('web');
  await writeData();
  daemon.remove('web.yaml');
  await daemon.unmounted('web');
  await daemon.gone();
}

describe('undelete', () => {
  it('brings image and volume back, and a claim of that name finds its data', async () => {
    await writtenAndRemoved(deleting());
    const { name, owner, size, path } = await inTrash();
    expect({ owner, size }).toEqual({ owner: 'claim default/data', size: '64Mi' });
    await eventually(async () => (await volumes()).length === 0 || 'the volume is still there');
    expect(await ok('get', 'trash')).toMatch(
      /NAME +OWNER +SIZE +DELETED +KEPT UNTIL\npvc-\S+ +claim default\/data +64Mi/,
    );
    await ok('undelete', name);
    expect(existsSync(path)).toBe(false);
    expect(await trash()).toEqual([]);
    const [volume] = await volumes();
    expect(volume).toMatchObject({
      metadata: { name },
      spec: { persistentVolumeReclaimPolicy: 'Retain', claimRef: { name: 'data' }, capacity: { storage: '64Mi' } },
      status: { phase: 'Released' },
    });
    daemon.apply('web.yaml', deleting());
    await daemon.mounted('web');
    await expectData();
  });

  it('replaces nothing, and says what is in the way', async () => {
    await writtenAndRemoved(deleting());
    const { name, path } = await inTrash();
    const place = join(dirname(dirname(path)), path.slice(path.lastIndexOf('/') + 1).replace(/\.\d{8}T.*$/, ''));
    writeFileSync(place, 'somebody else');
    const refused = await daemon.ctl('undelete', name);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain(`a file is at "${place}"`);
    expect(readFileSync(place, 'utf8')).toBe('somebody else');
    expect(existsSync(path)).toBe(true);
    expect(await volumes()).toEqual([]);
    expect(await daemon.ctl('undelete', 'pvc-unknown')).toMatchObject({ code: 3 });
  });
});

describe('release and adopt', () => {
  it('release makes a released volume available, and refuses one that is in use', async () => {
    daemon.apply('web.yaml', web());
    await daemon.mounted('web');
    await writeData();
    const [bound] = await volumes();
    const name = bound?.metadata.name ?? '';
    const refused = await daemon.ctl('release', `pv/${name}`);
    expect(refused.stderr).toContain('it is Bound, wanted Released');
    daemon.remove('web.yaml');
    await daemon.unmounted('web');
    await phase(name, 'Released');
    await ok('release', `pv/${name}`);
    await phase(name, 'Available');
    daemon.apply('other.yaml', web('web', 'other'));
    await daemon.mounted('web');
    await expectData();
  });

  it('adopt gives a retained volume to a claim of another name', async () => {
    await writtenAndRemoved(web());
    const name = (await volumes())[0]?.metadata.name ?? '';
    await phase(name, 'Released');
    await ok('adopt', `pv/${name}`, '--claim', 'heir');
    daemon.apply('heir.yaml', web('web', 'heir'));
    await daemon.mounted('web');
    await expectData();
    expect((await volumes()).map(({ spec }) => spec.claimRef?.name)).toEqual(['heir']);
  });

  it('adopt makes a volume of an image file, never formats it, and never deletes it', async () => {
    await writtenAndRemoved(web());
    const images = join(daemon.rootDir, 'images', 'default');
    const [image = ''] = readdirSync(images).filter((file) => file.endsWith('.img'));
    const mine = join(daemon.base, 'mine.img');
    copyFileSync(join(images, image), mine);
    daemon.apply(
      'heir.yaml',
      documents(storageClass('none', ['volumeBindingMode: WaitForFirstConsumer']), claim('heir')),
    );
    await ok('adopt', mine, '--claim', 'heir');
    daemon.apply('web.yaml', documents(storageClass('fast'), pod('web', { data: claimVolume('heir') })));
    await daemon.mounted('web');
    await expectData();
    const refused = await daemon.ctl('adopt', mine, '--claim', 'third');
    expect(refused.stderr).toMatch(/it is volume "adopted-/);
    expect((await daemon.ctl('adopt', '/nowhere.img', '--claim', 'third')).code).toBe(3);
  });
});

describe('recover', () => {
  it('finds the volumes again when the state is lost, and no claim gets an empty one meanwhile', async () => {
    await writtenAndRemoved(web());
    await daemon.kill('SIGTERM');
    renameSync(daemon.stateDir, `${daemon.stateDir}.lost`);
    daemon.apply('web.yaml', web());
    await daemon.start();
    await eventually(async () => {
      const { stdout } = await daemon.ctl('explain', 'pvc/data');
      return stdout.includes('no volume knows the data in') || stdout;
    });
    expect(await volumes()).toEqual([]);
    expect(await ok('recover', '--from-data')).toMatch(
      /planned +\S+\.img +volume pvc-\S+; claim default\/data finds it/,
    );
    expect(await volumes()).toEqual([]);
    await ok('recover', '--from-data', '--yes');
    await daemon.mounted('web');
    await expectData();
    expect((await volumes()).length).toBe(1);
  });

  it('takes no image on a guess: a copy, another sidecar, a shorter file', async () => {
    await writtenAndRemoved(web());
    await daemon.kill('SIGTERM');
    renameSync(daemon.stateDir, `${daemon.stateDir}.lost`);
    const images = join(daemon.rootDir, 'images', 'default');
    const [image = ''] = readdirSync(images).filter((file) => file.endsWith('.img'));
    const place = (namespace: string) => {
      mkdirSync(join(daemon.rootDir, 'images', namespace), { recursive: true });
      return join(daemon.rootDir, 'images', namespace, 'x.img');
    };
    const text = readFileSync(join(images, `${image}.json`), 'utf8');
    copyFileSync(join(images, image), place('copy'));
    writeFileSync(`${place('copy')}.json`, text);
    writeFileSync(place('short'), 'x');
    writeFileSync(`${place('short')}.json`, text.replaceAll(/pvc-[0-9a-f]/g, 'pvc-9'));
    writeFileSync(place('other'), Buffer.alloc(64 * 2 ** 20));
    writeFileSync(`${place('other')}.json`, text.replace(/"volumeHandle": "pvc-[^"]*"/, '"volumeHandle": "pvc-other"'));
    writeFileSync(place('alien'), 'x');
    await daemon.start();
    const said = await ok('recover', '--from-data', '--yes');
    expect(said).not.toMatch(/^done/m);
    expect(said).toContain('another image says too');
    expect(said).toContain('something is missing');
    expect(said).toContain('is another one');
    expect(said).toContain('moored did not make it');
    expect(await volumes()).toEqual([]);
  });
});

describe('export', () => {
  it('prints what a cluster takes: no uid, no status, no binding of ours', async () => {
    daemon.apply('web.yaml', web());
    await daemon.mounted('web');
    const exported = (await ok('export')).split('\n---\n').map((text) => parse(text) as Record<string, unknown>);
    expect(exported.map(({ kind }) => kind)).toEqual(['StorageClass', 'PersistentVolumeClaim', 'Pod']);
    expect(exported[1]).toEqual({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace: 'default' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'fast',
        resources: { requests: { storage: '64Mi' } },
        volumeMode: 'Filesystem',
      },
    });
    const [volume] = await volumes();
    const all = await ok('export', 'pv,pvc', '--with-volumes');
    expect(all).toContain(`volumeName: ${volume?.metadata.name}`);
    expect(all).toMatch(/claimRef:\n {4}namespace: default\n {4}name: data\n/);
    expect(all).not.toContain('uid:');
    // What it prints is a manifest that is taken back.
    daemon.apply('web.yaml', await ok('export'));
    await daemon.mounted('web');
    const { manifests } = await daemon.json<{ manifests: readonly { state: string }[] }>('manifests');
    expect(manifests.map(({ state }) => state)).toEqual(['good']);
  });
});

describe('the trash', () => {
  it('is emptied after trash.grace of what moored deleted, and of nothing else', async () => {
    await writtenAndRemoved(deleting());
    const { path } = await inTrash();
    const copy = path.replace(/[^/]*$/, 'x-copy.img.20200101T000000.000Z');
    copyFileSync(path, copy);
    copyFileSync(`${path}.json`, `${copy}.json`);
    await daemon.kill('SIGTERM');
    const config = join(daemon.base, 'moored.yaml');
    writeFileSync(config, 'trash: { grace: 0m }\n');
    daemon.configFile = config;
    await daemon.start();
    await eventually(() => !existsSync(path) || 'it is still in the trash');
    expect(existsSync(`${path}.json`)).toBe(false);
    expect(existsSync(copy)).toBe(true);
  });

  it('is never emptied by itself without that setting', async () => {
    await writtenAndRemoved(deleting());
    const { path, keptUntil } = await inTrash();
    await daemon.restart('SIGTERM');
    expect(keptUntil).toBe('');
    expect(existsSync(path)).toBe(true);
  });

  it('shows a claim that is bound anew beside it', async () => {
    await writtenAndRemoved(deleting());
    await inTrash();
    daemon.apply('web.yaml', deleting());
    await daemon.mounted('web');
    const claims = await daemon.json<{ items: readonly ClaimView[] }>('pvc');
    expect(claims.items.map(({ status }) => status?.phase)).toEqual(['Bound']);
    expect((await trash()).length).toBe(1);
  });
});
