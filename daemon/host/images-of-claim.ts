import type { ImageSidecar } from '../ports/images.ts';
import type { ImageDirectory } from './image-directory.ts';
import { readSidecar } from './image-sidecar.ts';

/** Images in the directory that another claim of the same namespace and name had. */
export function imagesOfClaim(
  directory: ImageDirectory,
  { namespace, name, uid }: NonNullable<ImageSidecar['claim']>,
): readonly string[] {
  // A long name is cut in the file's name (plugins/loop/image-name.ts): what begins alike is looked at.
  const beginning = name.slice(0, 100);
  return directory.names().flatMap((file) => {
    if (!file.startsWith(beginning) || file.endsWith('.json')) return [];
    const state = readSidecar(directory, file);
    const owner = state.kind === 'ours' ? state.sidecar.claim : undefined;
    const isSame = owner?.namespace === namespace && owner.name === name && owner.uid !== uid;
    return isSame ? [`${directory.path}/${file}`] : [];
  });
}
