/**
 * What binding costs: npm run bench:claims [-- N…]. CPU seconds of the claim controller over a store in memory, for n
 * claims, in four situations, each at several n; the exponent is that of cost = a · n^exponent between the first and the
 * last n. Not a test: nothing fails because it is slow.
 */
import { MemoryEventRecorder } from '../../daemon/adapters/memory-event-recorder.ts';
import { MemoryStateStore } from '../../daemon/adapters/memory-state-store.ts';
import { StateObjectStore } from '../../daemon/adapters/state-object-store.ts';
import { keyOf } from '../../daemon/api/meta.ts';
import type { StoredObject } from '../../daemon/api/object.ts';
import { claim, storageClass, volume } from '../../daemon/api/testing/storage-objects.ts';
import { ClaimController } from '../../daemon/controllers/claim-controller.ts';
import { nodesOf } from '../../daemon/plan/this-node.ts';
import { FakeClock } from '../../daemon/ports/testing/fake-clock.ts';
import { ScriptedProvisioning } from '../cases/scripted-provisioning.ts';

const nothing = (): void => {};

interface Situation {
  readonly name: string;
  readonly objects: (n: number) => readonly StoredObject[];
  /** Objects that come one after the other, each with a sync of its own, once the rest is settled. */
  readonly later?: (n: number) => readonly StoredObject[];
}

const gold = { spec: { storageClassName: 'gold' } };
/** Sizes in no order, all different. */
const sizeOf = (index: number, n: number) => `${1 + ((index * 7_919) % n)}Mi`;
const each = <T>(n: number, make: (index: number) => T): readonly T[] => Array.from({ length: n }, (_, i) => make(i));

const situations: readonly Situation[] = [
  {
    name: 'n claims and n volumes of n sizes, at once',
    objects: (n) => [
      ...each(n, (i) => volume(`v${i}`, sizeOf(i, n), { phase: undefined })),
      ...each(n, (i) => claim(`c${i}`, sizeOf(n - i, n))),
    ],
  },
  {
    name: 'n claims and n volumes of one size, at once',
    objects: (n) => [...each(n, (i) => volume(`v${i}`)), ...each(n, (i) => claim(`c${i}`))],
  },
  {
    name: 'n claims of a class, provisioned',
    objects: (n) => [storageClass('gold'), ...each(n, (i) => claim(`c${i}`, '1Gi', gold))],
  },
  {
    name: 'a claim more, with n bound ones: n / 10 times',
    objects: (n) => [
      ...each(n, (i) => volume(`v${i}`)),
      ...each(n, (i) => claim(`c${i}`)),
      ...each(n / 10, (i) => volume(`w${i}`)),
    ],
    later: (n) => each(n / 10, (i) => claim(`d${i}`)),
  },
];

/** CPU seconds until all claims are bound. */
async function cost({ objects, later = () => [] }: Situation, n: number): Promise<number> {
  const store = new StateObjectStore(new MemoryStateStore());
  const clock = new FakeClock();
  for (const object of objects(n)) store.create(object);
  const provisioning = new ScriptedProvisioning({
    ...{ objects: store, script: [], inject: [], inUse: new Set<string>() },
    ...{ perform: nothing, now: () => clock.timestamp(), free: undefined },
  });
  const controller = new ClaimController({
    ...{ objects: store, clock, provisioning, random: () => 0, isHere: () => true },
    nodes: () => nodesOf({ name: 'node1', labels: {} }, []),
    events: new MemoryEventRecorder(clock),
    logger: { info: nothing, warn: nothing, debug: nothing, error: nothing },
  });
  const settle = async (): Promise<void> => {
    controller.sync();
    await controller.idle();
  };
  let start = process.cpuUsage();
  await settle();
  const coming = later(n);
  if (coming.length > 0) start = process.cpuUsage();
  for (const object of coming) {
    store.create(object);
    await settle();
  }
  const { user, system } = process.cpuUsage(start);
  const unbound = store.list('PersistentVolumeClaim').find(({ status }) => status?.phase !== 'Bound');
  if (unbound !== undefined) throw new Error(`${keyOf(unbound)} is not bound`);
  return (user + system) / 1e6;
}

const asked = process.argv.slice(2).map(Number);
const counts = asked.length > 0 ? asked : [1_000, 2_000, 4_000, 8_000];
process.stdout.write(`| CPU seconds | ${counts.map((n) => `n = ${n}`).join(' | ')} | exponent |\n`);
process.stdout.write(`| --- |${counts.map(() => ' ---: |').join('')} ---: |\n`);
for (const situation of situations) {
  // Warm: the first run pays for the compiler.
  await cost(situation, 500);
  const seconds: number[] = [];
  for (const n of counts) seconds.push(await cost(situation, n));
  const exponent =
    Math.log((seconds.at(-1) ?? 0) / (seconds[0] ?? 1)) / Math.log((counts.at(-1) ?? 1) / (counts[0] ?? 1));
  const cells = [...seconds.map((value) => value.toFixed(2)), exponent.toFixed(2)];
  process.stdout.write(`| ${situation.name} | ${cells.join(' | ')} |\n`);
}
