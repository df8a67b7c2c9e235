import type { BlockProbe } from '../ports/block-probe.ts';
import type { ChildOptions, ChildProcesses } from '../ports/child-processes.ts';
import { isFilesystemType } from '../world/filesystem-type.ts';
import { decideProbe, type ToolAnswer } from '../world/probe-decision.ts';
import type { ProbeResult } from '../world/probe-result.ts';
import { StorageError } from '../world/storage-error.ts';
import { type BlockDevice, describeBlockDevice } from './block-device.ts';
import { forReading } from './confinement.ts';
import { readFilesystemSize } from './filesystem-size.ts';

/** How much of each end must be zeros. The signatures that blkid knows lie there, save two of VMware's at 1 and 2 MiB. */
const probedBytes = 1n << 20n;
const deadlineMs = 30_000;

/** blkid(8) and cmp(1), each in a child of its own and all at once: the device is only ever read there. */
export class LinuxBlockProbe implements BlockProbe {
  readonly #children: ChildProcesses;

  constructor(children: ChildProcesses) {
    this.#children = children;
  }

  describe(device: string): BlockDevice {
    return describeBlockDevice(device);
  }

  async probe(device: string, signal: AbortSignal): Promise<ProbeResult> {
    const before = describeBlockDevice(device);
    const { sizeBytes } = before;
    const length = sizeBytes < probedBytes ? sizeBytes : probedBytes;
    const reads = [
      this.#read('blkid', ['-p', '-o', 'export', device], { signal, deadlineMs, confinement: forReading }),
      this.#read('cmp', compareWithZeros(device, 0n, length), { signal, deadlineMs }),
      this.#read('cmp', compareWithZeros(device, sizeBytes - length, length), { signal, deadlineMs }),
    ] as const;
    // All of them, also after one has failed: nobody reads the device any more when the caller goes on.
    await Promise.allSettled(reads);
    const [blkid, head, tail] = await Promise.all(reads);
    assertSameDevice(device, before);
    const decision = decideProbe({ device, sizeBytes, blkid, head, tail });
    if (decision.kind === 'unknown') throw decision.error;
    if (decision.kind !== 'filesystem' || !isFilesystemType(decision.fsType)) return decision;
    return { ...decision, sizeBytes: await readFilesystemSize(device, decision.fsType, this.#children, signal) };
  }

  /** Only reads, so that whatever happened to the child, nothing happened to the device. */
  async #read(tool: string, args: readonly string[], options: ChildOptions): Promise<ToolAnswer> {
    try {
      return await this.#children.run(tool, args, options);
    } catch (cause) {
      if (!(cause instanceof StorageError)) throw cause;
      const { code, facts, message } = cause;
      throw new StorageError(message, { ...facts, code, progress: 'transient', cause });
    }
  }
}

function compareWithZeros(device: string, skip: bigint, length: bigint): readonly string[] {
  return ['-n', `${length}`, '-i', `${skip}:0`, device, '/dev/zero'];
}

function assertSameDevice(device: string, before: BlockDevice): void {
  const after = describeBlockDevice(device);
  const isSame =
    after.deviceNumber === before.deviceNumber &&
    after.diskSequence === before.diskSequence &&
    after.sizeBytes === before.sizeBytes;
  if (isSame) return;
  throw new StorageError(`Cannot tell what is on "${device}": it became another device while it was read`, {
    code: 'Aborted',
    progress: 'transient',
    operation: 'probe',
    source: device,
  });
}
