/** Takes the place of daemon/host/image-trash.ts in the bundle of the crash matrix. */
import { moveImageToTrash as moveReally } from '../../../daemon/host/image-trash.ts';
import { around } from './crash-point.ts';

export * from '../../../daemon/host/image-trash.ts';

/** The image goes first, and then its sidecar. */
export const moveImageToTrash: typeof moveReally = (directory, image, options) =>
  around({ port: 'imageTrash', method: 'move', args: [] }, () => moveReally(directory, image, options)) as ReturnType<
    typeof moveReally
  >;
