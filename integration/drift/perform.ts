import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordedEvent } from '../../daemon/control/protocol.ts';
import { eventually } from '../support/eventually.ts';
import type { Act } from './acts.ts';
import type { DriftScene } from './drift-scene.ts';

export interface Performance {
  /** From the return of the act to the daemon's event; 0 when that was earlier. */
  readonly noticedMs: number;
  /** From the return of the act until things are as they should be; undefined for what is only reported. */
  readonly repairedMs: number | undefined;
}

/**
 * Does it and waits until it was noticed, repaired or reported, and is shown by `explain`; then puts things back and waits
 * for the pod to be ready. Throws where one of them does not happen.
 */
export async function perform(act: Act, scene: DriftScene): Promise<Performance> {
  await act.before?.(scene);
  try {
    return await measure(act, scene);
  } finally {
    await act.after?.(scene);
    await settled(act, scene);
  }
}

async function measure(act: Act, scene: DriftScene): Promise<Performance> {
  const before = countOf(await scene.events(), act);
  const counted = await driftCount(act, scene);
  act.act(scene);
  const returnedAt = Date.now();
  const repairedMs = act.policy === 'repaired' ? await repaired(act, scene, returnedAt) : undefined;
  let noticedAt = 0;
  await eventually(async () => {
    const events = await scene.events();
    noticedAt = Math.max(...events.filter(({ reason }) => reason === act.reason).map(timeOf), 0);
    return countOf(events, act) > before || `no event ${act.reason}`;
  });
  await eventually(async () => {
    const text = await scene.explained(act.pod);
    return act.shown.test(text) || `explain does not say ${String(act.shown)}:\n${text}`;
  });
  if (!act.isAsItShould(scene)) throw new Error(`After "${act.name}" something else than ours was changed`);
  if (act.reason !== 'VolumeConditionAbnormal' && (await driftCount(act, scene)) <= counted) {
    throw new Error(`"${act.name}" was not counted`);
  }
  return { noticedMs: Math.max(noticedAt - returnedAt, 0), repairedMs };
}

/** What is done twice in a moment is one change to who looks after it: the end of the first must have been seen. */
async function settled({ pod }: Act, scene: DriftScene): Promise<void> {
  if (pod === 'doomed') return;
  await scene.view.ready(pod);
  await eventually(async () => {
    const standing = (await scene.volume(`default/${pod}`)).drift?.standing ?? [];
    return standing.length === 0 || standing.map(({ message }) => message).join('; ');
  });
}

/** The table itself is watched, each millisecond: what the daemon says of itself would be no measure. */
async function repaired(act: Act, scene: DriftScene, since: number): Promise<number> {
  const deadline = since + 60_000;
  while (!act.isAsItShould(scene)) {
    if (Date.now() > deadline) throw new Error(`"${act.name}" is not repaired after a minute`);
    await sleep(1);
  }
  return Date.now() - since;
}

async function driftCount({ pod }: Act, scene: DriftScene): Promise<number> {
  return (await scene.volume(`default/${pod}`)).drift?.count ?? 0;
}

function countOf(events: readonly RecordedEvent[], { reason }: Act): number {
  return events.filter((event) => event.reason === reason).reduce((sum, { count }) => sum + count, 0);
}

function timeOf({ lastTimestamp }: RecordedEvent): number {
  return Date.parse(lastTimestamp);
}
