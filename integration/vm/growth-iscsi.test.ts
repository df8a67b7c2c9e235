/** A LUN that became larger on its target: the rescan, then the filesystem, while a pod has it. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ClaimView } from '../../daemon/control/protocol.ts';
import { DaemonProcess } from '../support/daemon-process.ts';
import { eventually } from '../support/eventually.ts';
import { iscsiClaim } from '../support/iscsi-manifests.ts';
import { TgtServer } from '../support/iscsi-target.ts';
import { mountsAt, run } from '../support/kernel-facts.ts';
import { claimVolume, pod } from '../support/manifests.ts';

const iqn = 'iqn.2024-01.org.example:grows';

let daemon: DaemonProcess;
let target: TgtServer;

beforeAll(async () => {
  const directory = join(process.env['MOORED_TEST_DIR'] ?? '', 'growing-luns');
  mkdirSync(directory, { recursive: true });
  target = await new TgtServer(directory).start();
  target.addTarget(iqn, { 1: 64 });
  daemon = await new DaemonProcess().start();
});

afterAll(async () => {
  await daemon.dispose();
  await target.stop();
});

it('is grown when the capacity of its PersistentVolume is raised', async () => {
  const declared = iscsiClaim('data', { iqn, lun: 1 });
  daemon.apply('data.yaml', declared);
  daemon.apply('app.yaml', pod('app', { data: claimVolume('data') }));
  await daemon.mounted('app');
  const path = await daemon.path('app', 'data');
  const content = randomBytes(300_000);
  writeFileSync(join(path, 'file'), content);
  run('/usr/bin/sync', '--file-system', path);
  const [mount] = mountsAt(path);
  // tgt gives a LUN its size when it is made: to the session it is away for a moment, and has another size then.
  const unit = target.lun(iqn, 1);
  truncateSync(unit.image, 192 * 2 ** 20);
  await target.setLun(iqn, 1, unit);
  daemon.apply('data.yaml', declared.replace('capacity: { storage: 64Mi }', 'capacity: { storage: 192Mi }'));
  await eventually(async () => {
    const { status } = await daemon.json<ClaimView>('pvc', 'data');
    return status?.capacity?.storage === '192Mi' || JSON.stringify(status);
  }, 120_000);
  const { blocks, bsize } = statfsSync(path);
  expect((blocks * bsize) / 2 ** 20).toBeGreaterThan(160);
  expect(mountsAt(path).map(({ id }) => id)).toEqual([mount?.id]);
  expect(readFileSync(join(path, 'file')).equals(content)).toBe(true);
});
