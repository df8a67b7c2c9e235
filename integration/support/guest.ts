/** A guest that a test holds from outside: boot, cut its power, boot again on the same disk. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareCheckout } from '../../scripts/guest/checkout.ts';
import { Guest } from '../../scripts/guest/guest.ts';
import { ensureImage } from '../../scripts/guest/image.ts';
import type { CommandResult } from '../../scripts/run-command.ts';

export class HeldGuest {
  readonly #directory = mkdtempSync(join(tmpdir(), 'moored-held-guest-'));
  readonly #disk = join(this.#directory, 'disk.cow');
  #guest: Guest | undefined;
  #setUp = '';

  /** Boots, for the first time or again on the same disk. The checkout is at its own path. */
  async boot(): Promise<this> {
    if (this.#guest !== undefined) throw new Error('Cannot boot: the guest is up');
    this.#guest = await Guest.boot(await ensureImage(), { disk: this.#disk });
    this.#setUp = await prepareCheckout(this.#guest);
    return this;
  }

  /** Runs a script of bash in the checkout. Rejects when the guest ends before it does. */
  run(script: string): Promise<CommandResult> {
    if (this.#guest === undefined) throw new Error('Cannot run a command: the guest is down');
    return this.#guest.run(`${this.#setUp}\n${script}`);
  }

  /** The same, telling of each line of its stdout as it comes. */
  async follow(script: string, onLine: (line: string) => void): Promise<void> {
    if (this.#guest === undefined) throw new Error('Cannot run a command: the guest is down');
    const ends = { stdout: '', stderr: '' };
    const onOutput = (stream: 'stdout' | 'stderr', bytes: Buffer): void => {
      const lines = (ends[stream] + bytes.toString()).split('\n');
      ends[stream] = stream === 'stdout' ? (lines.pop() ?? '') : lines.join('\n');
      if (stream === 'stdout') lines.forEach(onLine);
    };
    const { code } = await this.#guest.run(`${this.#setUp}\n${script}`, { onOutput });
    if (code !== 0) throw new Error(`exit code ${code} of:\n${script}\n${ends.stderr}`);
  }

  /** The same, and what it printed; throws with its stderr when it fails. */
  async must(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(script);
    if (code !== 0) throw new Error(`exit code ${code} of:\n${script}\n${stdout}${stderr}`);
    return stdout.trim();
  }

  /** Pulls the plug: what had not reached the disk is lost. */
  async powerCut(): Promise<void> {
    const guest = this.#guest;
    this.#guest = undefined;
    await guest?.powerCut();
  }

  /** An orderly end, as by `systemctl poweroff`. */
  async shutDown(): Promise<void> {
    const guest = this.#guest;
    this.#guest = undefined;
    await guest?.shutDown();
  }

  /** Ends the test: the guest and its disk are gone. */
  async dispose(): Promise<void> {
    await this.powerCut();
    rmSync(this.#directory, { recursive: true });
  }
}
