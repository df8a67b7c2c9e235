/** The images that users bring: one with a filesystem and data on it, one blank. */
import { mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { broughtImages } from '../../model/declarations.ts';
import { eventually } from '../../support/eventually.ts';
import { loopsOn, run } from '../../support/kernel-facts.ts';

const bytes = 64 * 2 ** 20;
export const broughtData = 'brought';

export function makeBroughtImages(directory: string): void {
  mkdirSync(directory, { mode: 0o755 });
  for (const name of broughtImages) {
    writeFileSync(join(directory, `${name}.img`), '', { mode: 0o600 });
    truncateSync(join(directory, `${name}.img`), bytes);
  }
  const content = join(directory, 'content');
  mkdirSync(content);
  writeFileSync(join(content, 'data'), broughtData);
  run('/usr/sbin/mkfs.ext4', '-q', '-d', content, join(directory, 'full.img'));
}

/** A format that was cut off is refused on an image that moored did not make, until somebody wipes it. */
export async function mendBlankImage(directory: string): Promise<void> {
  const path = join(directory, 'blank.img');
  await eventually(() => {
    if (statSync(path, { throwIfNoEntry: false }) === undefined || hasFilesystem(path)) return true;
    const [device] = loopsOn(path);
    try {
      if (device === undefined) run('/usr/bin/fallocate', '--punch-hole', '--length', String(bytes), path);
      else run('/usr/sbin/blkdiscard', '--zeroout', device);
      return true;
    } catch (error) {
      // blkdiscard opens it for itself alone, as a mkfs that is under way does: that one may yet make it whole.
      return String(error);
    }
  });
}

function hasFilesystem(path: string): boolean {
  try {
    return run('/usr/sbin/blkid', '-p', '-s', 'TYPE', '-o', 'value', path).trim() !== '';
  } catch {
    // blkid(8): "If the specified token was not found … an exit code of 2".
    return false;
  }
}
