/** One case on the real reducers and the real controller, over a store in memory, with scripted effects. */
import { MemoryEventRecorder } from '../../daemon/adapters/memory-event-recorder.ts';
import { MemoryStateStore } from '../../daemon/adapters/memory-state-store.ts';
import { StateObjectStore } from '../../daemon/adapters/state-object-store.ts';
import { keyOf, type ObjectKey, objectKey } from '../../daemon/api/meta.ts';
import type { StoredObject } from '../../daemon/api/object.ts';
import { ClaimController } from '../../daemon/controllers/claim-controller.ts';
import { nodesOf } from '../../daemon/plan/this-node.ts';
import { FakeClock } from '../../daemon/ports/testing/fake-clock.ts';
import type { Case, Injection, Scene, Step, Words } from './case-format.ts';
import { sceneObjects } from './case-objects.ts';
import { claimInWords, volumeInWords } from './case-words.ts';
import { ScriptedProvisioning } from './scripted-provisioning.ts';
import { SingleSync } from './single-sync.ts';

const nothing = (): void => {};
const resyncMs = 15_000;
/** A retry's backoff ends within a few of them; more would be no rest. */
const mostResyncs = 12;

export class CaseRun {
  readonly problems: string[] = [];
  readonly #case: Case;
  readonly #objects = new StateObjectStore(new MemoryStateStore());
  readonly #clock = new FakeClock();
  readonly #events = new MemoryEventRecorder(this.#clock);
  readonly #inUse: Set<string>;
  readonly #provisioning: ScriptedProvisioning;
  readonly #controller: ClaimController;
  readonly #single: SingleSync;

  constructor(given: Case) {
    this.#case = given;
    this.#inUse = new Set(given.given.inUse);
    this.#put(given.given);
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
      isHere: (podUid: string) => (given.given.here ?? []).some((pod) => podUid === `uid-${pod}`),
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

  /** What is there now, in the words of the expectation. */
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
    else if (verb === 'syncClaim') await this.#single.sync(claimKey(name));
    else if (verb === 'syncVolume') await this.#single.sync(objectKey('PersistentVolume', '', name));
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
    if (put !== undefined) this.#put(put);
    for (const key of remove) this.#remove(key);
  }

  #change(step: Exclude<Step, string>): void {
    if ('put' in step) this.#put(step.put);
    if ('remove' in step) for (const key of step.remove) this.#remove(key);
    if (!('inUse' in step)) return;
    this.#inUse.clear();
    for (const name of step.inUse) this.#inUse.add(name);
  }

  #put(scene: Scene): void {
    for (const object of sceneObjects(scene)) {
      const { resourceVersion } = this.#objects.get(keyOf(object))?.metadata ?? {};
      if (resourceVersion === undefined) this.#objects.create(object);
      else this.#objects.update({ ...object, metadata: { ...object.metadata, resourceVersion } });
    }
  }

  #remove(words: string): void {
    const [kind, name = ''] = words.split('/');
    const key = kind === 'pvc' ? claimKey(name) : kind === 'pv' ? objectKey('PersistentVolume', '', name) : words;
    const current = this.#objects.get(key as ObjectKey);
    if (current === undefined) throw new Error(`${this.#case.id}: cannot remove "${words}": it is not there`);
    this.#objects.remove(keyOf(current), current.metadata.resourceVersion);
  }
}

/** The expectation in the order and with the defaults of an outcome. */
export function expectation({ pvs, pvcs, ...rest }: Case['then']): Case['then'] {
  return { ...(pvs && { pvs: sorted(pvs) }), ...(pvcs && { pvcs: sorted(pvcs) }), ...rest };
}

function sorted(words: readonly Words[]): readonly Words[] {
  return words.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function claimKey(name: string): ObjectKey {
  const [first = '', second] = name.split('/');
  return second === undefined
    ? objectKey('PersistentVolumeClaim', 'default', first)
    : objectKey('PersistentVolumeClaim', first, second);
}

function unscheduledPods(waits: ClaimController['waits']): readonly string[] {
  return [...waits].flatMap(([key, { message }]) =>
    key.startsWith('Pod/') ? `${key.split('/').at(-1) ?? ''}: ${message}` : [],
  );
}

function eventInWords({ type, reason, regarding }: { type: string; reason: string; regarding: string }): string {
  const [kind = '', ...names] = regarding.split('/');
  const short: Readonly<Record<string, string>> = { PersistentVolumeClaim: 'pvc', PersistentVolume: 'pv', Pod: 'pod' };
  return `${type} ${reason} ${short[kind] ?? kind}/${names.at(-1) ?? ''}`;
}
