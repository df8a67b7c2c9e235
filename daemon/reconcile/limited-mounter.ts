import type { Mounter } from '../ports/mounter.ts';
import type { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import { type MemoryLimit, MemoryUse } from './memory-use.ts';

/** A mounter that makes no tmpfs beyond the limit of all of them. */
export function limitedMounter(
  mounter: Mounter,
  asw: Pick<ActualStateOfWorld, 'volumes'>,
  limit: MemoryLimit,
): Mounter {
  const memory = new MemoryUse(asw, limit);
  return {
    mountTmpfs(request) {
      memory.admit(request.target, request.sizeBytes);
      try {
        mounter.mountTmpfs(request);
      } catch (thrown) {
        memory.release(request.target);
        throw thrown;
      }
    },
    bind: (request) => mounter.bind(request),
    setFlags: (target, flags) => mounter.setFlags(target, flags),
    mountDevice: (request, signal) => mounter.mountDevice(request, signal),
    unmount: (target, options, signal) => mounter.unmount(target, options, signal),
  };
}
