import type { ImageSidecar } from '../ports/images.ts';
import { type Image, imageRefusal } from './image-action.ts';
import type { ImageDirectory } from './image-directory.ts';

/** Ours are below 1 KiB; whatever is longer is somebody else's. */
const LONGEST = 64 * 1024;

/** What is there under the sidecar's name. */
export type SidecarState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'ours'; readonly sidecar: ImageSidecar }
  | { readonly kind: 'foreign'; readonly reason: string };

export function sidecarName(imageName: string): string {
  return `${imageName}.json`;
}

export function readSidecar(directory: ImageDirectory, imageName: string): SidecarState {
  const name = sidecarName(imageName);
  const kind = directory.kindOf(name);
  if (kind === 'absent') return { kind: 'absent' };
  if (kind !== 'file') return { kind: 'foreign', reason: `a ${kind}` };
  return parseSidecar(directory.read(name, LONGEST));
}

/** Whole or not at all, and there after a power cut: temporary file, fsync, rename, fsync of the directory. */
export function writeSidecar(directory: ImageDirectory, imageName: string, sidecar: ImageSidecar): void {
  const temporary = `.${imageName}.tmp`;
  directory.write(temporary, `${JSON.stringify(sidecar, undefined, 2)}\n`);
  directory.rename(temporary, directory, sidecarName(imageName));
  directory.sync();
}

/** @throws StorageError FailedPrecondition when the image is not the one that is meant, or not ours */
export function requireOurs(state: SidecarState, volumeHandle: string, image: Image): ImageSidecar {
  const sidecar = sidecarName(image.path);
  if (state.kind === 'absent') throw imageRefusal('FailedPrecondition', image, `it has no sidecar "${sidecar}"`);
  if (state.kind === 'foreign') throw imageRefusal('FailedPrecondition', image, `"${sidecar}" is ${state.reason}`);
  const found = state.sidecar.volumeHandle;
  if (found === volumeHandle) return state.sidecar;
  throw imageRefusal('FailedPrecondition', image, `its sidecar has volumeHandle "${found}", wanted "${volumeHandle}"`);
}

/** Only what identifies the image is checked: the rest is for people. */
export function parseSidecar(text: string): Exclude<SidecarState, { kind: 'absent' }> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'foreign', reason: 'no JSON' };
  }
  return isSidecar(value) ? { kind: 'ours', sidecar: value } : { kind: 'foreign', reason: 'no moored.dev/v1 sidecar' };
}

function isSidecar(value: unknown): value is ImageSidecar {
  if (typeof value !== 'object' || value === null) return false;
  const { apiVersion, driver, volumeHandle, sizeBytes } = value as Partial<Record<keyof ImageSidecar, unknown>>;
  if (apiVersion !== 'moored.dev/v1' || typeof driver !== 'string' || typeof volumeHandle !== 'string') return false;
  return typeof sizeBytes === 'string' && /^[1-9]\d{0,18}$/.test(sizeBytes);
}
