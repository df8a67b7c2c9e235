/** An orderly reboot: the service starts at boot and every volume is there again, on the data that it had. */
import { afterEach, expect, it } from 'vitest';
import { HeldGuest } from '../support/guest.ts';
import { claim, claimVolume, documents, pod, storageClass } from '../support/manifests.ts';
import { claimFrom } from '../support/snapshot-manifests.ts';

const guest = new HeldGuest();

afterEach(async () => {
  await guest.dispose();
});

const volumes = ['data', 'large', 'own', 'copy'];
const manifests = documents(
  storageClass('fast'),
  storageClass('xfs', ['parameters: { fsType: xfs }']),
  claim('data'),
  claim('large', { size: '320Mi', storageClass: 'xfs' }),
  // Its log is replayed by a mount in a mount namespace of its own, which the unit has to allow.
  claimFrom('copy', { claim: 'large' }, { size: '320Mi', storageClass: 'xfs' }),
  pod('web', {
    data: claimVolume('data'),
    large: claimVolume('large'),
    copy: claimVolume('copy'),
    own: 'csi: { driver: loop.moored.dev, volumeAttributes: { size: 32Mi } }',
    memory: 'emptyDir: { medium: Memory }',
  }),
);

const moorctl = 'node dist/moorctl.js';
const pathOf = (volume: string): string => `"$(${moorctl} path pod/web ${volume})"`;
const waitUntilMounted = `${moorctl} wait pod/web --timeout 120s`;
/** Of each filesystem, so that a new one with the same data would be seen. */
const uuids = volumes.map((name) => `blkid -p -s UUID -o value "$(findmnt -n -o SOURCE ${pathOf(name)})"`).join('\n');
/** What the kernel says when a filesystem was not unmounted: ext4 "recovery complete", xfs "Starting recovery". */
const recoveries = 'dmesg | grep -iE "loop[0-9]+.*recover" || true';

it('brings every volume back as it was left, and each was unmounted in order', async () => {
  await guest.boot();
  await guest.must('node integration/vm-host/install-service.ts');
  await guest.must(`cat > /etc/moored/manifests/web.yaml <<'END'\n${manifests}END`);
  await guest.must(waitUntilMounted);
  const before = await guest.must(uuids);
  expect(before.split('\n')).toHaveLength(volumes.length);
  for (const name of [...volumes, 'memory']) await guest.must(`printf ${name} > ${pathOf(name)}/file`);
  await guest.shutDown();

  await guest.boot();
  expect(await guest.must('systemctl is-system-running')).toBe('running');
  await guest.must(waitUntilMounted);
  expect(await guest.must(uuids)).toBe(before);
  for (const name of volumes) expect(await guest.must(`cat ${pathOf(name)}/file`)).toBe(name);
  expect(await guest.run(`test -e ${pathOf('memory')}/file`)).toMatchObject({ code: 1 });
  expect(await guest.must(recoveries)).toBe('');
});
