import { setTimeout as sleep } from 'node:timers/promises';
import type { LoopDevice, LoopDevices } from '../ports/loop-devices.ts';
import { StorageError } from '../world/storage-error.ts';

/** udev takes some ten milliseconds; what holds it for longer is somebody who means to. */
const deadlineMs = 30_000;
const intervalMs = 20;

/**
 * Detaches a device that was written to. udev looks at a device whenever a writer has closed it (inotify, IN_CLOSE_WRITE),
 * and while it does the kernel puts the detach off until the last close: so it is asked for again until it has happened.
 */
export async function detachWhenClosed(loopDevices: LoopDevices, { devicePath, backing }: LoopDevice): Promise<void> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    try {
      loopDevices.detach(devicePath, backing);
      return;
    } catch (thrown) {
      const isBusy = thrown instanceof StorageError && thrown.code === 'Busy';
      if (!isBusy || performance.now() > end) throw thrown;
    }
    await sleep(intervalMs);
  }
}
