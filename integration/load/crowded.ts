/** One daemon beside a crowd: of volumes, of pods on one claim, of other people's mounts, of manifests. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { mountsBelow, run } from '../support/kernel-facts.ts';
import { boundPods, type Crowd, memoryPods, plainPods, together } from './crowd.ts';
import { type Convergence, onFreshDaemon } from './load-daemon.ts';
import { digits, spreadText, table } from './markdown.ts';
import { type Newcomer, newcomers } from './newcomer.ts';
import { type Resources, resourcesOf } from './resources.ts';

export interface Crowded {
  readonly name: string;
  readonly up: Convergence | undefined;
  readonly down: Convergence | undefined;
  readonly alone: Newcomer;
  readonly beside: Newcomer;
  readonly restartMs: number;
  readonly resources: Resources;
  /** When all has gone again. */
  readonly after: Resources;
}

/** Something that is there before the newcomers, and goes after them. */
interface Company {
  readonly name: string;
  readonly crowd: Crowd;
  readonly foreign?: number;
}

/** A quarter of them binds, a hundred pods a claim. */
export function manyVolumes(count: number): Company {
  const bound = boundPods('bound', count / 400, 100);
  const crowd = together(memoryPods('memory', count - bound.pods), bound);
  return { name: `${crowd.pods} volumes, ${bound.pods} of them binds`, crowd };
}

export function podsOnOneClaim(count: number): Company {
  return { name: `${count} pods on one claim`, crowd: boundPods('shared', 1, count) };
}

export function foreignMounts(count: number): Company {
  return { name: `${count} mounts of other people`, crowd: together(), foreign: count };
}

export function manyManifests(count: number): Company {
  return { name: `${count} manifests, each a pod with a directory`, crowd: plainPods('plain', count) };
}

/** @param times newcomers beside each */
export async function crowded(all: readonly Company[], times: number): Promise<readonly Crowded[]> {
  const results: Crowded[] = [];
  for (const company of all) {
    results.push(await beside(company, times));
    process.stderr.write(`${crowdedReport(results.slice(-1))}\n`);
  }
  return results;
}

function beside({ name, crowd, foreign = 0 }: Company, times: number): Promise<Crowded> {
  return onFreshDaemon(async (daemon) => {
    await newcomers(daemon, 'warm', times);
    const alone = await newcomers(daemon, 'alone', times);
    const others = foreign > 0 ? new ForeignMounts(join(daemon.base, 'foreign'), foreign) : undefined;
    const up = crowd.pods > 0 ? await daemon.mountAll(crowd.files, crowd.pods, crowd.mounts) : undefined;
    const there = await newcomers(daemon, 'beside', times);
    const resources = await resourcesOf(daemon);
    const restartAt = performance.now();
    await daemon.restart('SIGKILL');
    const restartMs = performance.now() - restartAt;
    await daemon.ready(crowd.pods);
    const down = crowd.pods > 0 ? await daemon.unmountAll(crowd.files) : undefined;
    others?.[Symbol.dispose]();
    return { name, up, down, alone, beside: there, restartMs, resources, after: await resourcesOf(daemon) };
  });
}

const branch = 100;

/** So many tmpfs mounts, by binding a tree of a hundred again and again: a call each would take minutes. */
class ForeignMounts implements Disposable {
  readonly #base: string;

  constructor(base: string, count: number) {
    this.#base = base;
    mkdirSync(base);
    run('mount', '-t', 'tmpfs', 'theirs', base);
    const tree = join(base, 'tree');
    mkdirSync(tree);
    // A mount of its own, so that a bind of it takes what is mounted inside along.
    run('mount', '-t', 'tmpfs', 'theirs', tree);
    for (let leaf = 1; leaf < branch; leaf++) {
      mkdirSync(join(tree, `leaf-${leaf}`));
      run('mount', '-t', 'tmpfs', 'theirs', join(tree, `leaf-${leaf}`));
    }
    for (let copy = 1; copy < count / branch; copy++) {
      mkdirSync(join(base, `copy-${copy}`));
      run('mount', '--rbind', tree, join(base, `copy-${copy}`));
    }
    const made = mountsBelow(base).length - 1;
    if (made < count) throw new Error(`Cannot make ${count} mounts: there are ${made}`);
  }

  [Symbol.dispose](): void {
    // One call for all: one each would read the table for each.
    run('umount', '--lazy', this.#base);
  }
}

export function crowdedReport(results: readonly Crowded[]): string {
  const rows = results.map(({ name, up, down, alone, beside: there, restartMs, resources, after }) => [
    name,
    up === undefined ? '' : digits(up.ms),
    down === undefined ? '' : digits(down.ms),
    spreadText(alone.upMs),
    spreadText(there.upMs),
    spreadText(there.downMs),
    spreadText(alone.cpuMs),
    spreadText(there.cpuMs),
    digits(restartMs),
    digits(resources.rssMb),
    String(resources.stallMs),
    String(after.stallMs),
    leftText(after),
  ]);
  const heading = [
    'beside',
    'all up',
    'all down',
    'one pod alone',
    'one pod',
    'its end',
    'its CPU alone',
    'its CPU',
    'restart',
    'RSS, MB',
    'stall',
    'stall since the restart',
    'left: fds, children, timers, watches, loops, directories',
  ];
  return table(heading, rows);
}

function leftText({ fds, children, timers, watches, loops, directories }: Resources): string {
  return [fds, children, timers, watches, loops, directories].join(', ');
}
