/** What a fuzzer is given: how long, and where chance begins. */
export interface FuzzLimits {
  /** Of the first input; each next one has the next seed. */
  readonly seed: number;
  readonly seconds: number;
  /** At most so many inputs. */
  readonly runs: number;
}

export interface Finding {
  readonly seed: number;
  readonly what: string;
  readonly input: string;
}

export interface FuzzReport {
  readonly inputs: number;
  readonly findings: readonly Finding[];
}

const mostFindings = 10;

/** Tries one seed after the other until the time is over or too much is found. */
export async function fuzz(
  { seed, seconds, runs }: FuzzLimits,
  tryOne: (seed: number) => Promise<string>,
): Promise<FuzzReport> {
  const end = performance.now() + seconds * 1000;
  const findings: Finding[] = [];
  let inputs = 0;
  while (inputs < runs && findings.length < mostFindings && performance.now() < end) {
    const current = seed + inputs;
    inputs += 1;
    let input = '';
    try {
      input = await tryOne(current);
    } catch (error) {
      if (error instanceof FuzzFinding) input = error.input;
      findings.push({ seed: current, what: error instanceof Error ? error.message : String(error), input });
    }
  }
  return { inputs, findings };
}

/** Something that must hold does not, for this input. */
export class FuzzFinding extends Error {
  readonly input: string;

  constructor(cause: unknown, input: string) {
    super(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause), { cause });
    this.input = input;
  }
}
