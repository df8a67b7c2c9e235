import { decodeDocument } from '../api/decode.ts';
import { keyOf } from '../api/meta.ts';
import type { DeclaredObject } from '../api/object.ts';
import type { Secret } from '../api/secret.ts';
import type { IgnoredDocument, ManifestFile, ManifestProblem } from '../ports/manifest-source.ts';
import { longestText, parseYamlDocuments } from './yaml-documents.ts';

const mostProblems = 20;

/**
 * A manifest is taken whole or not at all: with one problem in it, the objects are those of `previous`, the version of
 * this file that was taken last, as if the file had not been touched.
 */
export function parseManifest(name: string, text: string, previous?: ManifestFile): ManifestFile {
  const { documents, problems: syntaxProblems } = parseYamlDocuments(name, text);
  const problems: ManifestProblem[] = mayHoldSecret(text) ? syntaxProblems.map(withoutQuotes) : [...syntaxProblems];
  const secrets = new Map<string, Secret>();
  const ignored: IgnoredDocument[] = [];
  const warnings: ManifestProblem[] = [];
  const objects = new Map<string, DeclaredObject>();
  const tellOfSecond = (key: string, place: { readonly document: number; readonly line: number }): void => {
    if (problems.length >= mostProblems) return;
    problems.push({ file: name, ...place, message: `${key} is declared twice in this file` });
  };
  for (const { document, line, value, lineOf } of documents) {
    for (const decoded of decodeDocument(value)) {
      if (decoded.outcome === 'ignored') {
        const { apiVersion, kind, name: objectName } = decoded;
        ignored.push({ document, apiVersion, kind, name: objectName });
      } else if (decoded.outcome === 'invalid') {
        // Enough to mend a file by; each costs a search for its line.
        for (const { keys, path, message } of decoded.problems.slice(0, Math.max(0, mostProblems - problems.length))) {
          problems.push({ file: name, document, line: lineOf(keys) ?? line, path, message });
        }
      } else if (decoded.outcome === 'secret') {
        const key = `Secret/${decoded.secret.namespace}/${decoded.secret.name}`;
        if (secrets.has(key)) tellOfSecond(key, { document, line });
        secrets.set(key, decoded.secret);
      } else {
        const key = keyOf(decoded.object);
        if (objects.has(key)) tellOfSecond(key, { document, line });
        objects.set(key, decoded.object);
        for (const { keys, path, message } of decoded.warnings)
          warnings.push({ file: name, document, line: lineOf(keys) ?? line, path, message });
      }
    }
  }
  if (problems.length > 0) return { ...badManifest(name, problems, previous), words: wordsOf(text) };
  return {
    ...{ name, state: 'good', objects: [...objects.values()], ignored, problems: [] },
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(secrets.size === 0 ? {} : { secrets: [...secrets.values()] }),
  };
}

/** A file that was refused for a reason of its own (it is a link, it cannot be read) keeps its last version as well. */
export function badManifest(name: string, problems: readonly ManifestProblem[], previous?: ManifestFile): ManifestFile {
  const kept = { objects: previous?.objects ?? [], ignored: previous?.ignored ?? [] };
  const secrets = previous?.secrets === undefined ? {} : { secrets: previous.secrets };
  return { name, state: 'bad', ...kept, ...secrets, problems };
}

function mayHoldSecret(text: string): boolean {
  return text.includes('Secret');
}

/** A parser quotes what it did not understand, and in this file that may be a password. */
function withoutQuotes({ message: _message, ...place }: ManifestProblem): ManifestProblem {
  return { ...place, message: 'is not understood (not quoted here, because the file has a Secret in it)' };
}

/** A file that is too large to be read as YAML is too large to be searched. */
function wordsOf(text: string): readonly string[] {
  if (text.length > longestText) return [];
  return [...new Set(text.match(/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?/g))].sort();
}
