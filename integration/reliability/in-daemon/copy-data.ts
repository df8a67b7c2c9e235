/** Takes the place of daemon/host/image-copy/copy-data.ts in the bundle of the crash matrix. */
import { copyData as copyReally } from '../../../daemon/host/image-copy/copy-data.ts';
import { around } from './crash-point.ts';

/** Before, after, and in the middle: between two pieces. */
export const copyData: typeof copyReally = (from, to, size, assertGoesOn) => {
  const goOn = (done: bigint): void => {
    if (done > 0n) around({ port: 'copyingChild', method: 'nextPiece', args: [] }, () => undefined);
    assertGoesOn(done);
  };
  const copy = (): Promise<void> => copyReally(from, to, size, goOn);
  return around({ port: 'copyingChild', method: 'copyData', args: [] }, copy) as Promise<void>;
};
