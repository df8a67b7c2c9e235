import { ControlTarget } from './control-check.ts';
import { generateClient, type HostileClient } from './control-generator.ts';
import { FuzzFinding, type FuzzLimits, type FuzzReport, fuzz } from './fuzz-report.ts';
import { Random } from './random.ts';

export async function fuzzControl(limits: FuzzLimits): Promise<FuzzReport> {
  await using target = await ControlTarget.start();
  const crashes: unknown[] = [];
  const onCrash = (error: unknown): void => void crashes.push(error);
  process.on('uncaughtException', onCrash).on('unhandledRejection', onCrash);
  try {
    return await fuzz(limits, async (seed) => {
      const clients = clientsOf(new Random(seed));
      try {
        await target.check(clients);
        if (crashes.length > 0)
          throw new Error(`the server's process would have ended: ${crashes.splice(0).join('; ')}`);
      } catch (error) {
        throw new FuzzFinding(error, asText(clients));
      }
      return asText(clients);
    });
  } finally {
    process.off('uncaughtException', onCrash).off('unhandledRejection', onCrash);
  }
}

/** A crowd of eight or more; now and then joined by another of which most say nothing, more than the server has places for. */
function clientsOf(random: Random): readonly HostileClient[] {
  const talkers = Array.from({ length: 8 + random.below(20) }, () => generateClient(random));
  const silent: HostileClient = { pieces: [Buffer.alloc(0)], pauseMs: 0, ending: 'wait', reads: true };
  return random.chance(10) ? [...talkers, ...Array<HostileClient>(100 + random.below(100)).fill(silent)] : talkers;
}

/** As corpus/*.json has it. */
function asText(clients: readonly HostileClient[]): string {
  const plain = clients.map(({ pieces, ...rest }) => ({
    ...rest,
    pieces: pieces.map((piece) => piece.toString('latin1')),
  }));
  return `${JSON.stringify(plain, undefined, 1)}\n`;
}
