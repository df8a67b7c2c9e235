/** A case of snapshots, on the real controller and effects over a machine in memory: every volume has its image. */
import { MemoryEventRecorder } from '../../daemon/adapters/memory-event-recorder.ts';
import { Snapshots } from '../../daemon/controllers/snapshots.ts';
import { FakeClock } from '../../daemon/ports/testing/fake-clock.ts';
import { FakeHost, finalError } from '../../daemon/ports/testing/fake-host.ts';
import { diskLayout } from '../../daemon/world/disk-layout.ts';
import { loopPlugin } from '../../plugins/loop/plugin.ts';
import type { Case, Step, Words } from './case-format.ts';
import type { Run } from './case-run.ts';
import { CaseStore, eventInWords, sorted } from './case-store.ts';
import { claimInWords } from './case-words.ts';
import { contentInWords, snapshotInWords } from './snapshot-outcome.ts';

const nothing = (): void => {};
const logger = { info: nothing, warn: nothing, debug: nothing, error: nothing };
const snapshotsDir = '/root/images/.snapshots';
const mostRounds = 12;
/** Of a backoff that begins anew; more would be no rest. */
const roundMs = 60_000;

export class SnapshotRun implements Run {
  readonly problems: string[] = [];
  readonly #case: Case;
  readonly #store = new CaseStore();
  readonly #clock = new FakeClock();
  readonly #events = new MemoryEventRecorder(this.#clock);
  readonly #host = new FakeHost();
  readonly #snapshots: Snapshots;
  #inUse: readonly string[];

  constructor(given: Case) {
    this.#case = given;
    this.#store.put(given.given);
    this.#inUse = given.given.inUse ?? [];
    for (const { metadata } of this.#store.objects.list('PersistentVolume'))
      this.#host.addImage(`/images/${metadata.name}.img`, 'ext4');
    for (const handle of given.given.copies ?? []) this.#addCopy(handle);
    for (const { op, result } of given.script ?? []) {
      if (op === 'copy') this.#host.effects.next('copyImage', { kind: 'fail', error: finalError(result) });
    }
    this.#snapshots = new Snapshots({
      ...{ objects: this.#store.objects, state: this.#store.state, plugins: [loopPlugin], layout: diskLayout('/root') },
      copyLimit: 1,
      ...{ imageCopies: this.#host.imageCopies, clock: this.#clock, events: this.#events, logger, random: () => 0 },
      volumesInUse: {
        hold: () => (this.#inUse.length > 0 ? undefined : { [Symbol.dispose]: nothing }),
        copyWay: () => Promise.resolve({ kind: 'atRest' }),
        mountPointOf: () => Promise.resolve({ isAttached: false }),
      },
    });
  }

  async run(): Promise<void> {
    for (const step of this.#case.steps) await this.#do(step);
    this.problems.push(...this.#host.violations);
  }

  get outcome(): Case['then'] {
    const { snapshots, contents, pvcs, events, copies, trash } = this.#case.then;
    const { objects } = this.#store;
    const said = (words: readonly Words[], name: string) => words.find((each) => each.name === name);
    return {
      ...(snapshots && {
        snapshots: sorted(
          objects.list('VolumeSnapshot').map((one) => snapshotInWords(one, said(snapshots, one.metadata.name))),
        ),
      }),
      ...(contents && {
        contents: sorted(
          objects.list('VolumeSnapshotContent').map((one) => contentInWords(one, said(contents, one.metadata.name))),
        ),
      }),
      ...(pvcs && {
        pvcs: sorted(
          objects.list('PersistentVolumeClaim').map((one) => claimInWords(one, said(pvcs, one.metadata.name))),
        ),
      }),
      ...(events && { events: this.#events.list().map(eventInWords) }),
      ...(copies && { copies: handlesOf(this.#host.imageFiles.keys()) }),
      ...(trash && { trash: handlesOf(this.#host.trash.keys()) }),
    };
  }

  /** Until nothing changes, also when the backoff of what failed has ended. */
  async settle(): Promise<void> {
    for (let round = 0; round < mostRounds; round++) {
      const before = this.#store.version;
      await this.#look();
      this.#clock.advance(roundMs);
      await this.#look();
      if (this.#store.version === before) return;
    }
    this.problems.push('it does not come to rest');
  }

  async #look(): Promise<void> {
    for (let round = 0; round < mostRounds; round++) {
      this.#snapshots.sync();
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    }
  }

  async #do(step: Step): Promise<void> {
    if (step === 'settle') await this.settle();
    else if (step === 'look') await this.#look();
    else if (typeof step === 'string') throw new Error(`${this.#case.id}: unknown step "${step}", want settle or look`);
    else this.#change(step);
  }

  #change(step: Exclude<Step, string>): void {
    if ('put' in step) this.#store.put(step.put);
    if ('remove' in step) for (const key of step.remove) this.#store.remove(key);
    if ('delete' in step) for (const key of step.delete) this.#store.delete(key);
    if ('inUse' in step) this.#inUse = step.inUse;
  }

  /** "default/monday-uid-monday": a copy that was taken before. */
  #addCopy(handle: string): void {
    const path = `${snapshotsDir}/${handle}.img`;
    this.#host.addImage(path, 'ext4');
    const image = this.#host.imageFiles.get(path);
    if (image?.sidecar === undefined) throw new Error(`Cannot add copy "${handle}": it has no sidecar`);
    const [namespace = '', name = ''] = handle.split('/');
    const way = { volumeMode: 'Filesystem', method: 'copy', consistency: 'atRest' } as const;
    const snapshot = { namespace, name, uid: 'of a snapshot before', volumeHandle: 'one', ...way };
    this.#host.imageFiles.set(path, { ...image, sidecar: { ...image.sidecar, volumeHandle: handle, snapshot } });
  }
}

function handlesOf(paths: Iterable<string>): readonly string[] {
  return [...paths].flatMap((path) => /\.snapshots\/(.*?)\.img/.exec(path)?.[1] ?? []).sort();
}
