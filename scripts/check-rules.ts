/**
 * House rules that no linter knows, checked on the syntax tree of every source file.
 * Usage: node scripts/check-rules.ts [file…]; prints "file:line: rule: what to do instead", exits 1 if there is any.
 */
import { globSync, readFileSync } from 'node:fs';
import { basename, relative, resolve } from 'node:path';
import ts from 'typescript';
import { projectRoot } from './run-command.ts';

interface Rule {
  readonly name: string;
  readonly appliesTo: RegExp;
  readonly except?: RegExp;
  readonly advice: string;
  readonly isBrokenBy: (node: ts.Node) => boolean;
}

const product = /^(daemon|plugins)\//;
const pure = /^daemon\/(api|world|plan)\//;
const throughPorts = /^(daemon\/(api|world|plan|ports|controllers|reconcile)|plugins)\//;
const tests = /\.test\.ts$/;
const testsAndFakes = /\.test\.ts$|\/testing\//;

/** "Date.now", "console", "process.env": the source text of a name or of a chain of names. */
function nameOf(node: ts.Node): string {
  if (ts.isIdentifier(node)) return node.text;
  return ts.isPropertyAccessExpression(node) ? `${nameOf(node.expression)}.${node.name.text}` : '';
}

const isAccessOf = (node: ts.Node, names: RegExp): boolean =>
  ts.isPropertyAccessExpression(node) && names.test(nameOf(node));

const isCallOf = (node: ts.Node, names: RegExp): boolean =>
  ts.isCallExpression(node) && names.test(nameOf(node.expression));

function isProperty(node: ts.Node, name: string): node is ts.PropertyAssignment {
  return ts.isPropertyAssignment(node) && ts.isIdentifier(node.name) && node.name.text === name;
}

function isAsync(node: ts.Node): boolean {
  return node.kind === ts.SyntaxKind.AsyncKeyword || ts.isAwaitExpression(node);
}

function relativeSpecifier(node: ts.Node): string | undefined {
  const isModule = ts.isImportDeclaration(node) || ts.isExportDeclaration(node);
  if (!isModule || node.moduleSpecifier === undefined || !ts.isStringLiteral(node.moduleSpecifier)) return undefined;
  return node.moduleSpecifier.text.startsWith('.') ? node.moduleSpecifier.text : undefined;
}

const rules: readonly Rule[] = [
  {
    name: 'no-shell',
    appliesTo: /./,
    advice: 'start a program by its argv; a shell reads names as commands',
    isBrokenBy: (node) =>
      (isProperty(node, 'shell') && node.initializer.kind !== ts.SyntaxKind.FalseKeyword) ||
      (ts.isImportSpecifier(node) && /^exec(Sync)?$/.test((node.propertyName ?? node.name).text)),
  },
  {
    name: 'no-recursive-delete',
    appliesTo: product,
    except: tests,
    advice: 'rmdir, or unlink of one listed file: a mount below the path would be emptied',
    isBrokenBy: (node) => isCallOf(node, /(^|\.)(rm|rmSync|rimraf)$/) || isRecursiveRmdir(node),
  },
  {
    name: 'no-console',
    appliesTo: product,
    except: /^daemon\/cli\/|\.test\.ts$/,
    advice: 'use the Logger port',
    isBrokenBy: (node) => isAccessOf(node, /^console\.\w+$/),
  },
  {
    name: 'no-clock-no-chance',
    appliesTo: throughPorts,
    except: testsAndFakes,
    advice: 'take time, randomness and environment as values, or through a port',
    isBrokenBy: (node) =>
      isAccessOf(node, /^(Date\.now|Math\.random|crypto\.\w+|performance\.\w+|process\.\w+)$/) ||
      isCallOf(node, /^(setTimeout|setInterval|setImmediate|queueMicrotask|fetch)$/) ||
      (ts.isNewExpression(node) && nameOf(node.expression) === 'Date' && (node.arguments ?? []).length === 0),
  },
  {
    name: 'pure-means-synchronous',
    appliesTo: pure,
    except: tests,
    advice: 'read first, then decide: api, world and plan know no async',
    isBrokenBy: isAsync,
  },
  {
    name: 'no-default-export',
    appliesTo: /./,
    advice: 'name what you export',
    isBrokenBy: (node) =>
      ts.isExportAssignment(node) || (node.kind === ts.SyntaxKind.DefaultKeyword && isExported(node)),
  },
  {
    name: 'ts-specifier',
    appliesTo: /./,
    advice: "write the file's own ending, .ts: Node resolves no other",
    isBrokenBy: (node) => relativeSpecifier(node)?.endsWith('.ts') === false,
  },
];

