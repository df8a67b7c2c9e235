/** The daemon's settings: defaults, then the file, then the command line. Pure. */
import { nearestName } from './api/nearest-name.ts';

export interface Config {
  /** Absolute paths without a trailing slash. */
  readonly manifestDir: string;
  readonly rootDir: string;
  readonly stateDir: string;
  readonly runDir: string;
  readonly logFormat: 'json' | 'human';
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

const defaults = {
  manifestDir: '/etc/moored/manifests',
  rootDir: '/var/lib/moored',
  runDir: '/run/moored',
  logFormat: 'json',
  logLevel: 'info',
} as const;

const accepted: Readonly<Record<keyof Config, readonly string[] | 'path'>> = {
  manifestDir: 'path',
  rootDir: 'path',
  stateDir: 'path',
  runDir: 'path',
  logFormat: ['json', 'human'],
  logLevel: ['debug', 'info', 'warn', 'error'],
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
  const values: Record<string, string> = { ...defaults };
  for (const { name, values: given } of sources) {
    for (const [key, value] of Object.entries(given)) {
      if (value === undefined) continue;
      values[key] = parseValue(name, key, value);
    }
  }
  values['stateDir'] ??= `${values['rootDir']}/state`;
  return values as unknown as Config;
}

function parseValue(source: string, key: string, value: unknown): string {
  if (!Object.hasOwn(accepted, key)) {
    const nearest = nearestName(key, Object.keys(accepted));
    const guess = nearest === undefined ? '' : `, did you mean "${nearest}"?`;
    throw new Error(`Cannot read ${source}: unknown key "${key}"${guess}`);
  }
  const kind = accepted[key as keyof Config];
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
