import { describe, expect, it } from 'vitest';
import {
  addedAttributes,
  boundOptions,
  mountFlagsOf,
  optionsOf,
  repairedAttributes,
  repairedOptions,
} from './mount-attributes.ts';

const [RDONLY, NOSUID, NODEV, NOEXEC, NOATIME, ATIME] = [0x1, 0x2, 0x4, 0x8, 0x10, 0x70];

describe('optionsOf', () => {
  it('adds nosuid and nodev to every mount', () => {
    expect(optionsOf({ readOnly: false })).toEqual(['nosuid', 'nodev']);
  });

  it('leaves devices to a bind of a device node only', () => {
    expect(optionsOf({ readOnly: true, allowDevices: true })).toEqual(['ro', 'nosuid']);
  });

  it.each(['suid', 'dev', 'exec', 'bind', 'x-systemd.automount', 'toString'])(
    'refuses the extra option "%s"',
    (option) => {
      expect(() => optionsOf({ readOnly: false, extra: [option] })).toThrow(`Cannot mount with option "${option}"`);
    },
  );
});

describe('attributes of mount_setattr(2)', () => {
  it('clears the whole access time field to set one', () => {
    const change = addedAttributes({ readOnly: true, extra: ['noatime', 'noexec'] });
    expect(change).toEqual({ set: RDONLY | NOSUID | NODEV | NOEXEC | NOATIME, clear: ATIME });
  });

  it('takes nothing away from a new bind', () => {
    expect(addedAttributes({ readOnly: false })).toEqual({ set: NOSUID | NODEV, clear: 0 });
  });

  it('lifts a read-only that drifted in, and only what was asked for', () => {
    expect(repairedAttributes({ readOnly: false })).toEqual({ set: NOSUID | NODEV, clear: RDONLY });
    expect(repairedAttributes({ readOnly: true, allowDevices: true })).toEqual({ set: RDONLY | NOSUID, clear: NODEV });
  });
});

describe('options of a remount', () => {
  it('repeats every restriction of the source', () => {
    const source = ['ro', 'noexec', 'noatime', 'nodiratime'];
    expect(boundOptions(source, { readOnly: false })).toEqual([...source, 'nosuid', 'nodev']);
  });

  it('replaces the access time when another is wanted', () => {
    expect(boundOptions(['rw', 'relatime'], { readOnly: false, extra: ['noatime'] })).not.toContain('relatime');
  });

  it('repairs to what was asked for', () => {
    expect(repairedOptions(['ro', 'nodev', 'noexec'], { readOnly: false, allowDevices: true })).toEqual([
      'noexec',
      'nosuid',
    ]);
  });

  it('is made of the numbers of mount(2)', () => {
    expect(mountFlagsOf(['rw', 'nosuid', 'nodev', 'noatime', 'idmapped'])).toBe(2 | 4 | 1024);
  });
});
