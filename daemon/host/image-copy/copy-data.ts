import { readSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { fromNode } from '../node-errno.ts';
import { failedWith } from '../syscall-error.ts';
import { copyFileRange, lseek } from '../syscalls.ts';

const SEEK_SET = 0;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
/** So much between two looks at whether to go on. */
const chunkBytes = 16n * 1024n * 1024n;

/**
 * Copies what is written of a file, hole for hole, into an empty one. By copy_file_range(2): in the kernel, and on one
 * filesystem it may share blocks.
 * @param assertGoesOn called between chunks with the bytes that are done; throws to give up
 */
export async function copyData(
  from: number,
  to: number,
  size: bigint,
  assertGoesOn: (done: bigint) => void,
): Promise<void> {
  let done = 0n;
  for (let start = nextData(from, 0n, size); start < size; ) {
    const end = endOfData(from, start, size);
    for (let at = start; at < end; ) {
      assertGoesOn(done);
      const wanted = end - at < chunkBytes ? end - at : chunkBytes;
      const count = BigInt(copyChunk(from, to, at, Number(wanted)));
      // Shorter than its length: somebody cut it; the rest is a hole.
      if (count === 0n) return;
      at += count;
      done += count;
      // Here a signal is heard.
      await setImmediate();
    }
    start = nextData(from, end, size);
  }
}

let buffer: Buffer | undefined;

function copyChunk(from: number, to: number, at: bigint, length: number): number {
  lseek(from, at, SEEK_SET);
  lseek(to, at, SEEK_SET);
  try {
    return copyFileRange(from, to, length);
  } catch (thrown) {
    // Between two kinds of filesystem the kernel does not do it (since 5.19).
    if (!failedWith(thrown, 'EXDEV', 'EINVAL', 'EOPNOTSUPP')) throw thrown;
  }
  buffer ??= Buffer.alloc(Number(chunkBytes));
  const bytes = buffer.subarray(0, length);
  return fromNode(() => {
    const count = readSync(from, bytes, 0, length, at);
    for (let done = 0; done < count; ) done += writeSync(to, bytes, done, count - done, Number(at) + done);
    return count;
  });
}

/** Where data begins, from `start` on; `size` when there is none. */
function nextData(fd: number, start: bigint, size: bigint): bigint {
  if (start >= size) return size;
  try {
    const at = lseek(fd, start, SEEK_DATA);
    return at < size ? at : size;
  } catch (thrown) {
    if (failedWith(thrown, 'ENXIO')) return size;
    // A filesystem that does not know: all of it.
    if (failedWith(thrown, 'EINVAL')) return start;
    throw thrown;
  }
}

function endOfData(fd: number, start: bigint, size: bigint): bigint {
  try {
    const at = lseek(fd, start, SEEK_HOLE);
    return at < size ? at : size;
  } catch (thrown) {
    if (failedWith(thrown, 'EINVAL')) return size;
    throw thrown;
  }
}
