import { describe, expect, it } from 'vitest';
import type { Orphan } from './orphans.ts';
import { expiredTrash } from './trash-expiry.ts';

const record = { path: '/i/.trash/a', volumeHandle: 'pvc-1', trashedAt: '2026-01-01T00:00:00Z' };
const found: Orphan = {
  ...{ kind: 'Trashed', path: '/i/.trash/a', since: '', reason: '', action: 'purge', obstacle: '' },
  volumeHandle: 'pvc-1',
};
const day = 24 * 3_600_000;
const at = (time: string) => ({ now: Date.parse(time), graceMs: 7 * day });
const expired = (change: Partial<Orphan> = {}, time = '2026-01-08T00:00:00Z', of = record) =>
  expiredTrash([of], [{ ...found, ...change }], at(time)).length;

describe('what leaves the trash', () => {
  it('has been there for the whole grace', () => {
    expect(expired()).toBe(1);
    expect(expired({}, '2026-01-07T23:59:59.999Z')).toBe(0);
  });

  it('was put there by moored: a record and a file that agree', () => {
    expect(expired({ path: '/i/.trash/b' })).toBe(0);
    expect(expired({ volumeHandle: 'pvc-2' })).toBe(0);
    expect(expired({ kind: 'Quarantined' })).toBe(0);
    expect(expired({ action: 'none' })).toBe(0);
    expect(expiredTrash([], [found], at('2030-01-01T00:00:00Z'))).toEqual([]);
    expect(expiredTrash([record], [], at('2030-01-01T00:00:00Z'))).toEqual([]);
  });

  it('has nothing in its way, and a time that can be read and is over', () => {
    expect(expired({ obstacle: '/dev/loop1 is on it' })).toBe(0);
    expect(expired({}, '2026-01-08T00:00:00Z', { ...record, trashedAt: 'yesterday' })).toBe(0);
    expect(expired({}, '2026-01-08T00:00:00Z', { ...record, trashedAt: '2099-01-01T00:00:00Z' })).toBe(0);
  });
});
