/** moored under the systemd of a booted machine, by the unit file as it is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { loopDevices, mountsBelow } from '../support/kernel-facts.ts';
import { claim, claimVolume, documents, pod, storageClass } from '../support/manifests.ts';
import { MooredService } from '../support/moored-service.ts';
import { SteadyWriter } from '../support/steady-writer.ts';

const service = new MooredService();
/** Every mount of a volume, with its id. */
const volumeMounts = (): readonly string[] => mountsBelow(service.rootDir).map(({ line }) => line);
const volumeLoops = (): readonly string[] =>
  [...loopDevices()].flatMap(([device, file]) => (file.startsWith(service.rootDir) ? [`${device} ${file}`] : []));

const web = documents(
  storageClass('fast'),
  claim('data'),
  pod('web', { data: claimVolume('data'), memory: 'emptyDir: { medium: Memory }' }),
);

beforeAll(() => {
  service.install();
});

afterAll(async () => {
  service.configure();
  if (service.property('ActiveState') === 'active') await service.ctl('drain');
  service.systemctl('disable', '--now');
});

describe('systemctl enable --now moored', () => {
  it('returns when the daemon answers, and it starts at boot', async () => {
    service.systemctl('enable', '--now');
    expect((await service.ctl('get', 'manifests')).code).toBe(0);
    expect(service.property('UnitFileState')).toBe('enabled');
    expect(service.property('SubState')).toBe('running');
  });

  it('mounts where the first process of the system sees it', async () => {
    service.apply('web.yaml', web);
    await service.mounted('web');
    const seenByInit = readFileSync('/proc/1/mountinfo', 'utf8');
    for (const name of ['data', 'memory']) expect(seenByInit).toContain(` ${await service.path('web', name)} `);
    expect(volumeMounts()).toHaveLength(3);
  });
});

describe('a workload that writes all the while', () => {
  it.each([
    ['systemctl restart', ['restart']],
    ['kill -9', ['kill', '--signal=KILL', '--kill-whom=main']],
  ])('loses no write and no mount changes through %s', async (name, command) => {
    const before = volumeMounts();
    const writer = new SteadyWriter(join(await service.path('web', 'data'), name.replaceAll(' ', '-')));
    await writer.goesOn();
    const { pid } = service;
    service.systemctl(...command);
    await service.startedAgain(pid);
    await service.mounted('web');
    await writer.goesOn();
    expect(await writer.stop()).toBeGreaterThan(1);
    expect(volumeMounts()).toEqual(before);
  });
});

describe('the watchdog', () => {
  it('starts a daemon again that has stopped answering, and no mount changes', async () => {
    service.configure('[Service]', 'WatchdogSec=5');
    service.systemctl('restart');
    await service.mounted('web');
    const before = volumeMounts();
    const { pid } = service;
    process.kill(pid, 'SIGSTOP');
    await service.startedAgain(pid);
    await service.mounted('web');
    expect(service.log).toMatch(/Watchdog timeout/);
    expect(volumeMounts()).toEqual(before);
    service.configure();
    service.systemctl('restart');
  });

  it('does not trouble one that has nothing to do', async () => {
    service.configure('[Service]', 'WatchdogSec=2');
    service.systemctl('restart');
    const { pid } = service;
    const seen = service.property('WatchdogTimestampMonotonic');
    const later = (): number => Number(service.property('WatchdogTimestampMonotonic')) - Number(seen);
    await eventually(() => later() > 6_000_000 || `kept alive for ${later()} us`, 60_000);
    expect(service.pid).toBe(pid);
    service.configure();
    service.systemctl('restart');
  });
});

describe('systemctl stop', () => {
  it('leaves every mount in place, and a start finds them', async () => {
    const before = volumeMounts();
    service.systemctl('stop');
    expect(service.property('ActiveState')).toBe('inactive');
    expect(volumeMounts()).toEqual(before);
    service.systemctl('start');
    await service.mounted('web');
    expect(volumeMounts()).toEqual(before);
  });
});

describe('moorctl drain, then systemctl disable --now', () => {
  it('leaves no mount and no loop device, and the data comes back with the service', async () => {
    const before = readFileSync(join(await service.path('web', 'data'), 'kill--9'), 'utf8');
    const drained = await service.ctl('drain');
    expect(drained).toMatchObject({ code: 0 });
    expect(drained.stderr).toMatch(/^Drained/);
    service.systemctl('disable', '--now');
    expect(service.property('UnitFileState')).toBe('disabled');
    expect(volumeMounts()).toEqual([]);
    await eventually(() => volumeLoops().length === 0 || volumeLoops().join('\n'));
    service.systemctl('enable', '--now');
    await service.mounted('web');
    expect(readFileSync(join(await service.path('web', 'data'), 'kill--9'), 'utf8')).toBe(before);
  });

  it('in the other order needs a start, because a daemon that is down cannot unmount', async () => {
    service.systemctl('disable', '--now');
    expect((await service.ctl('drain')).code).toBe(4);
    expect(volumeMounts()).toHaveLength(3);
    service.systemctl('start');
    expect(await service.ctl('drain')).toMatchObject({ code: 0 });
    service.systemctl('stop');
    expect(volumeMounts()).toEqual([]);
  });
});
