/**
 * The text of a manifest as plain values, each with its line, within limits that are checked before a parser sees it.
 * The one place where `yaml` enters; JSON and simple YAML have their own quick ways, with the same meaning.
 */
import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type ParsedNode,
  Parser,
  type ScalarTag,
  type Tags,
} from 'yaml';
import type { DocumentPath } from '../api/problem.ts';
import type { ManifestProblem } from '../ports/manifest-source.ts';
import { readJson } from './json-text.ts';
import { plainScalar } from './plain-scalar.ts';
import { readSimpleYaml } from './simple-yaml.ts';
import { type NodeKinds, YamlFault, yamlValue } from './yaml-value.ts';

export interface YamlDocument {
  /** Which document of the text, from 1; empty ones count. */
  readonly document: number;
  /** 1-based. */
  readonly line: number;
  /** Made of mappings, lists, strings, numbers, booleans and nulls; null for an empty document. */
  readonly value: unknown;
  /** Line of a place in the document, or of the nearest place above it that is there. */
  readonly lineOf: (keys: DocumentPath) => number | undefined;
}

export interface YamlDocuments {
  /** In the order of the text; without those that have a problem. */
  readonly documents: readonly YamlDocument[];
  readonly problems: readonly ManifestProblem[];
}

/** 1 MiB, some 3,000 pods; etcd takes 1.5 MiB an object. */
export const longestText = 1024 * 1024;
const mostDocuments = 1000;
/** `yaml` needs some 3 us a lexeme; an ordinary manifest of 1 MiB has 300,000. */
const mostLexemes = 400_000;
const mostProblems = 20;
const longestMessage = 200;

/** `file` is the name that problems carry. */
export function parseYamlDocuments(file: string, text: string): YamlDocuments {
  const refusal = refusalOf(text);
  if (refusal !== undefined) return { documents: [], problems: [{ file, ...refusal }] };
  const quick = readJson(text) ?? readSimpleYaml(text);
  if (quick === undefined) return documentsOf(file, text);
  let parsed: ParsedText | undefined;
  const documents = quick.map((document, index) => ({
    ...document,
    document: index + 1,
    lineOf: (keys: DocumentPath) => {
      parsed ??= parse(text);
      return lineOf(parsed, index, keys);
    },
  }));
  return { documents, problems: [] };
}

function refusalOf(text: string): Omit<ManifestProblem, 'file'> | undefined {
  if (text.length > longestText) return { message: `longer than ${longestText} bytes` };
  const control = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.exec(text);
  if (control !== null) {
    const line = text.slice(0, control.index).split('\n').length;
    return { line, message: `not a text file: control character ${JSON.stringify(control[0])}` };
  }
  // Directives too: `yaml` takes a second for ten thousand of them.
  const markers = text.match(/^(?:---|%)/gm)?.length ?? 0;
  return markers > mostDocuments ? { message: `more than ${mostDocuments} documents` } : undefined;
}

function documentsOf(file: string, text: string): YamlDocuments {
  try {
    const parsed = parse(text);
    const read = parsed.documents.map((document, index) => readDocument(file, parsed, document, index));
    const problems = read.flatMap((each) => ('problems' in each ? each.problems : []));
    return {
      documents: read.flatMap((each) => ('value' in each ? [each] : [])),
      problems: problems.slice(0, mostProblems),
    };
  } catch (thrown) {
    return { documents: [], problems: [{ file, message: faultMessage(thrown) }] };
  }
}

interface ParsedText {
  readonly documents: readonly Document.Parsed[];
  readonly lines: LineCounter;
}

function parse(text: string): ParsedText {
  const lines = new LineCounter();
  return { documents: [...new Composer(options).compose(tokensOf(text, lines))], lines };
}

function* tokensOf(text: string, lines: LineCounter): ReturnType<Parser['parse']> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1;
    if (lexemes > mostLexemes) throw new YamlFault(`more than ${mostLexemes} tokens`);
    yield* parser.next(lexeme);
  }
  yield* parser.end();
}

/** One test for every plain scalar, instead of a regular expression a type for each. */
const plainTag: ScalarTag = { tag: 'tag:yaml.org,2002:str', default: true, test: /^/, resolve: plainScalar };
const explicitTags: readonly ScalarTag[] = ['int', 'float', 'bool', 'null'].map((name) => ({
  tag: `tag:yaml.org,2002:${name}`,
  default: false,
  resolve: plainScalar,
}));

function customTags(core: Tags): Tags {
  const collectionsAndText = core.filter(
    (tag) => typeof tag === 'object' && (tag.collection !== undefined || !tag.test),
  );
  return [...collectionsAndText, ...explicitTags, plainTag];
}

const options = {
  version: '1.2',
  customTags,
  // yamlValue finds duplicate keys in linear time.
  uniqueKeys: false,
  resolveKnownTags: false,
  prettyErrors: false,
} as const;

const nodeKinds: NodeKinds = { isAlias, isMap, isScalar, isSeq };

function readDocument(
  file: string,
  parsed: ParsedText,
  source: Document.Parsed,
  index: number,
): YamlDocument | { readonly problems: readonly ManifestProblem[] } {
  const document = index + 1;
  const lineAt = (offset: number) => parsed.lines.linePos(offset).line;
  const faults = [...source.errors, ...source.warnings];
  if (faults.length > 0) {
    return {
      problems: faults.map((fault) => ({ file, document, line: lineAt(fault.pos[0]), message: faultMessage(fault) })),
    };
  }
  const start = contentStart(source);
  try {
    const value = yamlValue(source.contents, nodeKinds);
    return { document, line: lineAt(start), value, lineOf: (keys) => lineOf(parsed, index, keys) };
  } catch (thrown) {
    const offset = thrown instanceof YamlFault ? thrown.offset : undefined;
    return { problems: [{ file, document, line: lineAt(offset ?? start), message: faultMessage(thrown) }] };
  }
}

function contentStart(document: Document.Parsed): number {
  return document.contents?.range[0] ?? document.range[0];
}

function lineOf({ documents, lines }: ParsedText, index: number, keys: DocumentPath): number | undefined {
  const document = documents[index];
  if (document === undefined) return undefined;
  let node: ParsedNode | null | undefined = document.contents;
  let offset = contentStart(document);
  for (const key of keys) {
    if (isAlias(node)) node = node.resolve(document) as ParsedNode | undefined;
    const child: Child | undefined = childAt(node, key);
    if (child === undefined) break;
    ({ offset, node } = child);
  }
  return lines.linePos(offset).line;
}

interface Child {
  readonly node: ParsedNode | null;
  readonly offset: number;
}

function childAt(node: ParsedNode | null | undefined, key: string | number): Child | undefined {
  if (isMap(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
    return pair === undefined ? undefined : { node: pair.value, offset: pair.key.range[0] };
  }
  const item = isSeq(node) ? node.items[Number(key)] : undefined;
  return item === undefined ? undefined : { node: item, offset: item.range[0] };
}

/** `yaml` quotes what it did not understand, however long, and reports a stack that overflowed like any other error. */
function faultMessage(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (message.startsWith('Maximum call stack')) return 'nested too deeply';
  return message.length > longestMessage ? `${message.slice(0, longestMessage)}…` : message;
}
