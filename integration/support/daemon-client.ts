/** What a user of a running daemon does: manifests put in place, moorctl, and waiting for what it says. */
import { execFile } from 'node:child_process';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ControlClient } from '../../daemon/control/control-client.ts';
import type { AswVolume, OperationView, PodView, RecordedEvent } from '../../daemon/control/protocol.ts';
import { eventually } from './eventually.ts';
import { assertHonestStatus } from './status-check.ts';

export const dist = fileURLToPath(new URL('../../dist', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export abstract class DaemonClient {
  abstract readonly manifestDir: string;
  abstract readonly runDir: string;

  /** All that the daemon has logged so far, over all its starts. */
  abstract get log(): string;

  /** Puts a manifest in place by rename, as editors and configuration tools do. */
  apply(name: string, text: string): void {
    const temporary = join(dirname(this.manifestDir), `${name}.new`);
    writeFileSync(temporary, text.endsWith('\n') ? text : `${text}\n`, { mode: 0o644 });
    renameSync(temporary, join(this.manifestDir, name));
  }

  remove(name: string): void {
    rmSync(join(this.manifestDir, name));
  }

  ctl(...args: readonly string[]): Promise<Finished> {
    const socket = join(this.runDir, 'moored.sock');
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [join(dist, 'moorctl.js'), '--socket', socket, ...args],
        { env: { ...process.env, NO_COLOR: '1' }, maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
      );
    });
  }

  /** `get KIND -o json`. */
  async json<T>(...args: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await this.ctl('get', ...args, '-o', 'json');
    if (code !== 0) throw new Error(`moorctl get ${args.join(' ')}: ${stderr}`);
    return JSON.parse(stdout) as T;
  }

  async asw(): Promise<readonly AswVolume[]> {
    return (await this.json<{ volumes: readonly AswVolume[] }>('asw')).volumes;
  }

  async events(): Promise<readonly RecordedEvent[]> {
    return (await this.json<{ events: readonly RecordedEvent[] }>('events')).events;
  }

  async operations(): Promise<readonly OperationView[]> {
    return (await this.json<{ operations: readonly OperationView[] }>('operations')).operations;
  }

  async pod(name: string): Promise<PodView> {
    return this.json<PodView>('pods', name);
  }

  /** Waits for `moorctl wait` to say so, also when the last attempt was before what the test has mended. */
  async mounted(pod: string): Promise<void> {
    const { code, stderr } = await this.ctl('wait', `pod/${pod}`, '--keep-waiting', '--timeout', '30s');
    if (code !== 0) throw new Error(`pod ${pod} is not mounted: ${stderr}\n${this.log}`);
    await this.honest();
  }

  /** Fails when a status is better than the mount table. */
  honest(): Promise<void> {
    return assertHonestStatus(new ControlClient(join(this.runDir, 'moored.sock')));
  }

  async unmounted(pod: string): Promise<void> {
    const { code, stderr } = await this.ctl('wait', `pod/${pod}`, '--for=unmounted', '--timeout', '30s');
    if (code !== 0) throw new Error(`pod ${pod} is not unmounted: ${stderr}\n${this.log}`);
  }

  /** Waits for an event with this reason. */
  async event(reason: string): Promise<void> {
    await eventually(async () => {
      const events = await this.events();
      const seen = events.map((event) => `${event.reason}: ${event.message}`).join('\n');
      return events.some((event) => event.reason === reason) || `no event ${reason} in:\n${seen}`;
    });
  }

  /** Waits until the pod is not ready for a reason that matches. */
  async condition(pod: string, why: RegExp): Promise<void> {
    await eventually(async () => {
      const found = await this.ctl('get', 'pods', pod, '-o', 'json');
      if (found.code !== 0) return found.stderr;
      const [condition] = (JSON.parse(found.stdout) as PodView).status.conditions;
      const isSo = condition?.status === 'False' && why.test(condition.message);
      return isSo || `the condition is ${condition?.status}: ${condition?.message}`;
    });
  }

  /** Waits until no volume is in the actual state of world and no object is still ending. */
  async gone(): Promise<void> {
    await eventually(async () => {
      const volumes = (await this.asw()).map(({ name }) => name);
      const claims = await this.json<{ items: readonly { metadata: { deletionTimestamp?: string } }[] }>('pods,pvc');
      const ending = claims.items.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
      return (
        (volumes.length === 0 && ending.length === 0) || `left: ${volumes.join(', ')} and ${ending.length} objects`
      );
    });
  }

  async path(pod: string, volume: string): Promise<string> {
    const { code, stdout, stderr } = await this.ctl('path', `pod/${pod}`, volume);
    if (code !== 0) throw new Error(`moorctl path: ${stderr}`);
    return stdout.trim();
  }
}
