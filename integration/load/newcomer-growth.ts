/** How the cost of one new pod grows with what is there: each number in the same daemon, one after the other. */
import { median } from '../bench/sample.ts';
import { memoryPods } from './crowd.ts';
import { exponentOf, lastExponent, type Point } from './exponent.ts';
import { onFreshDaemon } from './load-daemon.ts';
import { spreadText, table } from './markdown.ts';
import { type Newcomer, newcomers } from './newcomer.ts';

interface NewcomerBeside extends Newcomer {
  /** Pods that are there, with a mount each. */
  readonly n: number;
}

/**
 * @param counts rising
 * @param times newcomers beside each
 */
export function newcomerGrowth(counts: readonly number[], times: number): Promise<readonly NewcomerBeside[]> {
  return onFreshDaemon(async (daemon) => {
    const { files } = memoryPods('there', Math.max(...counts));
    const results: NewcomerBeside[] = [];
    await newcomers(daemon, 'warm', times);
    let declared = 0;
    for (const n of counts) {
      await daemon.mountAll(files.slice(declared, n), n, n);
      declared = n;
      results.push({ n, ...(await newcomers(daemon, `beside-${n}`, times)) });
      process.stderr.write(`newcomer: beside ${n}\n`);
    }
    await daemon.unmountAll(files);
    return results;
  });
}

export function newcomerGrowthReport(results: readonly NewcomerBeside[]): string {
  const row = (name: string, pick: (result: Newcomer) => readonly number[]): readonly string[] => {
    const points = results.map((result): Point => ({ n: result.n, cost: median(pick(result)) }));
    const cells = results.map((result) => spreadText(pick(result)));
    return [name, ...cells, exponentOf(points).toFixed(2), lastExponent(points).toFixed(2)];
  };
  const rows = [
    row('one new pod, ms', ({ upMs }) => upMs),
    row('its end, ms', ({ downMs }) => downMs),
    row('its life, CPU ms', ({ cpuMs }) => cpuMs),
  ];
  return table(['beside', ...results.map(({ n }) => String(n)), 'exponent', 'of the last two'], rows);
}
