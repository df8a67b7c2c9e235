/**
 * Kills the daemon before and after each step that it takes to bring a volume up, down, up again and down, and starts it
 * anew: what was half done must be finished, nothing lost, nothing left. The steps are those that a first run announces.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DaemonUnreachableError } from '../../daemon/control/control-client.ts';
import { loopDevices, mountsAt } from '../support/kernel-facts.ts';
import { type Backend, classes, pathOf, readData, writeData } from './backends.ts';
import { CrashingDaemon } from './crashing-daemon.ts';
import { type Sample, sampleDeaths } from './death-sample.ts';

const phases = ['up', 'down', 'up again', 'down again'] as const;
type Phase = (typeof phases)[number];

export interface MatrixRow {
  readonly backend: string;
  /** Steps of all phases. */
  steps: number;
  /** Deaths that were tried, reached or not. */
  runs: number;
  /** Points that the run did not come by: another order of concurrent steps. */
  missed: number;
  readonly failures: string[];
}

export interface MatrixOptions {
  readonly program: string;
  readonly sample: Sample;
  /** Which occurrence and which side. */
  readonly seed: number;
}

export async function runMatrix(backends: readonly Backend[], options: MatrixOptions): Promise<readonly MatrixRow[]> {
  const waiting = [...backends];
  const rows: MatrixRow[] = [];
  const lane = async (): Promise<void> => {
    for (let backend = waiting.shift(); backend !== undefined; backend = waiting.shift()) {
      rows.push(await runBackend(backend, options));
    }
  };
  await Promise.all([lane(), lane()]);
  return rows;
}

async function runBackend(backend: Backend, options: MatrixOptions): Promise<MatrixRow> {
  const daemon = new CrashingDaemon(options.program, backend.name);
  const row: MatrixRow = { backend: backend.name, steps: 0, runs: 0, missed: 0, failures: [] };
  try {
    daemon.apply('classes.yaml', classes);
    daemon.start();
    const recorded = await recordSteps(daemon, backend);
    row.steps = recorded.flat().length;
    const sample = options.sample === 'eachPhase' ? (backend.sample ?? 'eachPhase') : options.sample;
    const deaths = sampleDeaths(recorded, sample, options.seed);
    const cycles = Math.max(...deaths.map(({ length }) => length));
    for (let cycle = 0; cycle < cycles; cycle++) {
      await new Cycle(daemon, backend, `c${cycle}`).run((phase) => deaths[phase]?.[cycle], row);
    }
    await crashInReconstruction(daemon, backend, row);
  } catch (error) {
    row.failures.push(`${backend.name}: ${String(error)}\n${daemon.log}`);
  }
  await daemon.kill('SIGTERM');
  return row;
}

/** The steps of each phase. */
async function recordSteps(daemon: CrashingDaemon, backend: Backend): Promise<readonly (readonly string[])[]> {
  const steps: (readonly string[])[] = [];
  const record = join(daemon.base, 'steps');
  const cycle = new Cycle(daemon, backend, 'steps');
  for (const phase of phases) {
    await daemon.kill();
    rmSync(record, { force: true });
    daemon.start({ record });
    await cycle.pass(phase);
    await daemon.kill();
    steps.push(daemon.readSteps(record));
  }
  return steps;
}

/** One volume, up, down, up again and down, in a daemon that dies on the way. */
class Cycle {
  readonly #daemon: CrashingDaemon;
  readonly #backend: Backend;
  readonly #id: string;
  readonly #data: string;
  #filesystem: string | undefined;

  constructor(daemon: CrashingDaemon, backend: Backend, id: string) {
    this.#daemon = daemon;
    this.#backend = backend;
    this.#id = id;
    this.#data = `precious ${backend.name} ${id}`;
  }

  async run(pointOf: (phase: number) => string | undefined, row: MatrixRow): Promise<void> {
    const daemon = this.#daemon;
    let hasDied = await this.#begin(pointOf(0));
    for (const [index, phase] of phases.entries()) {
      const [point, next] = [pointOf(index), pointOf(index + 1)];
      this.#act(phase);
      const outcome = await this.#until(phase);
      this.#assertSameFilesystem();
      if (point !== undefined) {
        row.runs++;
        if (outcome === 'held' && !hasDied) row.missed++;
      }
      if (point !== undefined || next !== undefined) {
        await daemon.kill();
        daemon.start({ ...crashAt(next) });
      }
      hasDied = await this.right(phase);
    }
  }

  /** The next phase, and no death. */
  async pass(phase: Phase): Promise<void> {
    await this.#until(previous(phase));
    if (phase === 'up') await this.#backend.surroundings?.begin(this.#id);
    this.#act(phase);
    await this.right(phase);
  }

  /** Also when it dies of its next point while it is asked: what it does by the clock has no place of its own. */
  async right(phase: Phase): Promise<boolean> {
    for (let hasDied = false; ; hasDied = true) {
      const hasDiedBefore = await this.#reached(phase);
      try {
        await this.#check(phase);
        return hasDied || hasDiedBefore;
      } catch (error) {
        if (!(error instanceof DaemonUnreachableError)) throw error;
      }
    }
  }

  /** Waits for the end of the phase; a daemon that dies of its next point already is started once more: true. */
  async #reached(phase: Phase): Promise<boolean> {
    let hasDied = false;
    while ((await this.#until(phase)) === 'died') {
      hasDied = true;
      this.#daemon.start();
    }
    return hasDied;
  }

