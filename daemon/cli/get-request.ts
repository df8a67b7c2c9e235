import { namespaceOf, type OptionValues } from './command.ts';
import { UsageError } from './exit-code.ts';
import { parseLabelSelector } from './label-selector.ts';
import type { Entry } from './resources/listing.ts';
import { parseReferences, type ResourceReference } from './resources/resource-reference.ts';
import { resources } from './resources/resources.ts';

/** What `get` is asked for: its arguments and options, read and checked. */
export interface GetRequest {
  readonly references: readonly ResourceReference[];
  /** Undefined for all namespaces. */
  readonly namespace: string | undefined;
  readonly selects: (entry: Entry) => boolean;
  readonly format: string | undefined;
  readonly withHeaders: boolean;
}

export function readGetRequest(args: readonly string[], options: OptionValues): GetRequest {
  const references = parseReferences(args);
  const isEverywhere = options.isSet('all-namespaces');
  const format = options.text('output');
  const selector = options.text('selector');
  const isNamed = references.some(({ name }) => name !== undefined);
  if (isNamed && isEverywhere) throw new UsageError('Cannot get one by name in all namespaces: use -n NAMESPACE');
  if (isNamed && selector !== undefined) throw new UsageError('Cannot get one by name and by labels: use one of them');
  checkKinds(references, format, selector);
  const matches = selector === undefined ? undefined : parseLabelSelector(selector);
  return {
    references,
    namespace: isEverywhere ? undefined : namespaceOf(options),
    selects: ({ labels }) => matches?.(labels) ?? true,
    format,
    withHeaders: !options.isSet('no-headers'),
  };
}

function checkKinds(
  references: readonly ResourceReference[],
  format: string | undefined,
  selector: string | undefined,
): void {
  const kinds = new Set(references.map(({ kind }) => kind));
  for (const { kind, name } of references) {
    const { isObject, singular } = resources[kind];
    if (selector !== undefined && !isObject) throw new UsageError(`Cannot select ${kind} by label: they have none`);
    if ((format === 'json' || format === 'yaml') && kinds.size > 1 && !isObject) {
      throw new UsageError(`Cannot print ${kind} together with other kinds as ${format}: ask for one kind a call`);
    }
    if (kind === 'events' && (name !== undefined || format === 'name')) {
      throw new UsageError(`Cannot get an ${singular} by name: events have none; describe what they are about`);
    }
  }
}

/** True when one item was named and so is the answer itself, not a list of one. */
export function isSingle({ references }: GetRequest): boolean {
  return references.length === 1 && references[0]?.name !== undefined;
}
