import { mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LeaseDirectory } from '../../daemon/host/lease-directory.ts';
import type { PodLease } from '../../daemon/world/pod-lease.ts';
import { eventually } from '../support/eventually.ts';

const pod = { namespace: 'default', name: 'web', uid: 'uid-web' };
const lease: PodLease = { unit: 'moored-pod@my\\x2dns-web.service', pod, targetPaths: ['/a'] };
let directory: string;
let problems: string[];
let leases: LeaseDirectory;

beforeEach(() => {
  directory = join(mkdtempSync(join(process.env['MOORED_TEST_DIR'] ?? '/nonexistent', 'leases-')), 'run/leases');
  problems = [];
  leases = new LeaseDirectory(directory, (message) => problems.push(message));
});

afterEach(() => {
  leases[Symbol.dispose]();
});

it('keeps a lease for the next daemon, readable by root alone', () => {
  leases.grant(lease);
  expect(leases.current()).toEqual([lease]);
  using next = new LeaseDirectory(directory, (message) => problems.push(message));
  expect(next.current()).toEqual([lease]);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(statSync(join(directory, lease.unit)).mode & 0o777).toBe(0o600);
  expect(problems).toEqual([]);
});

it('gives a unit one lease: the last', () => {
  leases.grant(lease);
  leases.grant({ ...lease, targetPaths: ['/a', '/b'] });
  expect(leases.current()).toEqual([{ ...lease, targetPaths: ['/a', '/b'] }]);
  leases.revoke(lease.unit);
  leases.revoke(lease.unit);
  expect(leases.current()).toEqual([]);
});

it('sees at once that a unit removed its file, and wakes for it', async () => {
  leases.grant(lease);
  let wakes = 0;
  const end = leases.onChange(() => wakes++);
  await eventually(() => wakes > 0 || 'no wake for the grant');
  wakes = 0;
  rmSync(join(directory, lease.unit));
  expect(leases.current()).toEqual([]);
  await eventually(() => wakes > 0 || 'no wake for the end');
  end();
});

it('takes a directory that is gone for an unknown, not for an end of all leases', () => {
  leases.grant(lease);
  renameSync(directory, `${directory}-away`);
  expect(leases.current()).toEqual([lease]);
  expect(problems).toHaveLength(1);
});

it('says that it cannot read a file, and keeps the others', () => {
  leases.grant(lease);
  writeFileSync(join(directory, 'other.service'), 'no JSON');
  expect(leases.current()).toEqual([lease]);
  expect(problems[0]).toContain('other.service');
  expect(readdirSync(directory)).toHaveLength(2);
});
