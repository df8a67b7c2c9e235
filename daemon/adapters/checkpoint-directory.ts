import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises';
import type { StateCollection } from '../ports/state-store.ts';
import { StorageError } from '../world/storage-error.ts';
import { checksumOf, type JournalEntry } from './journal-entry.ts';

interface StoredFile {
  readonly key: string;
  /** crc32 of the value's compact JSON. */
  readonly checksum: string;
  readonly value: unknown;
}

/** One readable file a value: `<collection>/<key>.json`, replaced as a whole. */
export class CheckpointDirectory {
  readonly #root: string;
  readonly #collections: readonly StateCollection[];

  constructor(root: string, collections: readonly StateCollection[]) {
    this.#root = root;
    this.#collections = collections;
  }

  /** @throws StorageError DataLoss for a file that is not what was written */
  async load(): Promise<Map<StateCollection, Map<string, unknown>>> {
    const values = new Map<StateCollection, Map<string, unknown>>();
    for (const collection of this.#collections) {
      const directory = `${this.#root}/${collection}`;
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const found = await readdir(directory, { withFileTypes: true });
      // Cut off before its rename: the journal has the value, and the file may belong to a key that is never written again.
      const unfinished = found.filter((entry) => entry.isFile() && entry.name.endsWith('.json.tmp'));
      await Promise.all(unfinished.map(({ name }) => unlink(`${directory}/${name}`).catch(ignoreAbsent)));
      const files = found.filter(({ name }) => name.endsWith('.json'));
      const entries = await Promise.all(files.map(({ name }) => readStored(`${directory}/${name}`)));
      values.set(collection, new Map(entries.map(({ key, value }) => [key, value])));
    }
    return values;
  }

  /** Durable when it resolves. Of two entries of one key only the last may be given. */
  async write(entries: readonly JournalEntry[]): Promise<void> {
    for (const entry of entries) await this.#writeOne(entry);
    for (const collection of new Set(entries.map((entry) => entry.collection))) {
      await syncDirectory(`${this.#root}/${collection}`);
    }
  }

  async #writeOne(entry: JournalEntry): Promise<void> {
    const path = `${this.#root}/${entry.collection}/${fileNameOf(entry.key)}`;
    if (!('value' in entry)) {
      await unlink(path).catch(ignoreAbsent);
      return;
    }
    const temporary = `${path}.tmp`;
    const file = await open(temporary, 'w', 0o600);
    try {
      const checksum = checksumOf(JSON.stringify(entry.value));
      await file.writeFile(`${JSON.stringify({ key: entry.key, checksum, value: entry.value }, undefined, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  }
}

/** Readable, and unique by a part of the key's hash: a key may be longer than a file name or hold a slash. */
function fileNameOf(key: string): string {
  const readable = key.replaceAll(/[^A-Za-z0-9.^-]/g, '_').slice(0, 150);
  return `${readable}-${createHash('sha256').update(key).digest('hex').slice(0, 10)}.json`;
}

async function readStored(path: string): Promise<StoredFile> {
  try {
    const stored = JSON.parse(await readFile(path, 'utf8')) as StoredFile;
    if (stored.checksum === checksumOf(JSON.stringify(stored.value))) return stored;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new StorageError(`Cannot read state "${path}": it does not match its checksum`, {
    code: 'DataLoss',
    operation: 'readState',
    source: path,
  });
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function ignoreAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
