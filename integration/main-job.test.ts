/** The main job on real loop devices: YAML in, verified mount out; YAML gone, everything undone and the data kept. */
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClaimView, PersistentVolumeView } from '../daemon/control/protocol.ts';
import { DaemonProcess } from './support/daemon-process.ts';
import { loopsOn, mountsAt, mountsBelow } from './support/kernel-facts.ts';
import { claim, claimVolume, documents, pod, storageClass, web } from './support/manifests.ts';

let daemon: DaemonProcess;

beforeEach(async () => {
  daemon = await new DaemonProcess().start();
});

afterEach(async () => {
  await daemon.dispose();
});

describe('a class, a claim and a pod', () => {
  it('become an image, a loop device, one global mount and a bind, as findmnt sees them', async () => {
    daemon.apply('web.yaml', web());
    await daemon.mounted('web');
    const [volume] = await daemon.asw();
    const image = onlyImage();
    expect(statSync(image).size).toBe(64 * 2 ** 20);
    expect(statSync(image).blocks * 512).toBeLessThan(16 * 2 ** 20);
    expect(loopsOn(image)).toEqual([volume?.devicePath]);
    const [global] = mountsAt(volume?.globalMountPath ?? '');
    const [bind] = mountsAt(volume?.pods[0]?.targetPath ?? '');
    expect(global).toMatchObject({ fsType: 'ext4', source: volume?.devicePath, root: '/' });
    expect(bind).toMatchObject({ fsType: 'ext4', device: global?.device, root: '/' });
    for (const mount of [global, bind])
      expect(mount?.options).toEqual(expect.arrayContaining(['rw', 'nosuid', 'nodev']));
    expect(volume).toMatchObject({ plugin: 'loop.moored.dev', deviceMountState: 'DeviceGloballyMounted' });
    expect(volume?.pods).toMatchObject([
      { namespace: 'default', name: 'web', mountState: 'VolumeMounted', readOnly: false },
    ]);
    expect(await daemon.path('web', 'data')).toBe(bind?.target);
  });

  it('show as Ready, Bound and Mounted', async () => {
    daemon.apply('web.yaml', web());
    await daemon.mounted('web');
    const claims = await daemon.json<{ items: readonly ClaimView[] }>('pvc');
    expect(claims.items[0]?.status).toMatchObject({ phase: 'Bound', capacity: { storage: '64Mi' } });
    const volumes = await daemon.json<{ items: readonly PersistentVolumeView[] }>('pv');
    expect(volumes.items[0]?.metadata.name).toBe(`pvc-${claims.items[0]?.metadata.uid}`);
    expect(volumes.items[0]).toMatchObject({
      status: { phase: 'Bound' },
      spec: { persistentVolumeReclaimPolicy: 'Retain' },
    });
    const web1 = await daemon.pod('web');
    expect(web1.status.phase).toBe('Ready');
    expect(web1.status.conditions).toContainEqual(expect.objectContaining({ type: 'VolumesReady', status: 'True' }));
    const { stdout } = await daemon.ctl('get', 'pods,pvc,pv,volumes');
    for (const word of ['Ready', 'Bound', 'Mounted']) expect(stdout).toContain(word);
  });

  it('have the size that was claimed: writing past it is ENOSPC', async () => {
    daemon.apply('web.yaml', web());
    await daemon.mounted('web');
    const file = openSync(join(await daemon.path('web', 'data'), 'big'), 'w');
    const mebibyte = Buffer.alloc(2 ** 20, 1);
    let written = 0;
    expect(() => {
      for (; written < 65; written++) writeSync(file, mebibyte);
    }).toThrow(/ENOSPC/);
    closeSync(file);
    expect(written).toBeGreaterThan(32);
  });

  it('are undone in order when the file goes, and the data is found again when the claim is used again', async () => {
    daemon.apply('web.yaml', web());
    await daemon.mounted('web');
    const data = randomBytes(1_000_000);
    writeFileSync(join(await daemon.path('web', 'data'), 'data.bin'), data);
    const image = onlyImage();
    daemon.remove('web.yaml');
    await daemon.unmounted('web');
    await daemon.gone();
    expect(mountsBelow(daemon.rootDir)).toEqual([]);
    expect(loopsOn(image)).toEqual([]);
    expect(readdirSync(join(daemon.rootDir, 'pods'))).toEqual([]);
    const order = daemon.log
      .split('\n')
      .flatMap((line) => /"(unmountVolume|unmountDevice|detachVolume) done"/.exec(line)?.[1] ?? []);
    expect(order).toEqual(['unmountVolume', 'unmountDevice', 'detachVolume']);

    daemon.apply('again.yaml', web('web2'));
    await daemon.mounted('web2');
    expect(sha256(readFileSync(join(await daemon.path('web2', 'data'), 'data.bin')))).toBe(sha256(data));
    expect(onlyImage()).toBe(image);
  });
});

describe('two pods on one claim', () => {
  it('share one global mount; one that goes leaves the other as it is', async () => {
    daemon.apply('class.yaml', documents(storageClass('fast'), claim('data')));
    daemon.apply('a.yaml', pod('a', { data: claimVolume('data') }));
    daemon.apply('b.yaml', pod('b', { shared: claimVolume('data', true) }));
    await Promise.all([daemon.mounted('a'), daemon.mounted('b')]);
    const [volume] = await daemon.asw();
    expect(volume?.pods).toHaveLength(2);
    expect(mountsAt(volume?.globalMountPath ?? '')).toHaveLength(1);
    const [a] = mountsAt(await daemon.path('a', 'data'));
    const readOnly = await daemon.path('b', 'shared');
    expect(mountsAt(readOnly)[0]?.options).toContain('ro');
    expect(() => writeFileSync(join(readOnly, 'x'), '')).toThrow(/EROFS/);
    writeFileSync(join(a?.target ?? '', 'x'), 'seen');
    expect(readFileSync(join(readOnly, 'x'), 'utf8')).toBe('seen');
    daemon.remove('b.yaml');
    await daemon.unmounted('b');
    expect(mountsAt(a?.target ?? '')[0]?.id).toBe(a?.id);
    expect(mountsAt(readOnly)).toEqual([]);
    expect(mountsAt(volume?.globalMountPath ?? '')).toHaveLength(1);
  });
});

describe('reclaim policy Delete', () => {
  it('puts the image into the trash once nothing uses it', async () => {
    daemon.apply('class.yaml', storageClass('fast', ['reclaimPolicy: Delete']));
    daemon.apply('web.yaml', documents(claim('data'), pod('web', { data: claimVolume('data') })));
    await daemon.mounted('web');
    const image = onlyImage();
    daemon.remove('web.yaml');
    await daemon.unmounted('web');
    await daemon.gone();
    expect(existsSync(image)).toBe(false);
    const trash = readdirSync(join(image, '../.trash'));
    expect(trash.filter((name) => !name.endsWith('.json'))).toHaveLength(1);
    expect((await daemon.json<{ items: unknown[] }>('pv')).items).toEqual([]);
  });
});

function onlyImage(): string {
  const directory = join(daemon.rootDir, 'images/default');
  const images = readdirSync(directory).filter((name) => name.endsWith('.img'));
  expect(images).toHaveLength(1);
  return join(directory, images[0] ?? '');
}

function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
