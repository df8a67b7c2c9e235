import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../ports/testing/fake-clock.ts';
import { FakeHost } from '../ports/testing/fake-host.ts';
import { nameOf } from '../world/testing/volumes.ts';
import { DriftLog } from './drift-log.ts';
import { OldMountUsers } from './old-mount-users.ts';

const ignore = (): void => {};
const logger = { info: ignore, warn: ignore, error: ignore, debug: ignore };
const data = nameOf('data');
const turns = () => new Promise(setImmediate);

let host: FakeHost;
let driftLog: DriftLog;
let users: OldMountUsers;
let changes: number;

beforeEach(() => {
  host = new FakeHost();
  driftLog = new DriftLog(new FakeClock());
  changes = 0;
  users = new OldMountUsers({ holders: host.holders, driftLog, logger, onChange: () => changes++ });
  driftLog.count(data, 'is gone');
});

describe('OldMountUsers', () => {
  it('says who goes on with the old mount, until a slow look finds nobody', async () => {
    host.users.set('7:0', [{ pid: 812, command: 'sleep', use: 'open file' }]);
    users.mountLost(data, '7:0');
    await turns();
    expect(driftLog.volumes.get(data)?.holders).toBe('sleep (pid 812, open file)');
    users.lookAgain();
    await turns();
    expect(changes).toBe(1);
    host.users.clear();
    users.lookAgain();
    await turns();
    expect([driftLog.volumes.get(data)?.holders, changes]).toEqual(['', 2]);
  });

  it('looks for the second of two that are lost while it looks for the first', async () => {
    users.mountLost(data, '7:0');
    users.mountLost(data, '7:1');
    host.users.set('7:1', [{ pid: 812, command: 'sleep', use: 'open file' }]);
    await turns();
    expect(driftLog.volumes.get(data)?.holders).toBe('sleep (pid 812, open file)');
  });

  it('does not look again for one that nobody used', async () => {
    users.mountLost(data, '7:0');
    await turns();
    host.users.set('7:0', [{ pid: 812, command: 'sleep', use: 'open file' }]);
    users.lookAgain();
    await turns();
    expect([driftLog.volumes.get(data)?.holders, changes]).toEqual(['', 0]);
  });
});
