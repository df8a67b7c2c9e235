/** One sample: its steps, on a daemon, each looked at in what `moorctl` prints and in the mount table. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ClaimView, PodView } from '../../daemon/control/protocol.ts';
import type { DaemonProcess } from '../support/daemon-process.ts';
import { eventually } from '../support/eventually.ts';
import { loopDevices, mountsAt } from '../support/kernel-facts.ts';

export type SampleStep =
  /** Files of this folder, put into the manifest directory; `edit` is what a reader would change in them. */
  | { readonly apply: readonly string[]; readonly edit?: Readonly<Record<string, string>> }
  | { readonly remove: readonly string[] }
  /** What `moorctl ARGUMENTS` must come to print. */
  | { readonly moorctl: string; readonly prints: RegExp }
  /** The mount table must have the volume at its path, of this filesystem (none: a directory), with its image there. */
  | { readonly mounted: VolumeOfPod; readonly fsType: string; readonly imageBelow?: string }
  | { readonly write: VolumeOfPod; readonly text: string }
  | { readonly read: VolumeOfPod; readonly text: string };

export interface VolumeOfPod {
  readonly pod: string;
  readonly volume: string;
  readonly namespace?: string;
}

export interface Sample {
  readonly id: string;
  readonly says: string;
  /** Directories of the samples, made for the test and put in the place of these. */
  readonly directories?: readonly string[];
  readonly steps: readonly SampleStep[];
}

/** Stands in an edit for the uid of a claim, which nobody knows before: "uid of claim NAME". */
const uidOf = /^uid of claim (\S+)$/;

export class SampleRun {
  readonly #daemon: DaemonProcess;
  readonly #sample: Sample;
  readonly #directories: ReadonlyMap<string, string>;

  constructor(daemon: DaemonProcess, sample: Sample) {
    this.#daemon = daemon;
    this.#sample = sample;
    const { directories = [] } = sample;
    this.#directories = new Map(directories.map((path) => [path, join(daemon.base, path.replaceAll('/', '_'))]));
  }

  async run(): Promise<void> {
    for (const directory of this.#directories.values()) mkdirSync(directory);
    for (const step of this.#sample.steps) await this.#perform(step);
  }

  async #perform(step: SampleStep): Promise<void> {
    if ('apply' in step) {
      const changes = [...Object.entries(step.edit ?? {}), ...this.#directories];
      for (const name of step.apply) await this.#apply(name, changes);
    } else if ('remove' in step) {
      for (const name of step.remove) this.#daemon.remove(`${name}.yaml`);
    } else if ('moorctl' in step) await this.#prints(step.moorctl, step.prints);
    else if ('mounted' in step) await this.#isMounted(step);
    else if ('write' in step) writeFileSync(join(await this.#pathOf(step.write), 'file'), step.text);
    else expect(readFileSync(join(await this.#pathOf(step.read), 'file'), 'utf8')).toBe(step.text);
  }

  async #apply(name: string, changes: readonly (readonly [string, string])[]): Promise<void> {
    let text = readFileSync(join(import.meta.dirname, `${name}.yaml`), 'utf8');
    for (const [from, to] of changes) {
      const claim = uidOf.exec(to)?.[1];
      const uid = claim && (await this.#daemon.json<ClaimView>('pvc', claim)).metadata.uid;
      text = text.replaceAll(from, uid ?? to);
    }
    this.#daemon.apply(`${name}.yaml`, text);
  }

  async #prints(command: string, wanted: RegExp): Promise<void> {
    await eventually(async () => {
      const { code, stdout, stderr } = await this.#daemon.ctl(...command.split(' '));
      const isSo = code === 0 && wanted.test(stdout);
      return isSo || `moorctl ${command} does not print ${wanted}:\n${stdout}${stderr}`;
    });
  }

  async #isMounted({ mounted, fsType, imageBelow }: Extract<SampleStep, { mounted: VolumeOfPod }>): Promise<void> {
    const path = await this.#pathOf(mounted);
    const [mount] = mountsAt(path);
    expect(mount?.fsType ?? 'none').toBe(fsType);
    expect(statSync(path).isDirectory()).toBe(true);
    if (imageBelow === undefined) return;
    const image = loopDevices().get(mount?.source ?? '') ?? 'no image';
    expect(image.startsWith(`${this.#directories.get(imageBelow)}/`), image).toBe(true);
  }

  /** Waits until the daemon says that the volume is mounted, and that it does not lie. */
  async #pathOf({ pod, volume, namespace = 'default' }: VolumeOfPod): Promise<string> {
    await eventually(async () => {
      const { code, stdout } = await this.#daemon.ctl('get', 'pods', pod, '-n', namespace, '-o', 'json');
      const volumes = code === 0 ? (JSON.parse(stdout) as PodView).status.volumes : [];
      return volumes.some(({ name, state }) => name === volume && state === 'Mounted') || JSON.stringify(volumes);
    });
    await this.#daemon.honest();
    const { stdout } = await this.#daemon.ctl('path', `pod/${pod}`, volume, '-n', namespace);
    return stdout.trim();
  }
}
