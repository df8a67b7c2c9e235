/** Takes the place of daemon/host/image-copy/frozen.ts in the bundle of the crash matrix. */
import { whileFrozen as whileReallyFrozen } from '../../../daemon/host/image-copy/frozen.ts';
import { around } from './crash-point.ts';

export { FreezeNotEnded } from '../../../daemon/host/image-copy/frozen.ts';

/** Before the freeze; frozen, with nothing copied; frozen, with everything copied; after the thaw. */
export const whileFrozen: typeof whileReallyFrozen = (freeze, besides, work) => {
  const copyFrozen = (): ReturnType<typeof work> => inChild('copyFrozen', work);
  return inChild('freeze', () => whileReallyFrozen(freeze, besides, copyFrozen));
};

function inChild<T>(method: string, work: () => Promise<T>): Promise<T> {
  return around({ port: 'copyingChild', method, args: [] }, work) as Promise<T>;
}
