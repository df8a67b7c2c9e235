/** A device-mapper device over an image, whose target can be changed while it is in use (dmsetup(8)). */
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './kernel-facts.ts';

const sectorBytes = 512;

export class DmDevice implements Disposable {
  readonly name: string;
  readonly path: string;
  readonly image: string;
  readonly sectors: number;
  readonly #loop: string;

  constructor(name: string, mebibytes: number, directory = process.env['MOORED_TEST_DIR'] ?? '') {
    this.name = `moored-${name}`;
    this.path = `/dev/mapper/${this.name}`;
    this.image = join(directory, `${this.name}.img`);
    this.sectors = (mebibytes * 2 ** 20) / sectorBytes;
    writeFileSync(this.image, '');
    truncateSync(this.image, mebibytes * 2 ** 20);
    this.#loop = run('/usr/sbin/losetup', '--find', '--show', this.image).trim();
    run('/usr/sbin/dmsetup', 'create', this.name, '--table', this.line(0, this.sectors, 'linear'));
    run('/usr/bin/udevadm', 'settle');
  }

  /** One line of a table. `linear`, `flakey` and `delay` get the device and their offset. */
  line(start: number, length: number, target: string, ...args: readonly string[]): string {
    const source = target === 'error' || target === 'zero' ? [] : [this.#loop, `${start}`];
    return [start, length, target, ...source, ...args].join(' ');
  }

  /** Changes it under whoever uses it; what is under way is neither flushed nor frozen, as when a disk is pulled. */
  load(...lines: readonly string[]): void {
    run('/usr/sbin/dmsetup', 'suspend', '--noflush', '--nolockfs', this.name);
    run('/usr/sbin/dmsetup', 'load', this.name, '--table', lines.join('\n'));
    run('/usr/sbin/dmsetup', 'resume', this.name);
  }

  /** As it was made. */
  heal(): void {
    this.load(this.line(0, this.sectors, 'linear'));
  }

  /** From here on, `bytes` of its start are well and the rest answers EIO. */
  failFrom(bytes: number): void {
    const start = bytes / sectorBytes;
    const well = start === 0 ? [] : [this.line(0, start, 'linear')];
    this.load(...well, this.line(start, this.sectors - start, 'error'));
  }

  [Symbol.dispose](): void {
    run('/usr/sbin/dmsetup', 'remove', '--retry', this.name);
    run('/usr/sbin/losetup', '--detach', this.#loop);
  }
}
