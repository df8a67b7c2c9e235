import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryEventRecorder } from '../adapters/memory-event-recorder.ts';
import type { Logger } from '../ports/logger.ts';
import { FakeClock } from '../ports/testing/fake-clock.ts';
import { FakeHost, transientError } from '../ports/testing/fake-host.ts';
import { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import { globalMountPath, imagePath, nameOf, recordOf, targetPath, volumeToMount } from '../world/testing/volumes.ts';
import { AttachmentWatch } from './attachment-watch.ts';
import { DriftLog } from './drift-log.ts';

const ignore = (): void => {};
const logger: Logger = { info: ignore, warn: ignore, error: ignore, debug: ignore };
const data = nameOf('data');
const image = imagePath('data');
const observed = { device: '7:0', root: '/', fsType: 'ext4' };
const at = '2026-01-02T03:04:05Z';

let host: FakeHost;
let asw: ActualStateOfWorld;
let events: MemoryEventRecorder;
let driftLog: DriftLog;
let watch: AttachmentWatch;
let busy: Set<string>;
let wakes: number;

beforeEach(() => {
  host = new FakeHost();
  const clock = new FakeClock();
  asw = new ActualStateOfWorld();
  events = new MemoryEventRecorder(clock);
  driftLog = new DriftLog(clock);
  busy = new Set();
  wakes = 0;
  const isBusy = (name: string) => busy.has(name);
  watch = new AttachmentWatch({ asw, host, driftLog, events, logger, isBusy, wake: () => wakes++ });
  host.addImage(image);
  const { devicePath, deviceNumber, backing } = host.loopDevices.attach(image, { readOnly: false });
  const volume = volumeToMount('device', 'data', ['web']);
  asw.addVolume(recordOf(volume));
  const loopBacking = { device: String(backing.device), inode: String(backing.inode), path: image };
  asw.markVolumeAsAttached(data, { devicePath, deviceNumber, loopBacking });
  host.mountFromOutside(globalMountPath('data'), { device: '7:0', fsType: 'ext4', source: devicePath });
  asw.markDeviceAsMounted(data, observed);
  watch.start();
  watch.update();
});

const reasons = () => events.list().map(({ reason, count }) => `${reason} x${count}`);
const standing = () => driftLog.volumes.get(data)?.standing.map(({ message }) => message) ?? [];
const isAutoclear = () => host.loops.get('/dev/loop0')?.isAutoclear === true;

describe('AttachmentWatch', () => {
  it('watches the node and the directory of the image, and says nothing while all is well', () => {
    const directory = image.slice(0, image.lastIndexOf('/'));
    expect([...host.attachments.watched]).toEqual(['/dev/loop0', directory]);
    host.attachments.tell('/dev/loop0');
    watch.lookAtAll();
    expect([reasons(), wakes]).toEqual([[], 0]);
  });

  it('takes back a detach that waits for the last close', () => {
    host.detachFromOutside('/dev/loop0');
    expect(isAutoclear()).toBe(true);
    host.attachments.tell('/dev/loop0');
    expect(isAutoclear()).toBe(false);
    expect(reasons()).toEqual(['VolumeDeviceChanged x1']);
    expect(driftLog.volumes.get(data)).toMatchObject({ count: 1, standing: [] });
  });

  it('says that it stands when it cannot be taken back, and tries again at the next look', () => {
    host.detachFromOutside('/dev/loop0');
    host.next('keepLoop', { kind: 'fail', error: transientError() });
    host.attachments.tell('/dev/loop0');
    expect(standing()).toEqual([expect.stringContaining('cannot be kept')]);
    watch.lookAtAll();
    expect(isAutoclear()).toBe(false);
    watch.lookAtAll();
    expect(standing()).toEqual([]);
  });

  it('has a device that lost its file attached again', () => {
    host.umountFromOutside(globalMountPath('data'));
    host.detachFromOutside('/dev/loop0');
    host.attachments.tell('/dev/loop0');
    expect(asw.get(data)?.attachState).toBe('AttachUncertain');
    expect([reasons(), wakes]).toEqual([['VolumeDeviceLost x1'], 1]);
  });

  it('reports an image that was replaced once, and that it is back', () => {
    const ours = host.imageFiles.get(image)!;
    host.addImage(image);
    host.attachments.tell(image);
    watch.lookAtAll();
    expect(standing()).toEqual([expect.stringContaining('was removed or replaced')]);
    expect(reasons()).toEqual(['VolumeDeviceLost x1']);
    host.imageFiles.set(image, ours);
    host.attachments.tell(image);
    expect(standing()).toEqual([]);
    expect(reasons()).toEqual(['VolumeDeviceLost x1', 'VolumeDeviceBack x1']);
    expect(asw.get(data)?.attachState).toBe('Attached');
  });

  it('does not look while an operation works on the volume, but after it', () => {
    busy.add(data);
    host.detachFromOutside('/dev/loop0');
    host.attachments.tell('/dev/loop0');
    watch.update();
    expect(isAutoclear()).toBe(true);
    busy.clear();
    watch.update();
    expect(isAutoclear()).toBe(false);
  });

  it('has a directory that somebody removed made again, and watches the new one', () => {
    const scratch = nameOf('scratch');
    const path = targetPath('scratch', 'web');
    asw.addVolume(recordOf(volumeToMount('directory', 'scratch', ['web'])));
    host.directories.ensureDirectory(path);
    asw.markVolumeAsMounted(scratch, 'uid-web', { observed: undefined, at });
    watch.update();
    expect(host.attachments.watched.has(path)).toBe(true);
    host.entries.delete(path);
    host.attachments.tell(path);
    expect(asw.get(scratch)?.podStates.get('uid-web')).toBe('VolumeMountUncertain');
    host.attachments.unwatch(path);
    asw.markVolumeAsMounted(scratch, 'uid-web', { observed: undefined, at: '2026-01-02T03:04:06Z' });
    watch.update();
    expect(host.attachments.watched.has(path)).toBe(true);
  });

  it('watches nothing of a volume that has gone', () => {
    asw.forgetVolume(data);
    watch.update();
    expect(host.attachments.watched.size).toBe(0);
    host.attachments.tell('/dev/loop0');
    watch.lookAtAll();
    expect(reasons()).toEqual([]);
  });
});
