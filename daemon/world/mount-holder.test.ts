import { describe, expect, it } from 'vitest';
import { describeHolders, inspectHolder, type MountHolder } from './mount-holder.ts';

const bash: MountHolder = { pid: 9, command: 'bash', use: 'mount', namespace: 'mnt:[4026532201]' };
const sleep = (pid: number): MountHolder => ({ pid, command: 'sleep', use: 'working directory' });
const loop: MountHolder = { pid: 0, command: '/dev/loop7', use: 'backing file' };

describe('describeHolders', () => {
  it.each([
    ['nobody', [], ''],
    ['a process of ours', [sleep(812)], 'sleep (pid 812, working directory)'],
    ['one of another namespace', [bash], 'bash (pid 9, mount, in mnt:[4026532201])'],
    ['the kernel', [loop], '/dev/loop7 (backing file)'],
  ])('names %s', (_who, holders, text) => {
    expect(describeHolders(holders)).toBe(text);
  });

  it('names four and counts the others', () => {
    expect(describeHolders([1, 2, 3, 4].map(sleep))).not.toContain('more');
    expect(describeHolders([1, 2, 3, 4, 5, 6].map(sleep))).toMatch(/pid 4, working directory\) and 2 more$/);
  });
});

describe('inspectHolder', () => {
  it('has a command for the first process, and none for the kernel', () => {
    expect(inspectHolder([loop, sleep(812)])).toMatch(/^systemctl status 812;/);
    expect(inspectHolder([loop])).toBeUndefined();
  });
});
