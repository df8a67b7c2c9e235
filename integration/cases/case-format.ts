/**
 * The neutral form of upstream's scenario tables: data that says what is there, what is done and what must come of it,
 * in words instead of whole objects (README.md has the words). A word that nobody reads is an error.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseYamlDocuments } from '../../daemon/adapters/yaml-documents.ts';

/** Words about one object: "name", and what differs from an ordinary object of its kind. */
export type Words = Readonly<Record<string, unknown>> & { readonly name: string };

/** Objects by kind, in words; `objects` are whole ones, of kinds that have no words. */
export interface Scene {
  readonly classes?: readonly Words[];
  readonly pvs?: readonly Words[];
  readonly pvcs?: readonly Words[];
  readonly pods?: readonly Words[];
  readonly sets?: readonly Words[];
  readonly snapshotClasses?: readonly Words[];
  readonly snapshots?: readonly Words[];
  readonly contents?: readonly Words[];
  readonly objects?: readonly RawObject[];
}

export interface RawObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

export interface Given extends Scene {
  /** Volumes that are attached. */
  readonly inUse?: readonly string[];
  /** Pods of which something is mounted here; of a set's, all. */
  readonly here?: readonly string[];
  /** Handles of snapshots that are there. */
  readonly copies?: readonly string[];
  /** `claims.ignoreFinishedPods` of moored.yaml. */
  readonly ignoreFinishedPods?: boolean;
  /** This machine: "node1" and no labels unless said; further nodes are `objects`. */
  readonly node?: { readonly name?: string; readonly labels?: Readonly<Record<string, string>> };
  /** Bytes, a quantity: room for new volumes. */
  readonly free?: string;
}

export type Operation = 'provision' | 'delete' | 'recycle' | 'expand' | 'copy';

/** What the next call of an operation gives: ok, or the text of its error. */
export interface Result {
  readonly op: Operation;
  readonly result: string;
}

/** What somebody else does just before the next call of an operation. */
export interface Injection {
  readonly before: Operation;
  readonly put?: Scene;
  readonly remove?: readonly string[];
}

export type Step =
  /** "syncClaim data", "syncVolume one": one look of the controller at one object, with what it starts. */
  | string
  /** Objects appear, or are there in another form. */
  | { readonly put: Scene }
  | { readonly remove: readonly string[] }
  | { readonly inUse: readonly string[] }
  /** Manifests that are gone: what they declared is being deleted. */
  | { readonly delete: readonly string[] }
  /** These pods are mounted, and no others. */
  | { readonly here: readonly string[] };

export interface Expected extends Scene {
  /** "Warning ClaimLost pvc/data", all of them and in this order; not looked at when missing. */
  readonly events?: readonly string[];
  /** "provision data", "delete one": the operations that were begun; not looked at when missing. */
  readonly operations?: readonly string[];
  /** Handles of the snapshots that are there, and of those in the trash. */
  readonly copies?: readonly string[];
  readonly trash?: readonly string[];
  /** "db: why it waits", the sets that wait for something. */
  readonly waits?: readonly string[];
  /** "web: why it waits", the pods that have no node here. */
  readonly unscheduled?: readonly string[];
}

export interface Case {
  readonly id: string;
  readonly says: string;
  /** Where it ends otherwise than upstream, and why. */
  readonly differs?: string;
  readonly given: Given;
  readonly script?: readonly Result[];
  readonly inject?: readonly Injection[];
  readonly steps: readonly Step[];
  readonly then: Expected;
}

const caseWords = ['id', 'says', 'differs', 'given', 'script', 'inject', 'steps', 'then'];

/** All cases below a directory, each file a list of them. */
export function readCases(directory: string, pattern: string): readonly Case[] {
  return globSync(pattern, { cwd: directory })
    .sort()
    .flatMap((file) => {
      const { documents, problems } = parseYamlDocuments(file, readFileSync(join(directory, file), 'utf8'));
      const [problem] = problems;
      if (problem !== undefined) throw new Error(`${file}:${problem.line ?? 0}: ${problem.message}`);
      return documents.flatMap(({ value }) => value as readonly Case[]).map((each) => checked(each, file));
    });
}

function checked(given: Case, file: string): Case {
  refuseOtherWords(given, caseWords, `${file}: ${given.id}`);
  for (const word of ['id', 'says', 'given', 'steps', 'then'] as const) {
    if (given[word] === undefined) throw new Error(`${file}: ${given.id}: "${word}" is missing`);
  }
  return given;
}

export function refuseOtherWords(given: object, known: readonly string[], where: string): void {
  const unknown = Object.keys(given).find((word) => !known.includes(word));
  if (unknown !== undefined) throw new Error(`${where}: unknown word "${unknown}", want one of ${known.join(' ')}`);
}
