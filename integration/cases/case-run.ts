/** One case on the real reducers and the real controller, over a store in memory, with scripted effects. */
import { MemoryEventRecorder } from '../../daemon/adapters/memory-event-recorder.ts';
import { keyOf } from '../../daemon/api/meta.ts';
import type { StoredObject } from '../../daemon/api/object.ts';
import { ClaimController } from '../../daemon/controllers/claim-controller.ts';
import { nodesOf } from '../../daemon/plan/this-node.ts';
import { FakeClock } from '../../daemon/ports/testing/fake-clock.ts';
import type { Case, Injection, Step, Words } from './case-format.ts';
import { sceneObjects } from './case-objects.ts';
import { CaseStore, eventInWords, keyIn, sorted } from './case-store.ts';
import { claimInWords, volumeInWords } from './case-words.ts';
import { ScriptedProvisioning } from './scripted-provisioning.ts';
import { SingleSync } from './single-sync.ts';

const nothing = (): void => {};
const resyncMs = 15_000;
/** A retry's backoff ends within a few of them; more would be no rest. */
const mostResyncs = 12;

/** What a case is run on; which one is told by the folder of its id. */
export interface Run {
  /** Faults of the run itself: what was logged as an error, what does not come to rest. */
  readonly problems: readonly string[];
  /** What is there now, in the words of the expectation. */
  readonly outcome: Case['then'];
  run(): Promise<void>;
  /** Until nothing changes. */
  settle(): Promise<void>;
}

export class CaseRun implements Run {
  readonly problems: string[] = [];
  readonly #case: Case;
  readonly #store = new CaseStore();
  readonly #objects = this.#store.objects;
  readonly #clock = new FakeClock();
  readonly #events = new MemoryEventRecorder(this.#clock);
  readonly #inUse: Set<string>;
  #here: readonly string[];
  readonly #provisioning: ScriptedProvisioning;
  readonly #controller: ClaimController;
  readonly #single: SingleSync;

  constructor(given: Case) {
    this.#case = given;
    this.#inUse = new Set(given.given.inUse);
    this.#here = given.given.here ?? [];
    this.#store.put(given.given);
    this.#provisioning = new ScriptedProvisioning({
      objects: this.#objects,
      script: given.script ?? [],
      inject: given.inject ?? [],
      inUse: this.#inUse,
      free: given.given.free,
      perform: (injection) => this.#perform(injection),
      now: () => this.#clock.timestamp(),
    });
    const error = (message: string) => this.problems.push(message);
    const { name = 'node1', labels = {} } = given.given.node ?? {};
    const common = {
      nodes: () => nodesOf({ name, labels }, this.#objects.list('Node')),
      isHere: (podUid: string) => this.#here.some((pod) => podUid === `uid-${pod}`),
      ignoresFinishedPods: given.given.ignoreFinishedPods === true,
      objects: this.#objects,
      clock: this.#clock,
      events: this.#events,
      provisioning: this.#provisioning,
    };
    this.#controller = new ClaimController({
      ...common,
      random: () => 0,
      logger: { info: nothing, warn: nothing, debug: nothing, error },
    });
    this.#single = new SingleSync(common);
  }

  async run(): Promise<void> {
    for (const step of this.#case.steps) await this.#do(step);
  }

  get outcome(): Case['then'] {
    const { pvs, pvcs, objects, events, operations, unscheduled } = this.#case.then;
    const said = (words: readonly Words[], name: string) => words.find((each) => each.name === name);
    const volumes = this.#objects.list('PersistentVolume');
    const claims = this.#objects.list('PersistentVolumeClaim');
    return {
      ...(pvs && { pvs: sorted(volumes.map((volume) => volumeInWords(volume, said(pvs, volume.metadata.name)))) }),
      ...(pvcs && { pvcs: sorted(claims.map((claim) => claimInWords(claim, said(pvcs, claim.metadata.name)))) }),
      ...(objects && { objects: sceneObjects({ objects }).map((object) => this.#objects.get(keyOf(object))) as never }),
      ...(events && { events: this.#events.list().map(eventInWords) }),
      ...(operations && { operations: this.#provisioning.operations }),
      ...(unscheduled && { unscheduled: unscheduledPods(this.#controller.waits) }),
    };
  }

  async #do(step: Step): Promise<void> {
    if (typeof step !== 'string') {
      this.#change(step);
      return;
    }
    const [verb = '', name = ''] = step.split(' ');
    if (verb === 'settle') await this.settle();
    else if (verb === 'look') await this.#look();
    else if (verb === 'syncClaim') await this.#single.sync(keyIn(`pvc/${name}`));
    else if (verb === 'syncVolume') await this.#single.sync(keyIn(`pv/${name}`));
    else
      throw new Error(`${this.#case.id}: unknown step "${step}", want settle, look, syncClaim NAME or syncVolume NAME`);
  }

  /** Once at everything, and no waiting: for what waits for something that no clock brings. */
  async #look(): Promise<void> {
    this.#controller.sync();
    await this.#controller.idle();
  }

  /** Until nothing changes, with a full resync each time, which also ends the backoff of what failed. */
  async settle(): Promise<void> {
    for (let count = 0; count < mostResyncs; count++) {
      const before = this.#versions();
      this.#controller.sync();
      this.#controller.volumesChanged();
      await this.#controller.idle();
      // Room for a pod is looked for now and then, for ever: that is no unrest.
      const looks = [...this.#controller.waits.values()].some(({ message }) => message.includes('free storage'))
        ? 1
        : 0;
      const isWaiting = this.#clock.waiting > looks;
      this.#clock.advance(resyncMs);
      await this.#controller.idle();
      if (!isWaiting && this.#versions() === before) return;
    }
    this.problems.push('it does not come to rest');
  }

  #versions(): string {
    const objects: readonly StoredObject[] = [
      ...this.#objects.list('PersistentVolume'),
      ...this.#objects.list('PersistentVolumeClaim'),
    ];
    return objects.map((object) => `${keyOf(object)} ${object.metadata.resourceVersion}`).join();
  }

  #perform({ put, remove = [] }: Injection): void {
    if (put !== undefined) this.#store.put(put);
    for (const key of remove) this.#store.remove(key);
  }

  #change(step: Exclude<Step, string>): void {
    if ('put' in step) this.#store.put(step.put);
    if ('remove' in step) for (const key of step.remove) this.#store.remove(key);
    if ('delete' in step) for (const key of step.delete) this.#store.delete(key);
    if ('here' in step) this.#here = step.here;
    if (!('inUse' in step)) return;
    this.#inUse.clear();
    for (const name of step.inUse) this.#inUse.add(name);
  }
}

function unscheduledPods(waits: ClaimController['waits']): readonly string[] {
  return [...waits].flatMap(([key, { message }]) =>
    key.startsWith('Pod/') ? `${key.split('/').at(-1) ?? ''}: ${message}` : [],
  );
}
