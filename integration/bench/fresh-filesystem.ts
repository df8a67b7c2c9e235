import { mkdirSync, mkdtempSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually.ts';
import { loopDevices, mounts, mountsBelow, run } from '../support/kernel-facts.ts';

const bytes = 64 * 2 ** 30;

/**
 * An empty ext4 of its own for each run: mkdir in a directory whose inodes were deleted a moment ago takes up to ten times
 * as long, so that a run would measure the one before it.
 */
export class FreshFilesystem implements AsyncDisposable {
  readonly path: string;
  readonly #base: string;
  readonly #image: string;
  readonly #mountsBefore: number;

  /** @param disk directory for its image; without one it lies in memory */
  constructor(disk: string | undefined) {
    const parent = process.env['MOORED_TEST_DIR'];
    if (parent === undefined) throw new Error('Cannot run: MOORED_TEST_DIR is not set, use npm run bench');
    this.#mountsBefore = mounts().length;
    this.#base = mkdtempSync(join(parent, 'fresh-'));
    run('mount', '-t', 'tmpfs', '-o', 'mode=0755,size=80%', 'moored-bench', this.#base);
    this.#image = join(disk === undefined ? this.#base : mkdtempSync(join(disk, 'moored-bench-')), 'disk.img');
    this.path = join(this.#base, 'disk');
    mkdirSync(this.path);
    writeFileSync(this.#image, '');
    truncateSync(this.#image, bytes);
    run('mkfs.ext4', '-q', '-E', 'lazy_itable_init=1,lazy_journal_init=1,nodiscard', this.#image);
    const device = run('losetup', '--find', '--show', '--direct-io=on', this.#image).trim();
    run('mount', '-t', 'ext4', '-o', 'noinit_itable', device, this.path);
    // It goes with its last mount.
    run('losetup', '--detach', device);
    if (statfsSync(this.path).type !== 0xef53) throw new Error(`Cannot use "${this.path}": not ext4`);
  }

  /** Throws when a tool left something, after removing that too. */
  async [Symbol.asyncDispose](): Promise<void> {
    const isOurs = (file: string) => file.startsWith(`${this.#base}/`) && file !== this.#image;
    const leftMounts = mountsBelow(this.path).slice(1);
    for (const { target } of leftMounts.toReversed()) run('umount', target);
    const leftLoops = () => [...loopDevices()].filter(([, file]) => isOurs(file));
    // The kernel detaches a device a moment after its last user has closed it.
    const isClean = await eventually(() => leftLoops().length === 0, 5000).then(
      () => leftMounts.length === 0,
      () => false,
    );
    for (const [device] of leftLoops()) run('losetup', '--detach', device);
    run('umount', this.path);
    run('umount', this.#base);
    if (!this.#image.startsWith(this.#base)) rmSync(join(this.#image, '..'), { recursive: true });
    if (!isClean) throw new Error(`A tool left mounts or loop devices behind below "${this.path}"`);
    const after = mounts().length;
    if (after > this.#mountsBefore) throw new Error(`${this.#mountsBefore} mounts before a run, ${after} after it`);
  }
}
