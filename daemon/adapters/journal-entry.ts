import { crc32 } from 'node:zlib';
import type { StateCollection } from '../ports/state-store.ts';
import { StorageError } from '../world/storage-error.ts';

/** One write: a value put, or, without `value`, a key removed. */
export interface JournalEntry {
  readonly collection: StateCollection;
  readonly key: string;
  readonly value?: unknown;
}

export function encodeEntry(entry: JournalEntry): string {
  const json = JSON.stringify(entry);
  return `${checksumOf(json)} ${json}\n`;
}

/**
 * The entries of a journal's text.
 * @param isLast in the last journal the last line may be torn: the write was never acknowledged, and is dropped
 * @throws StorageError DataLoss at any other damaged line
 */
export function decodeJournal(path: string, text: string, isLast: boolean): readonly JournalEntry[] {
  const lines = text.split('\n');
  const end = lines.pop();
  const torn = end !== undefined && end !== '' ? [end] : [];
  const entries: JournalEntry[] = [];
  for (const [index, line] of [...lines, ...torn].entries()) {
    const entry = decodeLine(line);
    if (entry !== undefined && index < lines.length) entries.push(entry);
    else if (isLast && index >= lines.length - 1) return entries;
    else throw damaged(path, index + 1);
  }
  return entries;
}

function decodeLine(line: string): JournalEntry | undefined {
  const json = line.slice(9);
  if (line.slice(0, 8) !== checksumOf(json)) return undefined;
  return JSON.parse(json) as JournalEntry;
}

export function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}

function damaged(path: string, line: number): StorageError {
  return new StorageError(`Cannot read state "${path}": line ${line} does not match its checksum`, {
    code: 'DataLoss',
    operation: 'readState',
    source: path,
    hint: 'nothing was changed; restore the state dir, or move it away to start from manifests and mounts alone',
  });
}
