import { describe, expect, it } from 'vitest';
import { decideProbe, type ProbeEvidence, readComparison, type ToolAnswer } from './probe-decision.ts';

const answer = (exitCode: number, stdout = '', stderr = ''): ToolAnswer => ({ exitCode, stdout, stderr });
const zeros = answer(0);
const data = answer(1, '/dev/sdb /dev/zero differ: byte 1026, line 1\n');
const short = answer(1, '', 'cmp: EOF on /dev/sdb after byte 10, in line 1\n');
const eio = answer(2, '', 'cmp: /dev/sdb: Input/output error\n');
const nothing = answer(2);
const tags = (...lines: readonly string[]): ToolAnswer => answer(0, `${['DEVNAME=/dev/sdb', ...lines].join('\n')}\n`);
const ext4 = tags('UUID=1-2', 'BLOCK_SIZE=4096', 'TYPE=ext4', 'USAGE=filesystem');

const decide = (evidence: Partial<ProbeEvidence>) =>
  decideProbe({ device: '/dev/sdb', sizeBytes: 1n << 30n, blkid: nothing, head: zeros, tail: zeros, ...evidence });

describe('decideProbe', () => {
  it('proves a device blank by blkid, head and tail together', () => {
    expect(decide({})).toEqual({ kind: 'blank' });
  });

  it.each<[string, Partial<ProbeEvidence>, unknown]>([
    ['a filesystem', { blkid: ext4, head: data }, { kind: 'filesystem', fsType: 'ext4', uuid: '1-2' }],
    [
      'one whose tail fails',
      { blkid: ext4, head: data, tail: eio },
      { kind: 'filesystem', fsType: 'ext4', uuid: '1-2' },
    ],
    [
      'one without a UUID',
      { blkid: tags('TYPE=squashfs', 'USAGE=filesystem'), head: data },
      { kind: 'filesystem', fsType: 'squashfs' },
    ],
    [
      'a partition table',
      { blkid: tags('PTTYPE=gpt'), head: data },
      { kind: 'other', description: 'a gpt partition table' },
    ],
    [
      'a filesystem under a partition table',
      { blkid: tags('TYPE=ext4', 'USAGE=filesystem', 'PTTYPE=dos'), head: data },
      { kind: 'other', description: 'a ext4 signature and a dos partition table' },
    ],
    [
      'LVM',
      { blkid: tags('TYPE=LVM2_member', 'USAGE=raid') },
      { kind: 'other', description: 'a LVM2_member signature' },
    ],
    [
      'LUKS',
      { blkid: tags('TYPE=crypto_LUKS', 'USAGE=crypto') },
      { kind: 'other', description: 'a crypto_LUKS signature' },
    ],
    ['swap', { blkid: tags('TYPE=swap', 'USAGE=other') }, { kind: 'other', description: 'a swap signature' }],
    [
      'a ZFS label, even if only its tail has data',
      { blkid: tags('TYPE=zfs_member', 'USAGE=filesystem'), tail: data },
      { kind: 'filesystem', fsType: 'zfs_member' },
    ],
    [
      'a foreign filesystem of which neither head nor tail has a byte',
      { blkid: tags('TYPE=VMFS', 'USAGE=filesystem') },
      { kind: 'filesystem', fsType: 'VMFS' },
    ],
    [
      'a find without a name',
      { blkid: tags() },
      { kind: 'other', description: 'something that blkid knows and does not name' },
    ],
    [
      'ambivalent signatures',
      { blkid: answer(8) },
      { kind: 'other', description: expect.stringContaining('contradict') },
    ],
    [
      'data in the head',
      { head: data },
      { kind: 'other', description: expect.stringContaining('byte 1026 of its head') },
    ],
    ['data in the tail', { tail: data }, { kind: 'other', description: expect.stringContaining('of its tail') }],
    [
      'data in the tail, EIO in the head',
      { head: eio, tail: data },
      { kind: 'other', description: expect.any(String) },
    ],
  ])('sees %s', (_, evidence, result) => {
    expect(decide(evidence)).toEqual(result);
  });

  it.each<[string, Partial<ProbeEvidence>, string, RegExp]>([
    ['a device without size', { sizeBytes: 0n }, 'FailedPrecondition', /no size/],
    ['EIO in the head', { head: eio }, 'Unavailable', /its head: cmp: .*Input\/output error/],
    ['EIO in the tail', { tail: eio }, 'Unavailable', /its tail: cmp: .*Input\/output error/],
    ['a device that ends early', { tail: short }, 'FailedPrecondition', /its tail ends early/],
    [
      'a blkid that complains',
      { blkid: answer(2, '', 'blkid: error: EIO') },
      'Unavailable',
      /blkid says "blkid: error/,
    ],
    ['a blkid that fails', { blkid: answer(4, '', 'usage') }, 'Internal', /blkid exited 4: usage/],
    ['probes that disagree', { blkid: ext4 }, 'Aborted', /blkid finds ext4, yet/],
  ])('never calls %s blank', (_, evidence, code, message) => {
    expect(decide(evidence)).toMatchObject({
      kind: 'unknown',
      error: { code, progress: 'transient', message: expect.stringMatching(message) },
    });
  });

  it('calls nothing blank unless all three witnesses say so', () => {
    const blkids = [ext4, tags('PTTYPE=dos'), tags(), nothing, answer(8), answer(1), answer(2, '', 'x'), answer(127)];
    const comparisons = [zeros, data, short, eio, answer(0, '', 'warning'), answer(1), answer(127)];
    const blank = blkids.flatMap((blkid) =>
      comparisons.flatMap((head) =>
        comparisons.flatMap((tail) => (decide({ blkid, head, tail }).kind === 'blank' ? [{ blkid, head, tail }] : [])),
      ),
    );
    expect(blank).toEqual([{ blkid: nothing, head: zeros, tail: zeros }]);
  });
});

describe('readComparison', () => {
  it.each<[ToolAnswer, string]>([
    [zeros, 'zeros'],
    [data, 'data'],
    [answer(1, 'a b differ: char 7, line 1'), 'data'],
    [short, 'short'],
    [answer(1, '', 'cmp: EOF on /dev/sdb which is empty'), 'short'],
    [eio, 'unreadable'],
    [answer(1), 'unreadable'],
    [answer(0, '', 'odd'), 'unreadable'],
  ])('reads %o as %s', (given, kind) => {
    expect(readComparison(given).kind).toBe(kind);
  });
});