function isExported(node: ts.Node): boolean {
  return ts.isFunctionDeclaration(node.parent) || ts.isClassDeclaration(node.parent);
}

function isRecursiveRmdir(node: ts.Node): boolean {
  return isCallOf(node, /(^|\.)rmdir(Sync)?$/) && /recursive\s*:\s*true/.test(node.getText());
}

const fileName = /^[a-z0-9]+(-[a-z0-9]+)*(\.property)?(\.test)?\.ts$/;
const vagueName = /^(utils?|helpers?|common|misc|shared|types|constants|index)\.ts$/;
const pluginRegistry = 'plugins/index.ts';
/** The formatter breaks code at 120, but neither comments nor strings; a table of test cases may be wider. */
const maxColumns = 124;

function* nameViolations(file: string): Generator<string> {
  const name = basename(file);
  if (!fileName.test(name)) yield `${file}:1: kebab-case: name the file after its main export, in kebab-case`;
  if (vagueName.test(name) && file !== pluginRegistry)
    yield `${file}:1: vague-name: name the file after the one job that it does`;
}

/** A message, a pattern or an address that no formatter can break. */
function isLiteral(line: string): boolean {
  return line.includes('://') || /^\s*(return |const \w+ = |\w+: )?([`'"/]).*\2[a-z]*[,;]?$/.test(line);
}

function* lineViolations(file: string, text: string): Generator<string> {
  for (const [index, line] of text.split('\n').entries()) {
    if (line.length > maxColumns && !tests.test(file) && !file.startsWith('integration/') && !isLiteral(line))
      yield `${file}:${index + 1}: columns: ${line.length} > ${maxColumns}`;
    if (/@ts-(ignore|nocheck)/.test(line)) yield `${file}:${index + 1}: ts-ignore: make the types tell the truth`;
  }
}

function* treeViolations(file: string, text: string): Generator<string> {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true);
  const relevant = rules.filter((rule) => rule.appliesTo.test(file) && rule.except?.test(file) !== true);
  const queue: ts.Node[] = [source];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    for (const rule of relevant) {
      if (!rule.isBrokenBy(node)) continue;
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      yield `${file}:${line + 1}: ${rule.name}: ${rule.advice}`;
    }
    ts.forEachChild(node, (child) => void queue.push(child));
    if (ts.canHaveModifiers(node)) queue.push(...(node.modifiers ?? []));
  }
}

function violationsOf(file: string): readonly string[] {
  const text = readFileSync(resolve(projectRoot, file), 'utf8');
  return [...nameViolations(file), ...lineViolations(file, text), ...treeViolations(file, text)];
}

const named = process.argv.slice(2).map((file) => relative(projectRoot, resolve(file)));
const files = named.length > 0 ? named : globSync('{daemon,plugins,scripts,integration}/**/*.ts', { cwd: projectRoot });
const violations = [...new Set(files.toSorted().flatMap(violationsOf))];
for (const violation of violations) process.stdout.write(`${violation}\n`);
process.stdout.write(`${files.length} files, ${violations.length} violations\n`);
process.exitCode = violations.length > 0 || files.length === 0 ? 1 : 0;
