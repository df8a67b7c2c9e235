import { unknownField, type Violation } from './schema.ts';
import type { SourceFields } from './volume-source-fields.ts';

/** Unknown fields in the sources that pass through unread. */
export function passingSourceViolations(holder: Readonly<Record<string, unknown>>, sources: SourceFields): Violation[] {
  const violations: Violation[] = [];
  for (const source of Object.keys(holder)) {
    const legal = sources[source];
    if (legal !== undefined) violations.push(...fieldViolations(source, holder[source], legal));
  }
  return violations;
}

/** The sources that an object names. */
export function givenSources(holder: Readonly<Record<string, unknown>>, legal: ReadonlySet<string>): readonly string[] {
  return Object.keys(holder).filter((key) => legal.has(key));
}

function fieldViolations(source: string, given: unknown, legal: readonly string[]): Violation[] {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return [{ keys: [source], message: 'want a mapping' }];
  }
  return Object.keys(given)
    .filter((key) => !legal.includes(key))
    .map((key) => ({ keys: [source, key], message: unknownField(key, legal) }));
}
