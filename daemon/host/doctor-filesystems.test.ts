import { describe, expect, it } from 'vitest';
import { hasModule, isRegistered } from './doctor-filesystems.ts';

describe('isRegistered', () => {
  const text = 'nodev\tsysfs\nnodev\ttmpfs\n\text3\n\text4\n\tfuseblk\n';

  it.each([
    ['ext4', true],
    ['tmpfs', true],
    ['xfs', false],
    ['ext', false],
    ['nodev', false],
    ['', false],
  ])('%s: %s', (fsType, expected) => {
    expect(isRegistered(text, fsType)).toBe(expected);
  });
});

describe('hasModule', () => {
  const text = [
    'kernel/fs/xfs/xfs.ko.zst: kernel/lib/libcrc32c.ko.zst',
    'kernel/fs/btrfs/btrfs.ko: kernel/lib/raid6/raid6_pq.ko',
    'kernel/drivers/net/not-ext4.ko:',
    '',
  ].join('\n');

  it.each([
    ['xfs', true],
    ['btrfs', true],
    ['libcrc32c', false],
    ['raid6_pq', false],
    ['ext4', false],
  ])('%s: %s', (name, expected) => {
    expect(hasModule(text, name)).toBe(expected);
  });
});
