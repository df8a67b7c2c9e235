import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { InstalledEntry, InstalledFile } from './installed-tree.ts';

/**
 * Puts the entries below `root` ("" for this machine). Each file comes by rename, so that a running daemon keeps the one
 * that it has open. Directories that are there keep their mode, but for the ones in the list.
 */
export function installTree(entries: readonly InstalledEntry[], root: string): void {
  for (const entry of entries) {
    const path = `${root}${entry.path}`;
    mkdirSync(entry.kind === 'directory' ? path : dirname(path), { recursive: true, mode: 0o755 });
    switch (entry.kind) {
      case 'directory':
        own(path, entry.mode);
        break;
      case 'file':
        if (entry.isConfiguration !== true || !existsSync(path)) writeWhole(path, entry);
        break;
      case 'link':
        replace(path, (temporary) => symlinkSync(entry.target, temporary));
    }
  }
}

function writeWhole(path: string, { content, mode }: InstalledFile): void {
  replace(path, (temporary) => {
    writeFileSync(temporary, content, { mode: 0o600 });
    own(temporary, mode);
  });
}

function replace(path: string, make: (temporary: string) => void): void {
  const temporary = `${path}.moored-new`;
  if (lstatSync(temporary, { throwIfNoEntry: false }) !== undefined) unlinkSync(temporary);
  make(temporary);
  renameSync(temporary, path);
}

function own(path: string, mode: number): void {
  if (process.geteuid?.() === 0) chownSync(path, 0, 0);
  chmodSync(path, mode);
}
