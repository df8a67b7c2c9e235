/** A daemon with one pod of each kind of volume, for people who do things to them behind its back. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ExplainNode, RecordedEvent, VolumeView } from '../../daemon/control/protocol.ts';
import { DaemonProcess } from '../support/daemon-process.ts';
import { DaemonView } from '../support/daemon-view.ts';
import { claim, claimVolume, documents, pod, storageClass } from '../support/manifests.ts';

export interface ScenePaths {
  /** Of the pod "web": an ext4 image through a claim. */
  readonly web: string;
  readonly global: string;
  readonly image: string;
  readonly device: string;
  /** Of the pod "memory": a tmpfs. */
  readonly memory: string;
  /** Of the pod "plain": a directory. */
  readonly plain: string;
  /** Of the pod "raw": an image as a raw device. */
  readonly rawImage: string;
  /** A directory of somebody else. */
  readonly theirs: string;
}

export class DriftScene {
  readonly daemon = new DaemonProcess();
  readonly view = new DaemonView(this.daemon);
  #paths: ScenePaths | undefined;

  async start(): Promise<this> {
    const { daemon, view } = this;
    await daemon.start();
    const web = pod('web', { data: claimVolume('data') });
    daemon.apply('web.yaml', documents(storageClass('fast'), claim('data'), web));
    daemon.apply('memory.yaml', pod('memory', { data: 'emptyDir: { medium: Memory }' }));
    daemon.apply('plain.yaml', pod('plain', { data: 'emptyDir: {}' }));
    const rawPod = pod('raw', { data: claimVolume('raw') }, 'Block');
    daemon.apply('raw.yaml', documents(claim('raw', { mode: 'Block' }), rawPod));
    await view.ready('web', 'memory', 'plain', 'raw');
    const theirs = join(daemon.base, 'theirs');
    mkdirSync(theirs);
    const data = await this.volume('default/web');
    this.#paths = {
      web: await view.path('web'),
      global: data.path,
      device: data.device,
      image: this.imageOf('data'),
      memory: await view.path('memory'),
      plain: await view.path('plain'),
      rawImage: this.imageOf('raw'),
      theirs,
    };
    return this;
  }

  get paths(): ScenePaths {
    if (this.#paths === undefined) throw new Error('The scene has not been set');
    return this.#paths;
  }

  /** As the volume's record has it. */
  imageOf(claimName: string): string {
    const match = new RegExp(`"path":"([^"]*/images/[^"]*/${claimName}-[^"]*\\.img)"`).exec(this.#journal());
    if (match?.[1] === undefined) throw new Error(`No image of the claim "${claimName}" is recorded`);
    return match[1];
  }

  async volume(podName: string): Promise<VolumeView> {
    const { volumes } = await this.view.client.get('volumes');
    const found = volumes.find(({ pods }) => pods.includes(podName));
    if (found === undefined) throw new Error(`No volume of pod "${podName}"`);
    return found;
  }

  async events(): Promise<readonly RecordedEvent[]> {
    return (await this.view.client.get('events')).events;
  }

  /** Everything that `explain` says of the pod, in one text. */
  async explained(podName: string): Promise<string> {
    const lines = (node: ExplainNode): string =>
      [node.subject, node.state, node.detail, node.help ?? '', ...node.causes.map(lines)].join('\n');
    return lines(await this.view.client.explain('pods', 'default', podName));
  }

  async dispose(): Promise<void> {
    await this.daemon.dispose();
  }

  #journal(): string {
    return this.daemon.readState('journal-1');
  }
}
