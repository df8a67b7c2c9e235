import { describe, expect, it } from 'vitest';
import {
  decodeLoopInfo,
  emptyLoopInfo,
  encodeLoopConfig,
  encodeLoopInfo,
  LO_FLAGS_AUTOCLEAR,
  LO_FLAGS_DIRECT_IO,
  LO_FLAGS_READ_ONLY,
  withFlags,
} from './loop-ioctl.ts';

const nameIn = (info: Buffer) => info.toString('utf8', 56, info.indexOf(0, 56));

describe('struct loop_info64', () => {
  it('is as large as sizeof says', () => {
    expect(emptyLoopInfo()).toHaveLength(232);
  });

  it('has its fields where linux/loop.h has them', () => {
    const info = emptyLoopInfo();
    info.writeBigUInt64LE(0xfd_00n, 0);
    info.writeBigUInt64LE(2n ** 63n + 7n, 8);
    info.writeBigUInt64LE(99n, 16);
    info.writeBigUInt64LE(1_048_576n, 24);
    info.writeBigUInt64LE(4096n, 32);
    info.writeUInt32LE(12, 40);
    info.writeUInt32LE(LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR, 52);
    expect(decodeLoopInfo(info)).toEqual({
      device: 0xfd_00n,
      inode: 2n ** 63n + 7n,
      offset: 1_048_576n,
      sizeLimit: 4096n,
      number: 12,
      flags: 5,
    });
  });

  it('asks for the whole file, with the flags and the name given', () => {
    const info = encodeLoopInfo('/var/lib/x.img', LO_FLAGS_DIRECT_IO);
    expect(decodeLoopInfo(info)).toMatchObject({ offset: 0n, sizeLimit: 0n, flags: LO_FLAGS_DIRECT_IO });
    expect(nameIn(info)).toBe('/var/lib/x.img');
  });

  it('keeps the end of a long path and a NUL after it', () => {
    const info = encodeLoopInfo(`/${'d'.repeat(80)}/last.img`, 0);
    expect(nameIn(info)).toBe(`${'d'.repeat(54)}/last.img`);
    expect(info[56 + 63]).toBe(0);
  });

  it('fills 63 bytes exactly and cuts no character in two', () => {
    expect(nameIn(encodeLoopInfo('x'.repeat(63), 0))).toHaveLength(63);
    // 2 bytes each: 63 is in the middle of one.
    const name = nameIn(encodeLoopInfo('ä'.repeat(40), 0));
    expect(name).toBe('ä'.repeat(31));
  });

  it('changes flags and nothing else', () => {
    const info = encodeLoopInfo('/x.img', LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO);
    info.writeBigUInt64LE(512n, 24);
    const changed = withFlags(info, LO_FLAGS_DIRECT_IO);
    expect(decodeLoopInfo(changed)).toEqual({ ...decodeLoopInfo(info), flags: LO_FLAGS_DIRECT_IO });
    expect(nameIn(changed)).toBe('/x.img');
    expect(decodeLoopInfo(info).flags).toBe(LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO);
  });
});

describe('struct loop_config', () => {
  it('is fd, block size, info and 64 zero bytes', () => {
    const info = encodeLoopInfo('/x.img', LO_FLAGS_READ_ONLY);
    const config = encodeLoopConfig(21, 512, info);
    expect(config).toHaveLength(304);
    expect([config.readUInt32LE(0), config.readUInt32LE(4)]).toEqual([21, 512]);
    expect(config.subarray(8, 240)).toEqual(info);
    expect(config.subarray(240)).toEqual(Buffer.alloc(64));
  });
});
