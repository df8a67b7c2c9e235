import { ControlError } from './control-handlers.ts';
import type { VolumeRequest } from './protocol.ts';

/** Taken literally: another volume than was meant would be touched otherwise. */
export function readVolumeRequest(value: unknown): VolumeRequest {
  const given: Readonly<Record<string, unknown>> = typeof value === 'object' && value !== null ? { ...value } : {};
  const request = requestOf(given);
  if (request !== undefined) return request;
  throw new ControlError(
    'BadRequest',
    'Cannot read the volume request: wanted {"verb": "undelete" or "release", "name"}, {"verb": "adopt", "source", "claim"} or {"verb": "recover", "execute"}',
  );
}

function requestOf({
  verb,
  name,
  source,
  claim,
  execute,
  fsType,
  storageClass,
}: Readonly<Record<string, unknown>>): VolumeRequest | undefined {
  if ((verb === 'undelete' || verb === 'release') && typeof name === 'string') return { verb, name };
  if (verb === 'recover' && typeof execute === 'boolean') return { verb, execute };
  if (verb !== 'adopt' || typeof source !== 'string' || !isClaim(claim)) return undefined;
  if (![fsType, storageClass].every((text) => text === undefined || typeof text === 'string')) return undefined;
  const { namespace, name: claimName } = claim;
  return {
    ...{ verb, source, claim: { namespace, name: claimName } },
    ...(typeof fsType === 'string' ? { fsType } : {}),
    ...(typeof storageClass === 'string' ? { storageClass } : {}),
  };
}

function isClaim(value: unknown): value is { readonly namespace: string; readonly name: string } {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'namespace' in value && 'name' in value && typeof value.namespace === 'string' && typeof value.name === 'string'
  );
}
