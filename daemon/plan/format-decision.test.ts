import { describe, expect, it } from 'vitest';
import type { ProbeResult } from '../world/probe-result.ts';
import type { FormatRecord } from '../world/volume-record.ts';
import { decideFormat, type FormatQuestion } from './format-decision.ts';

const blank: ProbeResult = { kind: 'blank' };
const ext4: ProbeResult = { kind: 'filesystem', fsType: 'ext4' };
const xfs: ProbeResult = { kind: 'filesystem', fsType: 'xfs', uuid: 'f00' };
const luks: ProbeResult = { kind: 'other', description: 'crypto_LUKS' };
const started: FormatRecord = { state: 'started', fsType: 'ext4', at: '2026-01-02T03:04:05Z' };
const done: FormatRecord = { ...started, state: 'done' };

function decide(change: Partial<FormatQuestion>): string {
  const question: FormatQuestion = {
    device: '/dev/loop3',
    deviceBytes: 1000n,
    wanted: 'ext4',
    readOnly: false,
    probe: blank,
    record: undefined,
    ...change,
  };
  const decision = decideFormat(question);
  return decision.kind === 'refuse' ? decision.error.code : decision.kind;
}

describe('decideFormat', () => {
  it.each([
    ['formats what is blank and was never formatted', {}, 'format'],
    ['formats again what a format had begun and left blank', { record: started }, 'format'],
    ['refuses a blank device that was formatted before: its data is lost', { record: done }, 'DataLoss'],
    ['refuses it too when asked for read-only', { record: done, readOnly: true }, 'DataLoss'],
    ['refuses to format read-only', { readOnly: true }, 'FailedPrecondition'],
    ['refuses to format read-only what a format had begun', { readOnly: true, record: started }, 'FailedPrecondition'],
    ['uses the wanted filesystem as it is', { probe: ext4 }, 'useAsIs'],
    ['uses it read-only', { probe: ext4, readOnly: true }, 'useAsIs'],
    ['uses it after a format whose end was not recorded', { probe: ext4, record: started }, 'useAsIs'],
    ['uses it after a recorded format', { probe: ext4, record: done }, 'useAsIs'],
    ['refuses another filesystem', { probe: xfs }, 'FilesystemMismatch'],
    ['refuses another filesystem even after a begun format', { probe: xfs, record: started }, 'FilesystemMismatch'],
    ['refuses another filesystem read-only', { probe: xfs, readOnly: true }, 'FilesystemMismatch'],
    ['refuses what holds something else', { probe: luks }, 'NotBlank'],
    ['refuses something else even after a begun format', { probe: luks, record: started }, 'NotBlank'],
    ['refuses something else after a recorded format', { probe: luks, record: done }, 'NotBlank'],
    ['uses one that takes the whole device', { probe: { ...ext4, sizeBytes: 1000n } }, 'useAsIs'],
    ['refuses one whose device was cut', { probe: { ...ext4, sizeBytes: 1001n } }, 'FailedPrecondition'],
    ['uses xfs where xfs is wanted', { probe: xfs, wanted: 'xfs' }, 'useAsIs'],
  ] as const)('%s', (_name, change, outcome) => {
    expect(decide(change)).toBe(outcome);
  });

  it('formats in no case but the two: blank, and no record of a finished format', () => {
    for (const probe of [blank, ext4, xfs, luks]) {
      for (const record of [undefined, started, done]) {
        for (const readOnly of [false, true]) {
          const mayFormat = probe.kind === 'blank' && record?.state !== 'done' && !readOnly;
          expect(decide({ probe, record, readOnly }) === 'format').toBe(mayFormat);
        }
      }
    }
  });

  it('names the device, what it holds and what is wanted', () => {
    const decision = decideFormat({
      device: '/dev/loop3',
      deviceBytes: 1000n,
      wanted: 'ext4',
      readOnly: false,
      probe: xfs,
      record: undefined,
    });
    expect(decision).toMatchObject({
      kind: 'refuse',
      error: {
        message: 'Cannot use "/dev/loop3": wrong fs type "xfs", wanted "ext4"',
        progress: 'final',
        facts: { hint: 'look at it with: blkid -p /dev/loop3' },
      },
    });
  });

  it('names both sizes when the device was cut', () => {
    const probe: ProbeResult = { kind: 'filesystem', fsType: 'ext4', sizeBytes: 2000n };
    const decision = decideFormat({
      ...{ device: '/dev/sdb', deviceBytes: 1000n, wanted: 'ext4', readOnly: true, probe, record: done },
    });
    expect(decision).toMatchObject({
      error: { message: 'Cannot use "/dev/sdb": it has 1000 bytes, the ext4 on it needs 2000', progress: 'final' },
    });
  });
});
