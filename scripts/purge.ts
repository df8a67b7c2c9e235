import { globSync, readFileSync, rmdirSync, statSync, unlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** Something that a person may name to have it deleted. */
export interface Purgeable {
  /** "default/data-<uid>" for an image, "default/.trash/…" for one that was deleted before; "state" for the records. */
  readonly name: string;
  readonly says: string;
  readonly files: readonly string[];
}

/** The images with an identity of ours beside them, and the records. What is neither is nobody's to delete here. */
export function purgeable(rootDir: string): readonly Purgeable[] {
  const images = join(rootDir, 'images');
  const found = globSync(['*/*.img', '*/.trash/*.img.*'], { cwd: images }).filter((file) => !file.endsWith('.json'));
  const owned = found.sort().flatMap((file): readonly Purgeable[] => {
    const path = join(images, file);
    const identity = `${path}.json`;
    if (!isOurs(identity)) return [];
    const name = file.replace(/\.img$/, '');
    return [{ name, says: `${statSync(path).blocks * 512} bytes on the disk`, files: [path, identity] }];
  });
  const state = globSync(['journal-*', 'lock', '{objects,volumes,daemon}/*.json'], { cwd: join(rootDir, 'state') });
  const records = state.sort().map((file) => join(rootDir, 'state', file));
  return records.length === 0 ? owned : [...owned, { name: 'state', says: "the daemon's records", files: records }];
}

/**
 * Deletes what is named, file by file, and the directories that are empty then. Records go last, because without them a
 * claim does not find its image again.
 * @returns the paths that are gone
 * @throws Error before anything is deleted: an image is attached, or images would be left without their records
 */
export function purge(rootDir: string, names: readonly string[]): readonly string[] {
  const all = purgeable(rootDir);
  const chosen = all.filter(({ name }) => names.includes(name));
  const kept = all.filter((item) => !chosen.includes(item));
  if (names.includes('state') && kept.length > 0) {
    throw new Error(
      `Cannot purge "state": ${kept.length} images would be left that no claim finds again; name them, too`,
    );
  }
  const files = chosen.flatMap((item) => item.files);
  const attached = files.find((file) => backingFiles().includes(file));
  if (attached !== undefined) throw new Error(`Cannot purge "${attached}": a loop device has it: losetup -j`);
  for (const file of files) unlinkSync(file);
  const directories = new Set(files.map((file) => dirname(file)).concat(files.map((file) => dirname(dirname(file)))));
  const below = [...directories].filter((path) => !relative(rootDir, path).startsWith('..') && path !== rootDir);
  for (const path of below.sort((a, b) => b.length - a.length)) removeIfEmpty(path);
  return files;
}

function isOurs(sidecar: string): boolean {
  try {
    return (JSON.parse(readFileSync(sidecar, 'utf8')) as { apiVersion?: unknown }).apiVersion === 'moored.dev/v1';
  } catch {
    return false;
  }
}

function backingFiles(): readonly string[] {
  return globSync('/sys/block/loop*/loop/backing_file').map((path) => readFileSync(path, 'utf8').trim());
}

function removeIfEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
  }
}
