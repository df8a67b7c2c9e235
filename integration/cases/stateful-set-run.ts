/** A case of StatefulSets, on the real controller over a store in memory: nothing binds, and pods are mounted when it says so. */
import { MemoryEventRecorder } from '../../daemon/adapters/memory-event-recorder.ts';
import { DependentsController } from '../../daemon/controllers/dependents-controller.ts';
import { FakeClock } from '../../daemon/ports/testing/fake-clock.ts';
import type { Case, Step, Words } from './case-format.ts';
import type { Run } from './case-run.ts';
import { CaseStore, eventInWords, sorted } from './case-store.ts';
import { claimInWords, podInWords } from './case-words.ts';

const nothing = (): void => {};
const mostRounds = 20;

export class StatefulSetRun implements Run {
  readonly problems: string[] = [];
  readonly #case: Case;
  readonly #store = new CaseStore();
  readonly #events = new MemoryEventRecorder(new FakeClock());
  readonly #controller: DependentsController;
  #here: ReadonlySet<string>;
  #uids = 0;

  constructor(given: Case) {
    this.#case = given;
    this.#here = new Set(given.given.here);
    this.#store.put(given.given);
    const error = (message: string) => this.problems.push(message);
    this.#controller = new DependentsController({
      objects: this.#store.objects,
      clock: new FakeClock(),
      events: this.#events,
      logger: { info: nothing, warn: nothing, debug: nothing, error },
      newUid: () => `uid-${++this.#uids}`,
      readiness: () => (pod) => this.#here.has(pod.metadata.name) && pod.metadata.deletionTimestamp === undefined,
    });
  }

  async run(): Promise<void> {
    for (const step of this.#case.steps) await this.#do(step);
  }

  get outcome(): Case['then'] {
    const { sets, pods, pvcs, waits, events } = this.#case.then;
    const { objects } = this.#store;
    const said = (words: readonly Words[], name: string) => words.find((each) => each.name === name);
    return {
      ...(sets && { sets: sorted(objects.list('StatefulSet').map(({ metadata: { name } }) => ({ name }))) }),
      ...(pods && { pods: sorted(objects.list('Pod').map((pod) => podInWords(pod, said(pods, pod.metadata.name)))) }),
      ...(pvcs && {
        pvcs: sorted(
          objects.list('PersistentVolumeClaim').map((claim) => claimInWords(claim, said(pvcs, claim.metadata.name))),
        ),
      }),
      ...(waits && {
        waits: [...this.#controller.waits].map(([key, { message }]) => `${key.split('/').at(-1)}: ${message}`),
      }),
      ...(events && { events: this.#events.list().map(eventInWords) }),
    };
  }

  async settle(): Promise<void> {
    for (let round = 0; round < mostRounds; round++) {
      const before = this.#store.version;
      this.#controller.sync();
      if (this.#store.version === before) return;
    }
    this.problems.push('it does not come to rest');
  }

  async #do(step: Step): Promise<void> {
    if (step === 'settle') await this.settle();
    else if (step === 'rollOut') await this.#rollOut();
    else if (typeof step === 'string')
      throw new Error(`${this.#case.id}: unknown step "${step}", want settle or rollOut`);
    else this.#change(step);
  }

  /** Mounts pod after pod, as they are made, until all are. */
  async #rollOut(): Promise<void> {
    for (let round = 0; round < mostRounds; round++) {
      await this.settle();
      const pods = this.#store.objects.list('Pod').map(({ metadata }) => metadata.name);
      if (pods.every((name) => this.#here.has(name))) return;
      this.#here = new Set(pods);
    }
    this.problems.push('it is not rolled out');
  }

  #change(step: Exclude<Step, string>): void {
    if ('put' in step) this.#store.put(step.put);
    if ('remove' in step) for (const key of step.remove) this.#store.remove(key);
    if ('delete' in step) for (const key of step.delete) this.#store.delete(key);
    if ('here' in step) this.#here = new Set(step.here);
  }
}
