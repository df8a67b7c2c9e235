/** What other people did to a volume: how often, the last time, what still stands and who holds what. */
import type { DriftView, ExplainNode } from '../control/protocol.ts';

/** [] while there was none. */
export function explainDrift(drift: DriftView | undefined): readonly ExplainNode[] {
  if (drift === undefined) return [];
  const { count, lastMessage, lastAt, standing, holders } = drift;
  const stands = standing.map(
    ({ message, since, help }): ExplainNode => ({
      ...{ subject: 'drift', state: 'Reported', detail: message, since, causes: [] },
      ...(help === '' ? {} : { help }),
    }),
  );
  const held: readonly ExplainNode[] =
    holders === ''
      ? []
      : [{ subject: 'old mount', state: 'InUse', detail: `used by ${holders}`, since: lastAt, causes: [] }];
  const times = count === 1 ? 'once' : `${count} times`;
  const sum = { subject: 'drift', state: times, detail: `last: ${lastMessage}`, since: lastAt, causes: [] };
  return [sum, ...stands, ...held];
}
