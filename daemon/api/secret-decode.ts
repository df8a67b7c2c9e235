/**
 * A Secret of a manifest, read by hand and not by a schema: what a schema says of a wrong value quotes it, and not even
 * the wrong half of a password belongs in a log.
 */
import { dnsLabelProblem, dnsSubdomainProblem } from './names.ts';
import { type DocumentPath, type Problem, problemAt } from './problem.ts';
import type { Secret } from './secret.ts';
import { SecretValue } from './secret-value.ts';

export type DecodedSecret =
  | { readonly ok: true; readonly secret: Secret }
  | { readonly ok: false; readonly problems: readonly Problem[] };

type Mapping = Readonly<Record<string, unknown>>;

export function decodeSecret(document: Mapping): DecodedSecret {
  const problems: Problem[] = [];
  const report = (keys: DocumentPath, message: string) => void problems.push(problemAt(keys, message));
  const metadata = isMapping(document['metadata']) ? document['metadata'] : {};
  const { name, namespace = 'default' } = metadata;
  if (typeof name !== 'string') report(['metadata', 'name'], 'required');
  else reportText(['metadata', 'name'], dnsSubdomainProblem(name), report);
  if (typeof namespace !== 'string') report(['metadata', 'namespace'], 'want a string');
  else reportText(['metadata', 'namespace'], dnsLabelProblem(namespace), report);
  const data = new Map<string, SecretValue>();
  readEntries(document, 'data', report, (key, text) => {
    const decoded = decodeBase64(text);
    if (decoded === undefined) report(['data', key], 'is not base64 (the value is not shown)');
    else data.set(key, new SecretValue(decoded));
  });
  readEntries(document, 'stringData', report, (key, text) => data.set(key, new SecretValue(text)));
  if (problems.length > 0 || typeof name !== 'string' || typeof namespace !== 'string') return { ok: false, problems };
  const type = typeof document['type'] === 'string' ? document['type'] : 'Opaque';
  return { ok: true, secret: { name, namespace, type, data } };
}

type Report = (keys: DocumentPath, message: string) => void;

function reportText(keys: DocumentPath, problem: string | undefined, report: Report): void {
  if (problem !== undefined) report(keys, problem);
}

function readEntries(
  document: Mapping,
  field: 'data' | 'stringData',
  report: Report,
  take: (key: string, text: string) => void,
): void {
  const entries = document[field];
  if (entries === undefined) return;
  if (!isMapping(entries)) return report([field], 'want a mapping (the value is not shown)');
  for (const [key, value] of Object.entries(entries)) {
    if (!/^[-._a-zA-Z0-9]{1,253}$/.test(key))
      report([field], 'has a key that is not letters, digits, "-", "_" and "."');
    else if (typeof value !== 'string') report([field, key], 'want a string, in quotes (the value is not shown)');
    else take(key, value);
  }
}

/** Lines of base64 may be broken, as `base64 file` prints them; anything else in it is a mistake. */
function decodeBase64(text: string): string | undefined {
  const joined = text.replaceAll(/\s/g, '');
  const isLegal = /^[A-Za-z0-9+/]*={0,2}$/.test(joined) && joined.length % 4 === 0;
  return isLegal ? Buffer.from(joined, 'base64').toString('utf8') : undefined;
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
