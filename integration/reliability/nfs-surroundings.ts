import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mountsAt, run } from '../support/kernel-facts.ts';
import { claim, claimVolume, documents, pod } from '../support/manifests.ts';
import { SystemNfsServer } from '../support/nfs-server.ts';
import type { Backend, Surroundings } from './backends.ts';

/** A directory of an export for each cycle, and an administrator who mounted the export by hand. */
export class NfsSurroundings implements Surroundings {
  readonly backends: readonly Backend[] = [
    {
      name: 'nfs',
      manifest: (id) => documents(this.#share(id), pod(id, { data: claimVolume(id) })),
      pods: (id) => [id],
      data: 'file',
      surroundings: this,
    },
  ];
  readonly #server = new SystemNfsServer();
  readonly #place: string;
  readonly #before: string;

  static open(): Promise<NfsSurroundings> {
    return Promise.resolve(new NfsSurroundings());
  }

  private constructor() {
    const { exports } = this.#server;
    this.#place = mkdtempSync(join(process.env['MOORED_TEST_DIR'] ?? '', 'matrix-nfs-'));
    writeFileSync(join(exports, 'file'), 'of the administrator');
    run('mount', '-t', 'nfs', `127.0.0.1:${exports}`, this.#place);
    this.#before = this.#ofAdministrator();
  }

  begin(id: string): Promise<void> {
    mkdirSync(join(this.#server.exports, id));
    return Promise.resolve();
  }

  faults(): readonly string[] {
    return this.left();
  }

  left(): readonly string[] {
    const now = this.#ofAdministrator();
    return now === this.#before ? [] : [`of the administrator there is ${now}, there was ${this.#before}`];
  }

  filesystem(): undefined {
    return undefined;
  }

  close(): Promise<void> {
    run('umount', this.#place);
    rmSync(this.#place, { recursive: true });
    this.#server.dispose();
    return Promise.resolve();
  }

  #share(id: string): string {
    const head = ['apiVersion: v1', 'kind: PersistentVolume', `metadata: { name: ${id} }`, 'spec:'];
    const spec = ['capacity: { storage: 64Mi }', 'accessModes: [ReadWriteMany]', 'storageClassName: ""'].concat(
      `claimRef: { namespace: default, name: ${id} }`,
      `nfs: { server: 127.0.0.1, path: ${join(this.#server.exports, id)} }`,
    );
    const volume = [...head, ...spec.map((line) => `  ${line}`)].join('\n');
    return documents(volume, claim(id, { storageClass: '', accessMode: 'ReadWriteMany', volumeName: id }));
  }

  #ofAdministrator(): string {
    const mount = mountsAt(this.#place).map(({ id, source }) => `${id} ${source}`);
    return JSON.stringify([mount, readFileSync(join(this.#place, 'file'), 'utf8')]);
  }
}
