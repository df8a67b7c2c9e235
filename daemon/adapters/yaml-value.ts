/** Nodes of the `yaml` package as plain values, within limits. The package itself stays in yaml-documents.ts. */

interface AliasNode {
  readonly source: string;
}

interface ScalarNode {
  readonly value: unknown;
  readonly tag?: string | undefined;
  readonly type?: string | undefined;
}

interface MapNode {
  readonly items: readonly { readonly key: unknown; readonly value: unknown }[];
}

interface SeqNode {
  readonly items: readonly unknown[];
}

/** The package's own type guards. */
export interface NodeKinds {
  readonly isAlias: (node: unknown) => node is AliasNode;
  readonly isMap: (node: unknown) => node is MapNode;
  readonly isScalar: (node: unknown) => node is ScalarNode;
  readonly isSeq: (node: unknown) => node is SeqNode;
}

/** A document that is legal YAML and not a manifest. */
export class YamlFault extends Error {
  /** Where in the text; undefined when the whole of it is meant. */
  readonly offset: number | undefined;

  constructor(message: string, offset?: number) {
    super(message);
    this.name = 'YamlFault';
    this.offset = offset;
  }
}

const deepest = 100;
const mostAliases = 100;
/** What all aliases of a document together may stand for: nine of a tenfold bomb would be 10^9. */
const mostAliasedNodes = 10_000;

/**
 * A plain value: anchors and merge keys (`<<`) resolved. Aliased collections are shared, not copied.
 * @throws YamlFault for a duplicate key, a key that is no scalar, a value that JSON has not, or a limit.
 */
export function yamlValue(node: unknown, kinds: NodeKinds): unknown {
  return new ValueReader(kinds).value(node, 0);
}

interface Anchored {
  readonly value: unknown;
  readonly nodes: number;
}

class ValueReader {
  readonly #kinds: NodeKinds;
  readonly #anchors = new Map<string, Anchored | 'open'>();
  #nodes = 0;
  #aliases = 0;
  #aliasedNodes = 0;

  constructor(kinds: NodeKinds) {
    this.#kinds = kinds;
  }

  value(node: unknown, depth: number): unknown {
    if (node === null || node === undefined) return null;
    if (this.#kinds.isAlias(node)) return this.#aliased(node);
    if (depth > deepest) throw new YamlFault(`nested deeper than ${deepest} levels`, offsetOf(node));
    const { anchor } = node as { readonly anchor?: string };
    if (anchor === undefined) return this.#unanchored(node, depth);
    const before = this.#nodes;
    this.#anchors.set(anchor, 'open');
    const value = this.#unanchored(node, depth);
    this.#anchors.set(anchor, { value, nodes: this.#nodes - before });
    return value;
  }

  #unanchored(node: unknown, depth: number): unknown {
    this.#nodes += 1;
    if (this.#kinds.isScalar(node)) return scalarValue(node);
    if (this.#kinds.isMap(node)) return this.#mapping(node, depth);
    if (this.#kinds.isSeq(node)) return node.items.map((item) => this.value(item, depth + 1));
    throw new YamlFault('want a mapping, a list or a scalar', offsetOf(node));
  }

  #aliased(alias: AliasNode): unknown {
    const found = this.#anchors.get(alias.source);
    const offset = offsetOf(alias);
    if (found === undefined) throw new YamlFault(`the alias "*${alias.source}" has no anchor before it`, offset);
    if (found === 'open') throw new YamlFault(`the alias "*${alias.source}" contains itself`, offset);
    this.#aliases += 1;
    this.#aliasedNodes += found.nodes;
    this.#nodes += found.nodes;
    if (this.#aliases > mostAliases) throw new YamlFault(`more than ${mostAliases} aliases`, offset);
    if (this.#aliasedNodes > mostAliasedNodes) {
      throw new YamlFault(`aliases that stand for more than ${mostAliasedNodes} values`, offset);
    }
    return found.value;
  }

  #mapping(map: MapNode, depth: number): Record<string, unknown> {
    const own: Record<string, unknown> = {};
    const merged: unknown[] = [];
    for (const { key, value } of map.items) {
      const name = this.#keyText(key, map);
      if (isMergeKey(key)) merged.push(this.value(value, depth + 1));
      else if (Object.hasOwn(own, name)) throw new YamlFault(`duplicate key ${JSON.stringify(name)}`, offsetOf(key));
      else define(own, name, this.value(value, depth + 1));
    }
    for (const source of merged.flat()) mergeInto(own, source, offsetOf(map));
    return own;
  }

  #keyText(key: unknown, map: MapNode): string {
    const value = this.#kinds.isScalar(key) ? scalarValue(key) : undefined;
    if (value === undefined)
      throw new YamlFault('a key is a mapping, a list or an alias', offsetOf(key) ?? offsetOf(map));
    if (value === null) throw new YamlFault('a key is empty', offsetOf(key) ?? offsetOf(map));
    return String(value);
  }
}

function scalarValue(scalar: ScalarNode): string | number | boolean | null {
  const { value } = scalar;
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value;
  throw new YamlFault(`a value of the tag ${scalar.tag ?? 'unknown'} is not part of a manifest`, offsetOf(scalar));
}

function isMergeKey(key: unknown): boolean {
  const { value, type } = key as ScalarNode;
  return value === '<<' && type === 'PLAIN';
}

/** https://yaml.org/type/merge.html: what the mapping says itself wins, then the earlier source. */
function mergeInto(own: Record<string, unknown>, source: unknown, offset: number | undefined): void {
  if (typeof source !== 'object' || source === null || Array.isArray(source)) {
    throw new YamlFault('the merge key "<<" wants a mapping, or a list of mappings', offset);
  }
  for (const [key, value] of Object.entries(source)) {
    if (!Object.hasOwn(own, key)) define(own, key, value);
  }
}

/** An assignment to "__proto__" would set the prototype; as an own key it is seen and refused. */
function define(mapping: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(mapping, key, { value, enumerable: true, configurable: true, writable: true });
  else mapping[key] = value;
}

function offsetOf(node: unknown): number | undefined {
  return (node as { readonly range?: readonly number[] | null } | null)?.range?.[0];
}
