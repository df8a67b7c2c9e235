/** Growth of ext4 in use, which wants CAP_SYS_RESOURCE: a guest has it, a container often not. */
import { statfsSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ClaimView, PersistentVolumeView } from '../../daemon/control/protocol.ts';
import { DaemonProcess } from '../support/daemon-process.ts';
import { eventually } from '../support/eventually.ts';
import { filesystemUuid, mountsAt, run } from '../support/kernel-facts.ts';
import { claim, claimVolume, documents, pod, storageClass } from '../support/manifests.ts';
import { SteadyWriter } from '../support/steady-writer.ts';

const mebibyte = 2 ** 20;

let daemon: DaemonProcess;

beforeAll(async () => {
  daemon = await new DaemonProcess().start();
  daemon.apply('class.yaml', storageClass('fast', ['allowVolumeExpansion: true']));
  daemon.apply('app.yaml', app('64Mi'));
  await daemon.mounted('app');
});

afterAll(async () => {
  await daemon.dispose();
});

function app(size: string): string {
  return documents(claim('data', { size }), pod('app', { data: claimVolume('data') }));
}

async function hasCapacity(size: string): Promise<void> {
  await eventually(async () => {
    const { status } = await daemon.json<ClaimView>('pvc', 'data');
    return (status?.capacity?.storage === size && status.conditions === undefined) || JSON.stringify(status);
  }, 90_000);
}

function sizeOf(path: string): number {
  const { blocks, bsize } = statfsSync(path);
  return (blocks * bsize) / mebibyte;
}

/** The claim's image, by the volume that it is bound to. */
async function imageOfClaim(): Promise<string> {
  const { spec } = await daemon.json<ClaimView>('pvc', 'data');
  const volume = await daemon.json<PersistentVolumeView>('pv', spec.volumeName ?? '');
  return volume.spec.csi?.volumeAttributes?.['path'] ?? '';
}

it('grows under a process that writes all the while, into a filesystem that is whole', async () => {
  const path = await daemon.path('app', 'data');
  const [device, [mount]] = [(await daemon.asw())[0]?.devicePath ?? '', mountsAt(path)];
  const uuid = filesystemUuid(device);
  const writer = new SteadyWriter(join(path, 'file'));
  await writer.goesOn();
  daemon.apply('app.yaml', app('256Mi'));
  await hasCapacity('256Mi');
  await writer.goesOn();
  expect(await writer.stop()).toBeGreaterThan(1);
  expect(sizeOf(path)).toBeGreaterThan(220);
  expect(mountsAt(path).map(({ id }) => id)).toEqual([mount?.id]);
  expect(filesystemUuid(device)).toBe(uuid);
  daemon.apply('app.yaml', claim('data', { size: '256Mi' }));
  await daemon.unmounted('app');
  await daemon.gone();
  run('/usr/sbin/e2fsck', '-f', '-n', await imageOfClaim());
});

it('is completed when everything ended after the device had grown, and when nothing had it mounted', async () => {
  daemon.apply('app.yaml', app('256Mi'));
  await daemon.mounted('app');
  const device = (await daemon.asw())[0]?.devicePath ?? '';
  const image = await imageOfClaim();
  await daemon.kill('SIGKILL');
  truncateSync(image, 320 * mebibyte);
  run('/usr/sbin/losetup', '--set-capacity', device);
  daemon.apply('app.yaml', app('320Mi'));
  await daemon.start();
  await hasCapacity('320Mi');
  expect(sizeOf(await daemon.path('app', 'data'))).toBeGreaterThan(280);
  daemon.apply('app.yaml', claim('data', { size: '384Mi' }));
  await daemon.unmounted('app');
  await eventually(() => statSync(image).size === 384 * mebibyte || 'the image has not grown');
  daemon.apply('app.yaml', app('384Mi'));
  await daemon.mounted('app');
  await hasCapacity('384Mi');
  expect(sizeOf(await daemon.path('app', 'data'))).toBeGreaterThan(340);
});
