import { existsSync, lstatSync, readFileSync, rmdirSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { libDir } from './installed-tree.ts';

/** What scripts/install has put on the machine, one absolute path a line: an uninstall removes these and nothing else. */
export const installedFilesPath = `${libDir}/installed-files`;

/** Undefined when nothing was installed from a checkout below this root. */
export function readInstalledFiles(root: string): readonly string[] | undefined {
  const path = `${root}${installedFilesPath}`;
  return existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : undefined;
}

/** Removes files one by one, and the directories of ours that are empty after that. */
export function removeInstalled(paths: readonly string[], root: string): void {
  for (const path of paths) {
    const stat = lstatSync(`${root}${path}`, { throwIfNoEntry: false });
    if (stat !== undefined && !stat.isDirectory()) unlinkSync(`${root}${path}`);
  }
  const directories = new Set(paths.flatMap(ownDirectoriesOf));
  for (const path of [...directories].sort((a, b) => b.length - a.length)) removeIfEmpty(`${root}${path}`);
}

/** Of /usr only what has our name in it is ours. */
function ownDirectoriesOf(path: string): readonly string[] {
  const parents: string[] = [];
  for (let parent = dirname(path); parent.includes('/moored'); parent = dirname(parent)) parents.push(parent);
  return parents;
}

function removeIfEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'ENOENT') throw error;
  }
}
