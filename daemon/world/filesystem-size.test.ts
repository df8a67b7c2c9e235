import { describe, expect, it } from 'vitest';
import { bytesOfDump, filesystemBytes, superblockPlaces } from './filesystem-size.ts';
import { filesystemTypes } from './filesystem-type.ts';

const blank = (length: number) => new DataView(new ArrayBuffer(length));

function ext4(change: (view: DataView) => void = () => {}): DataView {
  const view = blank(1024);
  view.setUint32(0x4, 16_384, true);
  view.setUint32(0x18, 2, true);
  view.setUint16(0x38, 0xef53, true);
  change(view);
  return view;
}

function xfs(): DataView {
  const view = blank(512);
  view.setUint32(0, 0x58465342);
  view.setUint32(4, 4096);
  view.setBigUint64(8, 81_920n);
  return view;
}

function btrfs(): DataView {
  const view = blank(4096);
  for (const [index, byte] of [...Buffer.from('_BHRfS_M')].entries()) view.setUint8(0x40 + index, byte);
  view.setBigUint64(0x70, 999_999n, true);
  view.setBigUint64(0xd1, 134_217_728n, true);
  return view;
}

describe('filesystemBytes', () => {
  it.each([
    ['ext4 of 4 KiB blocks', 'ext4', ext4(), 67_108_864n],
    ['ext4 of 1 KiB blocks', 'ext4', ext4((view) => view.setUint32(0x18, 0, true)), 16_777_216n],
    [
      'ext4 of more than 2^32 blocks',
      'ext4',
      ext4((view) => {
        view.setUint32(0x60, 0x80, true);
        view.setUint32(0x150, 1, true);
      }),
      (2n ** 32n + 16_384n) * 4096n,
    ],
    [
      'ext4 without 64bit, whatever stands in the high half',
      'ext4',
      ext4((view) => view.setUint32(0x150, 1, true)),
      67_108_864n,
    ],
    ['xfs', 'xfs', xfs(), 335_544_320n],
    ['btrfs, of this device alone', 'btrfs', btrfs(), 134_217_728n],
  ] as const)('reads %s', (_name, fsType, view, bytes) => {
    expect(filesystemBytes(fsType, view)).toBe(bytes);
  });

  it.each(filesystemTypes)('takes zeros, another filesystem and half a block for no %s', (fsType) => {
    const { length } = superblockPlaces[fsType];
    expect(filesystemBytes(fsType, blank(length))).toBeUndefined();
    expect(filesystemBytes(fsType, blank(length - 1))).toBeUndefined();
    expect(filesystemBytes(fsType, blank(0))).toBeUndefined();
    const others = { ext4: xfs(), xfs: btrfs(), btrfs: ext4() };
    expect(filesystemBytes(fsType, others[fsType])).toBeUndefined();
  });

  it('reads what od prints', () => {
    const view = bytesOfDump(' 58 46 53 42\n 00 00 10 00\n');
    expect([view.byteLength, view.getUint32(0), view.getUint32(4)]).toEqual([8, 0x58465342, 4096]);
  });
});
