/** The daemon's settings: defaults, then the file, then the command line. Pure. */

import { dnsSubdomainProblem, labelValueProblem, qualifiedNameProblem } from './api/names.ts';
import { nearestName } from './api/nearest-name.ts';
import {
  type ClaimSettings,
  type MemorySettings,
  parseClaims,
  parseMemory,
  parsePool,
  parseTrash,
  type TrashSettings,
} from './config-sections.ts';
import type { PoolLimits } from './plan/pool-capacity.ts';

export interface Config {
  /** Absolute paths without a trailing slash. */
  readonly manifestDir: string;
  readonly rootDir: string;
  readonly stateDir: string;
  readonly runDir: string;
  readonly logFormat: 'json' | 'human';
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly node: NodeSettings;
  readonly trash: TrashSettings;
  readonly claims: ClaimSettings;
  readonly pool: PoolLimits;
  readonly memory: MemorySettings;
}

/** This machine as a node: what selectors of pods, volumes and classes are held against. */
export interface NodeSettings {
  /** The machine's host name when missing. */
  readonly name?: string;
  readonly labels: Readonly<Record<string, string>>;
}

const defaults = {
  manifestDir: '/etc/moored/manifests',
  rootDir: '/var/lib/moored',
  runDir: '/run/moored',
  logFormat: 'json',
  logLevel: 'info',
} as const;

/** Settings that are mappings. */
const sections = { node: parseNode, trash: parseTrash, claims: parseClaims, pool: parsePool, memory: parseMemory };

const accepted: Readonly<Record<keyof Config, readonly string[] | 'path' | 'section'>> = {
  manifestDir: 'path',
  rootDir: 'path',
  stateDir: 'path',
  runDir: 'path',
  logFormat: ['json', 'human'],
  logLevel: ['debug', 'info', 'warn', 'error'],
  node: 'section',
  trash: 'section',
  claims: 'section',
  pool: 'section',
  memory: 'section',
};

/** Where a value comes from, for messages: "/etc/moored/moored.yaml" or "command line". */
export interface ConfigSource {
  readonly name: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * @param sources the later wins
 * @throws Error naming source, key and what is accepted
 */
export function parseConfig(sources: readonly ConfigSource[]): Config {
  const values: Record<string, unknown> = {
    ...defaults,
    node: { labels: {} },
    trash: {},
    claims: {},
    pool: {},
    memory: {},
  };
  for (const { name, values: given } of sources) {
    for (const [key, value] of Object.entries(given)) {
      if (value === undefined) continue;
      values[key] = parseValue(name, key, value);
    }
  }
  values['stateDir'] ??= `${String(values['rootDir'])}/state`;
  return values as unknown as Config;
}

function parseValue(source: string, key: string, value: unknown): string | Config[keyof typeof sections] {
  if (!Object.hasOwn(accepted, key)) {
    const nearest = nearestName(key, Object.keys(accepted));
    const guess = nearest === undefined ? '' : `, did you mean "${nearest}"?`;
    throw new Error(`Cannot read ${source}: unknown key "${key}"${guess}`);
  }
  const kind = accepted[key as keyof Config];
  if (kind === 'section') return sections[key as keyof typeof sections](source, mapping(source, key, value));
  if (typeof value !== 'string') throw new Error(`Cannot read ${source}: "${key}" is not a string`);
  if (kind === 'path') return parsePath(source, key, value);
  if (kind.includes(value)) return value;
  throw new Error(`Cannot read ${source}: "${key}" is "${value}", accepted are ${kind.join(', ')}`);
}

function parsePath(source: string, key: string, value: string): string {
  const isPlain = value.startsWith('/') && value !== '/' && !value.split('/').includes('..');
  if (!isPlain) throw new Error(`Cannot read ${source}: "${key}" is "${value}", wanted an absolute path without ".."`);
  return value.replaceAll(/\/+/g, '/').replace(/\/$/, '');
}

function parseNode(source: string, given: Readonly<Record<string, unknown>>): NodeSettings {
  const { name, labels = {}, ...unknown } = given;
  const [stranger] = Object.keys(unknown);
  if (stranger !== undefined)
    throw new Error(`Cannot read ${source}: unknown key "node.${stranger}", want name or labels`);
  if (name !== undefined) assertText(source, 'node.name', name, dnsSubdomainProblem);
  for (const [key, label] of Object.entries(mapping(source, 'node.labels', labels))) {
    assertText(source, `node.labels["${key}"]`, label, (text) => qualifiedNameProblem(key) ?? labelValueProblem(text));
  }
  return { ...(name === undefined ? {} : { name }), labels } as NodeSettings;
}

function mapping(source: string, key: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new Error(`Cannot read ${source}: "${key}" is not a mapping`);
}

function assertText(source: string, key: string, value: unknown, problem: (text: string) => string | undefined): void {
  if (typeof value !== 'string') throw new Error(`Cannot read ${source}: "${key}" is not a string: put it in quotes`);
  const message = problem(value);
  if (message !== undefined) throw new Error(`Cannot read ${source}: "${key}": ${message}`);
}
