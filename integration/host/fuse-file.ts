/**
 * The smallest FUSE server: one file of 1 MiB, mounted over the file that is the argument, until stdin ends. It says
 * "mounted" on stdout. Structures: linux/fuse.h, protocol 7.31.
 */
import { spawnSync } from 'node:child_process';
import { constants, openSync, readSync, writeSync } from 'node:fs';

const FORGET = 2;
const INTERRUPT = 36;
const ENOSYS = -38;

const target = process.argv[2] ?? '';
const device = openSync('/dev/fuse', constants.O_RDWR | constants.O_NONBLOCK);
// A root inode that is a regular file: then there is nothing to look up.
const options = 'fd=3,rootmode=100000,user_id=0,group_id=0';
const mounted = spawnSync('mount', ['-i', '-t', 'fuse', '-o', options, 'one-file', target], {
  stdio: ['ignore', 'inherit', 'inherit', device],
});
if (mounted.status !== 0) process.exit(1);
console.log('mounted');
process.stdin.resume();
process.stdin.once('end', () => process.exit());
setInterval(serve, 2);

function serve(): void {
  const request = Buffer.alloc(1 << 20);
  for (;;) {
    try {
      readSync(device, request);
    } catch {
      return;
    }
    const opcode = request.readUInt32LE(4);
    if (opcode !== FORGET && opcode !== INTERRUPT)
      writeSync(device, reply(request.readBigUInt64LE(8), answers[opcode]));
  }
}

/** struct fuse_out_header, then the answer. */
function reply(unique: bigint, answer: (() => Buffer) | undefined): Buffer {
  const body = answer?.() ?? Buffer.alloc(0);
  const header = Buffer.alloc(16);
  header.writeUInt32LE(16 + body.length, 0);
  header.writeInt32LE(answer === undefined ? ENOSYS : 0, 4);
  header.writeBigUInt64LE(unique, 8);
  return Buffer.concat([header, body]);
}

const answers: Readonly<Record<number, () => Buffer>> = {
  // FUSE_GETATTR: struct fuse_attr_out
  3() {
    const body = Buffer.alloc(104);
    body.writeBigUInt64LE(1n, 16);
    body.writeBigUInt64LE(1_048_576n, 24);
    body.writeUInt32LE(0o100600, 76);
    body.writeUInt32LE(1, 80);
    return body;
  },
  // FUSE_OPEN, FUSE_STATFS, FUSE_RELEASE, FUSE_FLUSH
  14: () => Buffer.alloc(16),
  17: () => Buffer.alloc(80),
  18: () => Buffer.alloc(0),
  25: () => Buffer.alloc(0),
  // FUSE_INIT: struct fuse_init_out
  26() {
    const body = Buffer.alloc(64);
    body.writeUInt32LE(7, 0);
    body.writeUInt32LE(31, 4);
    body.writeUInt32LE(4096, 20);
    return body;
  },
};
