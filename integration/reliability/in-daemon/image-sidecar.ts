/** Takes the place of daemon/host/image-sidecar.ts in the bundle of the crash matrix. */
import { writeSidecar as writeReally } from '../../../daemon/host/image-sidecar.ts';
import { around } from './crash-point.ts';

export * from '../../../daemon/host/image-sidecar.ts';

/** An image gets its sidecar first and then its name: what lies between is a step. */
export const writeSidecar: typeof writeReally = (directory, name, sidecar) => {
  around({ port: 'imageSidecar', method: 'write', args: [] }, () => writeReally(directory, name, sidecar));
};
