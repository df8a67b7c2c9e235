/**
 * What the daemon says of its pods, asked on its socket. `moorctl` says the same, and its start costs a second on the slow
 * processor of a guest.
 */
import { join } from 'node:path';
import { ControlClient } from '../../daemon/control/control-client.ts';
import type { PodView, PodVolumeStatus } from '../../daemon/control/protocol.ts';
import type { DaemonProcess } from './daemon-process.ts';
import { eventually } from './eventually.ts';

export class DaemonView {
  readonly client: ControlClient;
  readonly #daemon: DaemonProcess;

  constructor(daemon: DaemonProcess) {
    this.#daemon = daemon;
    this.client = new ControlClient(join(daemon.runDir, 'moored.sock'));
  }

  async pod(name: string): Promise<PodView | undefined> {
    return (await this.client.get('pods', { name })).items[0];
  }

  async volume(pod: string, name = 'data'): Promise<PodVolumeStatus | undefined> {
    return (await this.pod(pod))?.status.volumes.find((volume) => volume.name === name);
  }

  async path(pod: string, name = 'data'): Promise<string> {
    return (await this.volume(pod, name))?.path ?? '';
  }

  async ready(...pods: readonly string[]): Promise<void> {
    for (const name of pods) {
      await this.#until(async () => {
        const status = (await this.pod(name))?.status;
        return status?.phase === 'Ready' || `${name} is ${status?.phase}: ${status?.conditions[0]?.message}`;
      });
    }
  }

  /** Waits until one of the pod's volumes is in this state, and gives its message. */
  async state(pod: string, state: PodVolumeStatus['state'], message = /./): Promise<string> {
    let found: PodVolumeStatus | undefined;
    await this.#until(async () => {
      const volumes = (await this.pod(pod))?.status.volumes ?? [];
      found = volumes.find((volume) => volume.state === state && message.test(volume.message ?? ''));
      return found !== undefined || volumes.map((volume) => `${volume.name} ${volume.state}: ${volume.message}`).join();
    });
    return found?.message ?? '';
  }

  async gone(...pods: readonly string[]): Promise<void> {
    for (const name of pods) await this.#until(async () => (await this.pod(name)) === undefined || `${name} is there`);
  }

  /** Waits until there is no pod and nothing is mounted or attached any more. */
  async empty(): Promise<void> {
    await this.#until(async () => {
      const pods = (await this.client.get('pods')).items.map(({ metadata }) => metadata.name);
      const volumes = (await this.client.get('asw')).volumes.map(({ name }) => name);
      const left = [...pods, ...volumes];
      return left.length === 0 || `left: ${left.join(', ')}`;
    });
  }

  async events(reason: string): Promise<readonly string[]> {
    const { events } = await this.client.get('events');
    return events.filter((event) => event.reason === reason).map(({ message }) => message);
  }

  /** Waits for an event of this reason, and gives the message of the latest. */
  async event(reason: string): Promise<string> {
    let messages: readonly string[] = [];
    await this.#until(async () => {
      messages = await this.events(reason);
      return messages.length > 0 || `no event ${reason}`;
    });
    return messages.at(-1) ?? '';
  }

  async #until(check: () => Promise<true | string>): Promise<void> {
    await eventually(check, 120_000).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.#daemon.log}`);
    });
  }
}
