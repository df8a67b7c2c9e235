/** Plays a history of the model on the real machine, lets it come to rest, looks at everything, and takes it all down. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Step } from '../../model/history.ts';
import { fileName, writtenText } from '../../model/manifest-writes.ts';
import { Random } from '../../model/random.ts';
import { eventually } from '../../support/eventually.ts';
import { mountsBelow } from '../../support/kernel-facts.ts';
import { assertHonestStatus } from '../../support/status-check.ts';
import { administer } from './admin.ts';
import { mendBlankImage } from './brought-images.ts';
import { RealMachine } from './real-machine.ts';
import { checkStep, whatIsMissing } from './real-oracles.ts';
import { checkImages, checkMountedData, writeData } from './workload.ts';

export interface RealOutcome {
  readonly violations: readonly string[];
  readonly journal: readonly string[];
  readonly deaths: number;
  /** What workloads wrote, and what was mounted in the end. */
  readonly writes: number;
  readonly mounts: number;
}

/** Longer than any backoff that a history of some seconds can have grown. */
const calmMs = 90_000;

export async function runRealHistory(
  history: readonly Step[],
  name: string,
  onTrace: (line: string) => void,
): Promise<RealOutcome> {
  const machine = new RealMachine(name, onTrace);
  const player = new Player(machine);
  let violations: readonly string[];
  try {
    violations = await player.play(history);
  } catch (error) {
    violations = [error instanceof Error ? error.message : String(error)];
  }
  await machine.daemon.kill('SIGKILL');
  if (violations.length === 0) machine.dispose();
  const { deaths, mounts } = player;
  return {
    violations,
    journal: [...machine.journal, machine.daemon.log],
    deaths,
    mounts,
    writes: machine.written.size,
  };
}

class Player {
  readonly #machine: RealMachine;
  deaths = 0;
  mounts = 0;

  constructor(machine: RealMachine) {
    this.#machine = machine;
  }

  async play(history: readonly Step[]): Promise<readonly string[]> {
    const machine = this.#machine;
    machine.daemon.start();
    for (const step of history) {
      machine.random = new Random(step.salt);
      machine.trace(JSON.stringify(step));
      await this.#take(step);
      const wrong = checkStep(machine);
      if (wrong.length > 0) return wrong;
    }
    await this.#calm();
    machine.trace('at rest');
    const wrong = [...(await this.#killAtRest()), ...checkMountedData(machine)];
    return wrong.length > 0 ? wrong : this.#takeDown();
  }

  async #take(step: Step): Promise<void> {
    const machine = this.#machine;
    const { daemon, random } = machine;
    switch (step.kind) {
      case 'write':
        machine.write(fileName(step.file), writtenText(step, random), step.declarations, step.how === 'whole');
        return sleep(random.below(300));
      case 'remove':
        machine.remove(fileName(step.file));
        return sleep(random.below(300));
      case 'rename':
        machine.rename(fileName(step.file), fileName(step.to));
        return sleep(random.below(300));
      case 'directory':
        machine.directoryState = step.state;
        return sleep(random.below(300));
      case 'admin':
        administer(step.act, machine);
        return sleep(random.below(50));
      case 'workload':
        return writeData(machine);
      case 'wait':
        return sleep(Math.min(step.ms, 1_000));
      case 'crash':
        return this.#crash(step);
      case 'restart':
        await daemon.kill('SIGTERM');
        daemon.start();
        machine.isDraining = false;
        return;
      case 'drain':
        return this.#drain();
      case 'calm':
        return this.#calm();
      case 'faults':
      case 'stateDisk':
        // The model's alone: a real port does not fail at will, and state-disk.test.ts has a disk that does.
        return;
    }
  }

  /** Where the model counts calls, time passes here: the death comes somewhere. */
  async #crash({ calls, again }: Extract<Step, { kind: 'crash' }>): Promise<void> {
    const { daemon } = this.#machine;
    const deaths = again > 0 ? [calls * 5, again * 20, again * 40] : [calls * 5];
    for (const ms of deaths) {
      await sleep(ms);
      await daemon.kill('SIGKILL');
      this.deaths++;
      daemon.start();
    }
    this.#machine.isDraining = false;
  }

  /** Asked for, and not waited for. */
  async #drain(): Promise<void> {
    const machine = this.#machine;
    const asked = new AbortController();
    const drained = machine.daemon.client.drain(asked.signal).catch((error: unknown) => machine.trace(String(error)));
    await sleep(500);
    asked.abort();
    await drained;
    machine.isDraining = true;
  }

  /** What an admin broke he mends; then the daemon must come to rest where the manifests say, and be honest about it. */
  async #calm(): Promise<void> {
    const machine = this.#machine;
    const { daemon } = machine;
    machine.trace('calm');
    machine.directoryState = 'readable';
    for (const name of [...machine.halfWritten]) machine.remove(name);
    for (const { target } of [...machine.foreign].reverse()) machine.unmountTop(target);
    for (let tries = machine.aside.length; tries > 0; tries--) machine.restoreImage();
    await mendBlankImage(machine.imageDirectory);
    if (machine.isDraining) {
      await daemon.kill('SIGKILL');
      daemon.start();
      machine.isDraining = false;
    }
    await this.#atRest();
    await assertHonestStatus(daemon.client);
  }

  async #atRest(): Promise<void> {
    await eventually(async () => {
      const missing = await whatIsMissing(this.#machine).catch((error: unknown) => [String(error)]);
      return missing.length === 0 || missing.join('\n');
    }, calmMs);
  }

  /** A death while nothing is to be done takes no mount from anybody. */
  async #killAtRest(): Promise<readonly string[]> {
    const { daemon } = this.#machine;
    const lines = (): readonly string[] => mountsBelow(daemon.rootDir).map(({ line }) => line);
    const before = lines();
    this.mounts = before.length;
    await daemon.kill('SIGKILL');
    daemon.start();
    await this.#atRest();
    const after = lines();
    return before.filter((line) => !after.includes(line)).map((line) => `a death at rest cost the mount: ${line}`);
  }

  /** Nothing is declared any more: nothing may be left, and data is where it was. */
  async #takeDown(): Promise<readonly string[]> {
    const machine = this.#machine;
    const { daemon } = machine;
    machine.trace('take down');
    for (const name of [...machine.files.keys()]) machine.remove(name);
    await eventually(() => daemon.isEmpty().catch(String), calmMs);
    const code = await daemon.stop();
    machine.trace('down');
    return [...(code === 0 ? [] : [`the daemon ends with ${code}`]), ...checkImages(machine)];
  }
}
