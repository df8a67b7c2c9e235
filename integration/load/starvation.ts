/** Pods that fail for ever beside good ones: nobody waits for the retries of others. */
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ManifestText } from '../bench/bench-manifests.ts';
import { eventually } from '../support/eventually.ts';
import { claim, claimVolume, documents, pod, staticVolume } from '../support/manifests.ts';
import { type LoadDaemon, onFreshDaemon } from './load-daemon.ts';
import { spreadText, table } from './markdown.ts';
import { type Newcomer, type NewcomerKind, newcomers } from './newcomer.ts';

export interface Starvation {
  readonly failing: number;
  /** By kind of the good pod: alone, and beside the failing ones while all of them are tried for the first times. */
  readonly kinds: readonly {
    readonly kind: NewcomerKind;
    readonly undisturbed: Newcomer;
    readonly disturbed: Newcomer;
  }[];
  readonly failures: number;
}

/** Half of them have no image and fail at once; half have one with somebody's data, and fail after a device and a probe. */
function failingPods(images: string, count: number): readonly ManifestText[] {
  mkdirSync(images);
  return Array.from({ length: count }, (_, index) => {
    const name = `failing-${index}`;
    const image = join(images, `${name}.img`);
    if (index % 2 === 1) {
      // No filesystem, and not blank: never formatted.
      writeFileSync(image, Buffer.alloc(64 * 1024, 'data of somebody '));
      truncateSync(image, 64 * 2 ** 20);
    }
    const text = documents(
      staticVolume(name, image),
      claim(name, { storageClass: '', volumeName: name }),
      pod(name, { data: claimVolume(name) }),
    );
    return { name: `${name}.yaml`, text };
  });
}

export function starvation(failing: number, times: number): Promise<Starvation> {
  return onFreshDaemon(async (daemon) => {
    const kinds = ['memory', 'claim'] as const;
    for (const kind of kinds) await newcomers(daemon, `warm-${kind}`, times, kind);
    const alone = new Map<NewcomerKind, Newcomer>();
    for (const kind of kinds) alone.set(kind, await newcomers(daemon, `alone-${kind}`, times, kind));
    const files = failingPods(join(daemon.base, 'images'), failing);
    daemon.declare(files);
    // In the middle of the first tries: the backoffs are short, and those that wait for a place are many.
    const results: Starvation['kinds'][number][] = [];
    for (const kind of kinds) {
      const disturbed = await newcomers(daemon, `beside-${kind}`, times, kind);
      results.push({ kind, undisturbed: alone.get(kind) ?? { upMs: [], downMs: [], cpuMs: [] }, disturbed });
    }
    const failures = await allFailing(daemon, failing);
    daemon.withdraw(files);
    await daemon.emptied();
    return { failing, kinds: results, failures };
  });
}

/** Waits until each has failed; gives how often, together. */
async function allFailing(daemon: LoadDaemon, count: number): Promise<number> {
  let failures = 0;
  await eventually(async () => {
    const { operations } = await daemon.view.client.get('operations');
    const failed = operations.filter(({ lastError }) => lastError !== '');
    failures = failed.reduce((sum, { attempts }) => sum + attempts, 0);
    return failed.length >= count || `${failed.length} of ${count} fail`;
  }, 120_000);
  return failures;
}

export function starvationReport({ failing, kinds, failures }: Starvation): string {
  const rows = kinds.map(({ kind, undisturbed, disturbed }) => [
    kind,
    spreadText(undisturbed.upMs),
    spreadText(disturbed.upMs),
  ]);
  const heading = ['a new pod with', 'alone, ms', `beside ${failing} that fail, ms`];
  return `${table(heading, rows)}\n\n${failures} failed tries meanwhile`;
}
