/** A guest's disk outlives it, and a power cut takes what was not yet on the disk. */
import { afterEach, expect, it } from 'vitest';
import { HeldGuest } from '../support/guest.ts';

const guest = new HeldGuest();

afterEach(async () => {
  await guest.dispose();
});

it('keeps what was synced before a power cut, and boots again', async () => {
  await guest.boot();
  const first = await guest.must('cat /proc/sys/kernel/random/boot_id');
  await guest.must('printf kept > /root/synced; sync /root/synced; printf lost > /run/volatile');
  expect(await guest.run('printf out; printf err >&2; exit 3')).toEqual({ code: 3, stdout: 'out', stderr: 'err' });
  await guest.powerCut();

  await guest.boot();
  expect(await guest.must('cat /root/synced')).toBe('kept');
  expect(await guest.run('test -e /run/volatile')).toMatchObject({ code: 1 });
  expect(await guest.must('cat /proc/sys/kernel/random/boot_id')).not.toBe(first);
  await guest.must('printf kept > /root/unsynced');
  await guest.shutDown();

  await guest.boot();
  expect(await guest.must('cat /root/unsynced')).toBe('kept');
});
