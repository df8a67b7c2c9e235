import { closeSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Playground, tool } from './real-mounts.ts';

export const mebibyte = 1024 * 1024;

export interface RealDevice {
  readonly path: string;
  readonly image: string;
}

/** Loop devices on sparse images in memory, detached at the end; a detach that fails is an error. */
export class RealDevices implements Disposable {
  readonly root: string;
  readonly #playground = new Playground();
  readonly #attached = new Set<string>();
  readonly #frozen = new Set<string>();
  #count = 0;

  constructor() {
    this.root = this.tmpfs('75%');
  }

  /** An empty directory on a tmpfs of its own. */
  tmpfs(size: number | string): string {
    const path = this.directory();
    tool('mount', '-t', 'tmpfs', '-o', `size=${size}`, 'devices', path);
    return path;
  }

  directory(): string {
    this.#count += 1;
    return this.#playground.directory(`${this.#count}`);
  }

  /** A device of zeros: nothing of its image was ever written. */
  blank(sizeBytes: number, ...losetupOptions: readonly string[]): RealDevice {
    return this.attach(this.image(sizeBytes), ...losetupOptions);
  }

  image(sizeBytes: number, directory = this.root): string {
    this.#count += 1;
    const image = join(directory, `${this.#count}.img`);
    writeFileSync(image, '');
    truncateSync(image, sizeBytes);
    return image;
  }

  attach(image: string, ...losetupOptions: readonly string[]): RealDevice {
    const path = tool('losetup', '--find', '--show', ...losetupOptions, image);
    this.#attached.add(path);
    return { path, image };
  }

  /** Takes the device off its image and puts it on another. */
  replace(device: RealDevice, image: string): RealDevice {
    this.detach(device);
    tool('losetup', device.path, image);
    this.#attached.add(device.path);
    return { path: device.path, image };
  }

  detach({ path }: RealDevice): void {
    tool('losetup', '--detach', path);
    this.#attached.delete(path);
  }

  /** Whoever writes below `target` waits in the kernel, and no signal ends that, until the thaw. */
  freeze(target: string): void {
    tool('fsfreeze', '--freeze', target);
    this.#frozen.add(target);
  }

  thaw(target: string): void {
    tool('fsfreeze', '--unfreeze', target);
    this.#frozen.delete(target);
  }

  [Symbol.dispose](): void {
    try {
      // A test that ran into its deadline leaves it frozen, and then nobody could ever end what waits.
      for (const target of this.#frozen) tool('fsfreeze', '--unfreeze', target);
      for (const path of this.#attached) tool('losetup', '--detach', path);
      const left = tool('losetup', '--all', '--noheadings', '--output', 'NAME,BACK-FILE').split('\n');
      const ours = left.filter((line) => line.includes(this.root));
      if (ours.length > 0) throw new Error(`Loop devices left behind: ${ours.join(', ')}`);
    } finally {
      this.#playground[Symbol.dispose]();
    }
  }
}

/** Writes through the device, as another program would. */
export function writeAt({ path }: RealDevice, offset: number, bytes: string | Uint8Array): void {
  const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
  const fd = openSync(path, 'r+');
  try {
    if (writeSync(fd, data, 0, data.length, offset) !== data.length)
      throw new Error(`Cannot write "${path}": cut short`);
  } finally {
    closeSync(fd);
  }
  tool('sync', path);
}
