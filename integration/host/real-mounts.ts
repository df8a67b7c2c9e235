import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmdirSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MountTable } from '../../daemon/world/mount-table.ts';

/** Runs a tool of the machine, as somebody outside the daemon would; answers its stdout. */
export function tool(name: string, ...args: readonly string[]): string {
  return execFileSync(name, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

/**
 * A directory on its own small ext4, in the mount namespace of the test: what is mounted below it goes away with it.
 * Refuses to run where a mount could reach the machine.
 */
export class Playground implements Disposable {
  readonly root: string;
  readonly #outer: string;
  readonly #loops: string[] = [];

  constructor() {
    requirePrivateNamespace();
    this.#outer = realpathSync(mkdtempSync(join(tmpdir(), 'moored-host-')));
    tool('mount', '-t', 'tmpfs', 'playground', this.#outer);
    this.root = join(this.#outer, 'root');
    mkdirSync(this.root);
    tool('mount', this.ext4(join(this.#outer, 'root.img')), this.root);
  }

  /** An empty directory below the root. */
  directory(name: string): string {
    const path = join(this.root, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** A loop device with an empty ext4 in it, detached at the end. */
  ext4(image = join(this.#outer, `${this.#loops.length}.img`)): string {
    writeFileSync(image, '');
    truncateSync(image, 64 * 1024 * 1024);
    tool('mkfs.ext4', '-q', '-F', image);
    const device = tool('losetup', '--find', '--show', image);
    this.#loops.push(device);
    return device;
  }

  [Symbol.dispose](): void {
    try {
      tool('umount', '--recursive', '--lazy', this.#outer);
    } finally {
      for (const device of this.#loops) tool('losetup', '--detach', device);
    }
    rmdirSync(this.#outer);
  }
}

/** Waits until a change of the table brings what is wanted; fails after five seconds. */
export function untilTable(
  source: { current(): MountTable; onChange(listener: (table: MountTable) => void): () => void },
  isWanted: (table: MountTable) => boolean,
): Promise<MountTable> {
  const { promise, resolve, reject } = Promise.withResolvers<MountTable>();
  const deadline = setTimeout(() => reject(new Error('Cannot see the wanted mount table: no change brought it')), 5000);
  const stop = source.onChange((table) => {
    if (isWanted(table)) resolve(table);
  });
  return promise.finally(() => {
    clearTimeout(deadline);
    stop();
  });
}

function requirePrivateNamespace(): void {
  const own = readFileSync('/proc/self/mountinfo', 'utf8');
  const root = own.split('\n').find((line) => line.split(' ')[4] === '/');
  if (process.geteuid?.() !== 0 || root === undefined || root.includes(' shared:')) {
    throw new Error('Cannot test real mounts: run as root, by unshare --mount --propagation private');
  }
}
