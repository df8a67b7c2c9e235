/** StatefulSets and generic ephemeral volumes on real images: order, identity, and that the data follows the name. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClaimView, PersistentVolumeView, PodView, StatefulSetView } from '../daemon/control/protocol.ts';
import { DaemonProcess } from './support/daemon-process.ts';
import { eventually } from './support/eventually.ts';
import { mountsBelow } from './support/kernel-facts.ts';
import { documents, pod, statefulSet, storageClass } from './support/manifests.ts';

let daemon: DaemonProcess;

beforeEach(async () => {
  daemon = await new DaemonProcess().start();
});

afterEach(async () => {
  await daemon.dispose();
});

function database(replicas: number, lines: readonly string[] = [], size = '32Mi'): string {
  return documents(storageClass('fast', ['allowVolumeExpansion: true']), statefulSet('db', replicas, lines, size));
}

async function ready(count: number): Promise<void> {
  await eventually(async () => {
    const { status } = await daemon.json<StatefulSetView>('sts', 'db');
    return (status.readyReplicas === count && status.replicas === count) || JSON.stringify(status);
  });
}

async function names(kind: 'pods' | 'pvc' | 'sts'): Promise<readonly string[]> {
  const { items } = await daemon.json<{ items: readonly (PodView | ClaimView)[] }>(kind);
  return items.map(({ metadata }) => metadata.name).sort();
}

async function writeTo(podName: string, text: string): Promise<void> {
  writeFileSync(join(await daemon.path(podName, 'data'), 'who'), text);
}

async function readFrom(podName: string): Promise<string> {
  return readFileSync(join(await daemon.path(podName, 'data'), 'who'), 'utf8');
}

describe('a StatefulSet', () => {
  it('mounts pod after pod, and finds the storage of each by its name when it comes back', async () => {
    daemon.apply('db.yaml', database(2));
    await ready(2);
    await daemon.honest();
    const [first, second] = [await daemon.pod('db-0'), await daemon.pod('db-1')];
    expect(second.metadata.creationTimestamp >= first.metadata.creationTimestamp).toBe(true);
    await writeTo('db-0', 'zero');
    await writeTo('db-1', 'one');
    const claims = await daemon.json<{ items: readonly ClaimView[] }>('pvc');

    daemon.remove('db.yaml');
    await eventually(async () => (await names('sts')).length === 0 || 'the set is still there');
    await daemon.gone();
    expect(await names('pods')).toEqual([]);
    expect(await daemon.json<{ items: readonly ClaimView[] }>('pvc')).toMatchObject({
      items: claims.items.map(({ metadata: { name, uid } }) => ({ metadata: { name, uid } })),
    });

    daemon.apply('db.yaml', database(2));
    await ready(2);
    expect([await readFrom('db-0'), await readFrom('db-1')]).toEqual(['zero', 'one']);
    const again = await daemon.pod('db-0');
    expect(again.metadata.uid).not.toBe(first.metadata.uid);
  });

  it('goes in reverse order: db-1 has gone before anything of db-0 is unmounted', async () => {
    daemon.apply('db.yaml', database(2));
    await ready(2);
    daemon.remove('db.yaml');
    await eventually(async () => (await names('sts')).length === 0 || 'the set is still there');
    const lines = daemon.log.split('\n').filter((line) => /"pod released"|"object deleted"/.test(line));
    const order = lines.flatMap(
      (line) => /"object":"Pod\/default\/(db-\d)"|"pod":"(db-\d)"/.exec(line)?.slice(1) ?? [],
    );
    expect(order.filter((name) => name !== undefined)).toEqual(['db-1', 'db-1', 'db-0', 'db-0']);
  });

  it('keeps its order over a killed daemon', async () => {
    daemon.apply('db.yaml', database(3));
    await daemon.restart('SIGKILL');
    await ready(3);
    expect(await names('pods')).toEqual(['db-0', 'db-1', 'db-2']);
    expect(await names('pvc')).toEqual(['data-db-0', 'data-db-1', 'data-db-2']);
    expect(daemon.errors()).toEqual([]);
  });

  it('keeps the claims when it is scaled down, and deletes them when the policy says so', async () => {
    daemon.apply('db.yaml', database(2));
    await ready(2);
    daemon.apply('db.yaml', database(1));
    await ready(1);
    expect(await names('pvc')).toEqual(['data-db-0', 'data-db-1']);
    const policy = ['persistentVolumeClaimRetentionPolicy: { whenScaled: Delete, whenDeleted: Retain }'];
    daemon.apply('db.yaml', database(2, policy));
    await ready(2);
    daemon.apply('db.yaml', database(1, policy));
    await eventually(async () => (await names('pvc')).join() === 'data-db-0' || (await names('pvc')).join());
    expect(await names('pods')).toEqual(['db-0']);
  });

  it('grows the images of bound claims with volumeClaimUpdatePolicy InPlace', async () => {
    const inPlace = ['volumeClaimUpdatePolicy: InPlace'];
    daemon.apply('db.yaml', database(1, inPlace));
    await ready(1);
    daemon.apply('db.yaml', database(1, inPlace, '48Mi'));
    await eventually(async () => {
      const [volume] = (await daemon.json<{ items: readonly PersistentVolumeView[] }>('pv')).items;
      return volume?.spec.capacity.storage === '48Mi' || JSON.stringify(volume);
    });
    const images = join(daemon.rootDir, 'images', 'default');
    const [image = ''] = readdirSync(images).filter((name) => name.endsWith('.img'));
    expect(statSync(join(images, image)).size).toBe(48 * 2 ** 20);
  });

  it('is listed, described and explained', async () => {
    daemon.apply('db.yaml', database(2));
    await ready(2);
    const listed = await daemon.ctl('get', 'sts');
    expect(listed.stdout).toMatch(/^NAME +READY +AGE\ndb +2\/2 +\S+$/m);
    const described = await daemon.ctl('describe', 'sts/db');
    expect(described.stdout).toMatch(/db-1 +1\/1 +Ready/);
    expect(described.stdout).toContain('create Claim data-db-0 Pod db-0 in StatefulSet db successful');
    const explained = await daemon.ctl('explain', 'sts/db');
    expect(explained.stdout).toMatch(
      /statefulset default\/db +Ready[\s\S]*pod default\/db-0[\s\S]*volume data +Mounted/,
    );
  });

  it('is planned whole: claims, pods and volumes', async () => {
    const file = join(daemon.base, 'db.yaml');
    writeFileSync(file, database(2));
    const { stdout } = await daemon.ctl('plan', '-f', file);
    for (const key of ['PersistentVolumeClaim/default/data-db-1', 'Pod/default/db-1']) expect(stdout).toContain(key);
    expect(stdout).toMatch(/createImage .*data-db-1/);
  });
});

describe('a generic ephemeral volume', () => {
  const source = [
    'ephemeral: { volumeClaimTemplate: { spec: { accessModes: [ReadWriteOnce], storageClassName: fast,',
    'resources: { requests: { storage: 32Mi } } } } }',
  ].join(' ');
  const web = documents(storageClass('fast', ['reclaimPolicy: Delete']), pod('web', { scratch: source }));

  it('is an image of its pod, and goes with it', async () => {
    daemon.apply('web.yaml', web);
    await daemon.mounted('web');
    writeFileSync(join(await daemon.path('web', 'scratch'), 'x'), 'x');
    expect(await names('pvc')).toEqual(['web-scratch']);
    expect((await daemon.ctl('describe', 'pvc/web-scratch')).stdout).toMatch(/Owned By: +Pod\/web/);
    daemon.apply('web.yaml', storageClass('fast', ['reclaimPolicy: Delete']));
    await eventually(async () => (await names('pvc')).length === 0 || (await names('pvc')).join());
    await daemon.gone();
    expect(mountsBelow(daemon.rootDir)).toEqual([]);
    const images = join(daemon.rootDir, 'images', 'default');
    await eventually(() => !readdirSync(images).some((name) => name.endsWith('.img')) || readdirSync(images).join());
  });
});
