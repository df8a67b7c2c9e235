/** At which of the recorded steps the daemon dies, "<operation>/<port>.<method>#<n> before" or "… after". */

/** Every occurrence on both sides; one of each kind of step in each phase; or one call of each method of a port. */
export type Sample = 'all' | 'eachPhase' | 'eachMethod';

/** @param recorded the steps of each phase @returns the deaths of each phase; which ones, the seed says */
export function sampleDeaths(
  recorded: readonly (readonly string[])[],
  sample: Sample,
  seed: number,
): readonly (readonly string[])[] {
  switch (sample) {
    case 'all':
      return recorded.map((steps) => steps.flatMap((step) => [`${step} before`, `${step} after`]));
    case 'eachPhase':
      return recorded.map((steps) =>
        [...Map.groupBy(steps, kindOf).values()].map((same, index) => oneOf(same, seed + index)),
      );
    case 'eachMethod':
      return oneOfEachMethod(recorded, seed);
  }
}

const kindOf = (step: string): string => step.slice(0, step.indexOf('#'));
const methodOf = (step: string): string => kindOf(step).slice(step.indexOf('/') + 1);

/** Spread over the phases, for a cycle with one death costs as much time as one with four. */
function oneOfEachMethod(recorded: readonly (readonly string[])[], seed: number): readonly (readonly string[])[] {
  const byPhase = recorded.map((steps) => Map.groupBy(steps, methodOf));
  const phasesOf = (method: string) => byPhase.flatMap((methods, phase) => (methods.has(method) ? [phase] : []));
  const methods = [...new Set(recorded.flat().map(methodOf))].toSorted(
    (a, b) => phasesOf(a).length - phasesOf(b).length,
  );
  const deaths = recorded.map((): string[] => []);
  const countOf = (phase: number): number => deaths[phase]?.length ?? 0;
  for (const [index, method] of methods.entries()) {
    const [phase = 0] = phasesOf(method).toSorted((a, b) => countOf(a) - countOf(b));
    deaths[phase]?.push(oneOf(byPhase[phase]?.get(method) ?? [], seed + index));
  }
  return deaths;
}

/** Each occurrence and each side comes by, number by number. */
function oneOf(same: readonly string[], number: number): string {
  const pick = number % (2 * same.length);
  return `${same[Math.floor(pick / 2)] ?? ''} ${pick % 2 === 0 ? 'before' : 'after'}`;
}
