/** What moored.yaml says may be promised of a filesystem and of the memory, on a real small filesystem. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClaimView } from '../daemon/control/protocol.ts';
import { DaemonProcess } from './support/daemon-process.ts';
import { eventually } from './support/eventually.ts';
import { run } from './support/kernel-facts.ts';
import { claim, claimVolume, documents, pod, storageClass } from './support/manifests.ts';

let daemon: DaemonProcess;
let small: string;

/** A filesystem of 256Mi, of which the settings leave 192Mi to images. */
beforeEach(async () => {
  daemon = new DaemonProcess();
  small = join(daemon.base, 'small');
  mkdirSync(small, { mode: 0o700 });
  run('/usr/bin/mount', '-t', 'tmpfs', '-o', 'size=256m,mode=0700', 'tmpfs', small);
  daemon.configFile = join(daemon.base, 'moored.yaml');
  writeFileSync(daemon.configFile, 'pool: { overcommit: 1, reserve: 25% }\nmemory: { limit: 3Mi }\nlogFormat: json\n');
  await daemon.start();
});

afterEach(async () => {
  try {
    await daemon.ctl('drain');
    run('/usr/bin/umount', small);
  } finally {
    await daemon.dispose();
  }
});

const onSmall = () =>
  storageClass('small', ['reclaimPolicy: Delete', 'allowVolumeExpansion: true', `parameters: { directory: ${small} }`]);

const claimOf = (name: string, size: string) => claim(name, { size, storageClass: 'small' });

async function bound(name: string, size: string): Promise<void> {
  await eventually(async () => {
    // Until its manifest is read there is none.
    const { items } = await daemon.json<{ items: readonly ClaimView[] }>('pvc');
    const status = items.find(({ metadata }) => metadata.name === name)?.status;
    return (status?.phase === 'Bound' && status.capacity?.storage === size) || JSON.stringify(status ?? {});
  });
}

/** Waits for an event of this reason with these figures. */
async function told(reason: string, message: RegExp): Promise<void> {
  await eventually(async () => {
    const events = await daemon.events();
    const found = events.some((event) => event.reason === reason && message.test(event.message));
    return found || JSON.stringify(events.map((event) => `${event.reason}: ${event.message}`));
  });
}

describe('images on one filesystem', () => {
  it('are promised what it has in all, and the next is admitted once one is gone', async () => {
    daemon.apply('class.yaml', onSmall());
    // Together, so that each must know of the others before any is in the store: one of the three finds no room.
    daemon.apply('claims.yaml', documents(...['a', 'b', 'c'].map((name) => claimOf(name, '80Mi'))));
    await told(
      'ProvisioningFailed',
      /80Mi asked, 160Mi promised, 192Mi at most by overcommit 1, 256Mi capacity, \S+ free, 64Mi in reserve/,
    );
    let pending = -1;
    await eventually(async () => {
      const { items } = await daemon.json<{ items: readonly ClaimView[] }>('pvc');
      const phases = ['a', 'b', 'c'].map((name) => items.find(({ metadata }) => metadata.name === name)?.status?.phase);
      pending = phases.indexOf('Pending');
      return phases.filter((one) => one === 'Bound').length === 2 || phases.join();
    });
    expect(images()).toHaveLength(2);
    const [kept, gone] = ['a', 'b', 'c'].filter((_, index) => index !== pending);
    const last = ['a', 'b', 'c'][pending] ?? '';
    daemon.apply('claims.yaml', documents(claimOf(kept ?? '', '80Mi'), claimOf(last, '80Mi')));
    await bound(last, '80Mi');
    expect(images().filter((name) => name.startsWith(`${gone}-`))).toEqual([]);
  });

  it('grow and are copied within the same bounds', async () => {
    daemon.apply('class.yaml', onSmall());
    daemon.apply('a.yaml', documents(claimOf('a', '64Mi'), pod('app', { data: claimVolume('a') })));
    await daemon.mounted('app');
    const clone = claimOf('b', '160Mi').concat('\n  dataSource: { kind: PersistentVolumeClaim, name: a }');
    daemon.apply('b.yaml', clone);
    await told('ProvisioningFailed', /Cannot copy to image .*160Mi asked, 64Mi promised, 192Mi at most/);
    daemon.remove('b.yaml');
    daemon.apply('a.yaml', documents(claimOf('a', '200Mi'), pod('app', { data: claimVolume('a') })));
    await told('VolumeResizeFailed', /Cannot grow image .*136Mi asked, 64Mi promised, 192Mi at most/);
    daemon.apply('a.yaml', documents(claimOf('a', '64Mi'), pod('app', { data: claimVolume('a') })));
    daemon.apply('c.yaml', claimOf('c', '128Mi'));
    await bound('c', '128Mi');
  });
});

it('memory volumes have what memory.limit says in all, and the next is mounted once one is gone', async () => {
  const memory = (size: string) => ({ scratch: `emptyDir: { medium: Memory, sizeLimit: ${size} }` });
  daemon.apply('one.yaml', pod('one', memory('2Mi')));
  await daemon.mounted('one');
  daemon.apply('two.yaml', pod('two', memory('2Mi')));
  await told('FailedMount', /2Mi asked, 2Mi promised to others, 3Mi at most of/);
  daemon.apply('three.yaml', pod('three', memory('1Mi')));
  await daemon.mounted('three');
  daemon.remove('one.yaml');
  await daemon.mounted('two');
});

function images(): readonly string[] {
  return readdirSync(join(small, 'default')).filter((name) => name.endsWith('.img'));
}