  async #begin(point: string | undefined): Promise<boolean> {
    await this.#daemon.kill();
    this.#daemon.start({ ...crashAt(point) });
    const hasDied = await this.#reached('down');
    await this.#backend.surroundings?.begin(this.#id);
    return hasDied;
  }

  #until(phase: Phase): Promise<'held' | 'died'> {
    const { pods } = this.#backend;
    return phase === 'up' || phase === 'up again'
      ? this.#daemon.until(`${this.#id} ${phase}`, () => this.#isUp(pods(this.#id)))
      : this.#daemon.until(`${this.#id} ${phase}`, () => this.#isDown());
  }

  /** Pods may have had their volumes before the copies that are made beside them are there. */
  async #isUp(pods: readonly string[]): Promise<boolean | string> {
    const areReady = await this.#daemon.areReady(pods);
    return areReady === true && this.#backend.faults !== undefined ? this.#daemon.areCopied() : areReady;
  }

  async #isDown(): Promise<boolean | string> {
    const isEmpty = await this.#daemon.isEmpty();
    const { surroundings, left: leftOf } = this.#backend;
    const left = [...(surroundings?.left() ?? []), ...(leftOf?.(this.#daemon.base) ?? [])];
    return isEmpty === true && left.length > 0 ? `left: ${left.join(' ')}` : isEmpty;
  }

  #act(phase: Phase): void {
    const { manifest } = this.#backend;
    if (phase === 'up' || phase === 'up again') this.#daemon.apply('cycle.yaml', manifest(this.#id, this.#daemon.base));
    else this.#daemon.remove('cycle.yaml');
  }

  /** One mount a pod, one loop device an image, and the data that was there. */
  async #check(phase: Phase): Promise<void> {
    if (phase === 'down' || phase === 'down again') return;
    for (const view of await this.#daemon.pods()) {
      const stack = mountsAt(pathOf(view));
      if (stack.length !== 1) throw new Error(`${stack.length} mounts at ${pathOf(view)} after ${phase}`);
    }
    const images = [...loopDevices().values()].filter((path) => path.startsWith(`${this.#daemon.base}/`));
    if (new Set(images).size < images.length) throw new Error(`two loop devices on one image: ${images.join(' ')}`);
    const paths = (await this.#daemon.pods()).map(pathOf);
    const faults = [
      ...(this.#backend.surroundings?.faults() ?? []),
      ...(this.#backend.faults?.(this.#id, this.#daemon.base, paths) ?? []),
    ];
    if (faults.length > 0) throw new Error(`after ${phase}: ${faults.join(', ')}`);
    this.#assertSameFilesystem();
    // By name: a start may list the pods in another order, and the second of two only reads.
    const first = (await this.#daemon.pods()).find(({ metadata }) => metadata.name === this.#id);
    if (first === undefined) throw new Error('no pod');
    if (phase === 'up') writeData(this.#backend, pathOf(first), this.#data);
    else this.assertData(pathOf(first));
  }

  /** Also seen while the daemon is dead: a filesystem that was there is not made anew. */
  #assertSameFilesystem(): void {
    const found = this.#backend.surroundings?.filesystem();
    this.#filesystem ??= found;
    if (this.#filesystem !== found) throw new Error(`filesystem ${this.#filesystem} became ${found}`);
  }

  assertData(path: string): void {
    if (this.#backend.data !== 'file' && this.#backend.data !== 'raw') return;
    const found = readData(this.#backend, path, this.#data.length);
    if (found !== this.#data) throw new Error(`read "${found}" at ${path}, wrote "${this.#data}"`);
  }
}

function previous(phase: Phase): Phase {
  return phase === 'up' || phase === 'up again' ? 'down' : 'up';
}

function crashAt(point: string | undefined): { crashAt?: string } {
  return point === undefined ? {} : { crashAt: point };
}

/** Twice in a row in its start, with everything mounted: the third start finds the mounts that the first one made. */
async function crashInReconstruction(daemon: CrashingDaemon, backend: Backend, row: MatrixRow): Promise<void> {
  const cycle = new Cycle(daemon, backend, 'twice');
  await cycle.pass('up');
  const mountIds = async (): Promise<string> => {
    // By path: a start may list the pods in another order.
    const paths = (await daemon.pods()).map(pathOf).sort();
    return JSON.stringify(paths.map((path) => mountsAt(path).map(({ id }) => id)));
  };
  const before = await mountIds();
  await daemon.kill();
  for (const side of ['before', 'after']) {
    daemon.start({ crashAt: `daemon/mountTable.refresh#1 ${side}` });
    row.runs++;
    if ((await daemon.until('death in its start', () => false)) === 'held') row.missed++;
  }
  daemon.start();
  await cycle.right('up');
  const after = await mountIds();
  if (after !== before) row.failures.push(`${backend.name}: mounts ${before} became ${after} over two cut-off starts`);
  await cycle.pass('down');
}

export function tableOf(rows: readonly MatrixRow[]): string {
  const line = (cells: readonly (string | number)[]): string =>
    cells.map((cell, index) => (index === 0 ? String(cell).padEnd(12) : String(cell).padStart(9))).join('');
  const total = (key: 'steps' | 'runs' | 'missed'): number => rows.reduce((sum, row) => sum + row[key], 0);
  const failures = rows.flatMap((row) => row.failures);
  return [
    line(['BACKEND', 'STEPS', 'RUNS', 'MISSED', 'FAILURES']),
    ...rows.map((row) => line([row.backend, row.steps, row.runs, row.missed, row.failures.length])),
    line(['all', total('steps'), total('runs'), total('missed'), failures.length]),
    ...failures,
  ].join('\n');
}
