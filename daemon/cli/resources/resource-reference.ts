import type { ResourceKind } from '../../control/protocol.ts';
import { UsageError } from '../exit-code.ts';
import { findKind, parseKind, resources } from './resources.ts';

/** A kind, and the one item of it that is meant; without a name all of them are. */
export interface ResourceReference {
  readonly kind: ResourceKind;
  readonly name?: string;
}

/**
 * The resources that kubectl's arguments name: `KIND[,KIND] [NAME…]` or `KIND/NAME …`. Names may hold slashes, as those
 * of volumes do.
 */
export function parseReferences(args: readonly string[]): readonly ResourceReference[] {
  const [first = '', ...names] = args;
  if (first.includes('/')) return args.map(parseSlashed);
  const slashed = names.find((name) => findKind(name.split('/')[0] ?? '') !== undefined && name.includes('/'));
  if (slashed !== undefined)
    throw new UsageError(`Cannot use "${slashed}" after "${first}": KIND/NAME takes no KIND before it`);
  const kinds = first.split(',').map(parseKind);
  return kinds.flatMap((kind) => (names.length === 0 ? [{ kind }] : names.map((name) => named(kind, name))));
}

/** Exactly one named item, from `KIND/NAME` or `KIND NAME`. */
export function parseReference(args: readonly string[]): Required<ResourceReference> {
  const [reference, ...more] = parseReferences(args);
  if (reference?.name === undefined || more.length > 0) {
    throw new UsageError(`Cannot use "${args.join(' ')}": wanted one KIND/NAME`);
  }
  return { kind: reference.kind, name: reference.name };
}

/** The NAME of `pod/NAME`; a bare NAME is a pod too. */
export function parsePodName(text: string): string {
  if (!text.includes('/')) return text;
  const { kind, name } = parseReference([text]);
  if (kind !== 'pods') throw new UsageError(`Cannot use "${text}": wanted pod/NAME`);
  return name;
}

function parseSlashed(text: string): ResourceReference {
  const slash = text.indexOf('/');
  if (slash < 0) throw new UsageError(`Cannot use "${text}": wanted KIND/NAME like the arguments before it`);
  return named(parseKind(text.slice(0, slash)), text.slice(slash + 1));
}

function named(kind: ResourceKind, name: string): ResourceReference {
  if (name === '') throw new UsageError(`Cannot use "${resources[kind].singular}/": the name is missing`);
  return { kind, name };
}

/** "pod "web" in namespace "default"", for messages. */
export function describeReference({ kind, name }: Required<ResourceReference>, namespace: string): string {
  const place = resources[kind].isNamespaced ? ` in namespace "${namespace}"` : '';
  return `${resources[kind].singular} "${name}"${place}`;
}
