/**
 * The one place where zod enters. A small vocabulary for the schemas of the kinds, and zod's issues turned into
 * problems that name the path and what would be accepted. zod/mini: a fifth of zod's bundle, half of its start.
 */
import {
  array,
  boolean,
  type core,
  custom,
  enum as enumeration,
  exactOptional,
  literal,
  looseObject,
  pipe,
  record,
  string,
  superRefine,
  transform,
  unknown,
  _default as withDefault,
  type ZodMiniExactOptional,
  type ZodMiniObject,
  type ZodMiniType,
} from 'zod/mini';
import { quoted } from './names.ts';
import { nearestName } from './nearest-name.ts';
import { type DocumentPath, type Problem, problemAt } from './problem.ts';

export {
  array as listOf,
  boolean as flag,
  exactOptional as optional,
  literal,
  string as text,
  unknown as anything,
  withDefault,
};

export type Schema<T> = ZodMiniType<T>;
type Shape = Readonly<Record<string, Schema<unknown> | ZodMiniExactOptional>>;

/** A problem of a rule, with keys below the value that the rule looked at. */
export interface Violation {
  readonly keys: DocumentPath;
  readonly message: string;
}

/**
 * A mapping with the fields of `shape`, with those of `passing` (kept as they are), and no other: an unknown field is
 * told the nearest legal name, even when the rest is wrong too.
 */
export function fields<S extends Shape>(shape: S, passing: readonly string[] = []): ZodMiniObject<S, core.$strict> {
  const legal = [...Object.keys(shape), ...passing];
  const known = new Set(legal);
  const strict = looseObject(shape).check(
    superRefine(
      (mapping, ctx) => {
        for (const key of Object.keys(mapping)) {
          if (!known.has(key)) report(ctx, [{ keys: [key], message: unknownField(key, legal) }]);
        }
      },
      { when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value) },
    ),
  );
  // Loose only so that the check sees the keys: a value with another field than these does not get out.
  return strict;
}

/** A mapping of which only these fields are read; the rest passes through untouched. */
export const readFields = looseObject;

export function oneOf<const T extends readonly [string, ...string[]]>(values: T): Schema<T[number]> {
  return enumeration(values);
}

export function mapOf<T>(value: Schema<T>): Schema<Record<string, T>> {
  return record(string(), value);
}

/** A string for which `problem` has nothing to say. */
export function textWith(problem: (text: string) => string | undefined): Schema<string> {
  return constrained(string(), (text) => {
    const message = problem(text);
    return message === undefined ? [] : [{ keys: [], message }];
  });
}

/** The schema, and a rule over the values that it lets through. */
export function constrained<T, S extends Schema<T>>(
  schema: S & Schema<T>,
  rule: (value: core.output<S>) => readonly Violation[],
): S {
  return schema.check((ctx) => report(ctx, rule(ctx.value)));
}

export function mapped<A, B>(schema: Schema<A>, change: (value: A) => B): Schema<B> {
  return pipe(schema, transform(change));
}

/** A value of which the type cannot say all: `wanted` names it in the problem. */
export function valueWith<T>(wanted: string, holds: (value: unknown) => value is T): Schema<T> {
  return custom<T>(holds, {
    error: ({ input }) => (input === undefined ? 'required' : `want ${wanted}, found ${shown(input)}`),
  });
}

/** An int32 from zero on: counts and ordinals. */
export const wholeNumber = valueWith('a whole number from 0 on', isWholeNumber);

function isWholeNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 31;
}

export function unknownField(key: string, legal: readonly string[]): string {
  const nearest = nearestName(key, legal);
  return nearest === undefined
    ? `unknown field, want one of ${legal.join(', ')}`
    : `unknown field, did you mean "${nearest}"?`;
}

/** `"Retian" is not one of Retain, Delete, did you mean "Retain"?` */
export function notOneOf(value: string, legal: readonly string[]): string {
  const nearest = nearestName(value, legal);
  const hint = nearest === undefined ? '' : `, did you mean "${nearest}"?`;
  return `${quoted(value)} is not one of ${legal.map((name) => (name === '' ? '""' : name)).join(', ')}${hint}`;
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function check<T>(schema: Schema<T>, value: unknown): Checked<T> {
  const result = schema.safeParse(value, { error: issueMessage });
  if (result.success) return { ok: true, value: result.data };
  const problems = result.error.issues.map(({ path, message }) =>
    problemAt(
      path.map((key) => (typeof key === 'symbol' ? String(key) : key)),
      message,
    ),
  );
  return { ok: false, problems };
}

function report(ctx: core.ParsePayload, violations: readonly Violation[]): void {
  for (const { keys, message } of violations) {
    ctx.issues.push({ code: 'custom', path: [...keys], message, input: ctx.value });
  }
}

function issueMessage(issue: core.$ZodRawIssue): string | undefined {
  if (issue.code === 'custom') return undefined;
  if (issue.input === undefined) return 'required';
  if (issue.code === 'invalid_type') return wrongType(issue.input, issue.expected);
  if (issue.code !== 'invalid_value') return undefined;
  const values = issue.values.map(String);
  return typeof issue.input === 'string'
    ? notOneOf(issue.input, values)
    : `${shown(issue.input)} is not one of ${values.join(', ')}`;
}

const wanted: Readonly<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  boolean: 'true or false',
};

function wrongType(value: unknown, expected: string): string {
  const isScalar = typeof value === 'number' || typeof value === 'boolean';
  const hint = expected === 'string' && isScalar ? `: put it in quotes, "${value}"` : '';
  return `want ${wanted[expected] ?? `a ${expected}`}, found ${shown(value)}${hint}`;
}

function shown(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return quoted(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : 'a mapping';
}
