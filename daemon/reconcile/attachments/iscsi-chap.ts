import type { Secret } from '../../api/secret.ts';
import type { SecretValue } from '../../api/secret-value.ts';
import type { ChapCredentials } from '../../ports/iscsi-initiator.ts';
import type { Secrets } from '../../ports/secrets.ts';
import { StorageError } from '../../world/storage-error.ts';
import type { IscsiAttachment } from '../../world/volume-recipe.ts';

/** Keys of a Secret of type kubernetes.io/iscsi-chap (pkg/volume/iscsi, chapSt and chapSess). */
const prefixes = { discoveryChap: 'discovery.sendtargets.auth', sessionChap: 'node.session.auth' } as const;

export interface IscsiChap {
  readonly discoveryChap?: ChapCredentials;
  readonly sessionChap?: ChapCredentials;
}

/** @throws StorageError FailedPrecondition, transient: the Secret is not there (yet), or lacks a key */
export function chapOf(attachment: IscsiAttachment, secrets: Secrets): IscsiChap {
  const { chapDiscovery, chapSession, secret: reference } = attachment;
  if ((!chapDiscovery && !chapSession) || reference === undefined) return {};
  const place = `Cannot log in: Secret "${reference.namespace}/${reference.name}"`;
  const secret = secrets.get(reference);
  if (secret === undefined) throw waits(`${place} is in no manifest, and its CHAP password is needed`);
  return {
    ...(chapDiscovery ? { discoveryChap: credentials(secret, 'discoveryChap', place) } : {}),
    ...(chapSession ? { sessionChap: credentials(secret, 'sessionChap', place) } : {}),
  };
}

function credentials(secret: Secret, use: keyof IscsiChap, place: string): ChapCredentials {
  const prefix = prefixes[use];
  const value = (key: string): SecretValue | undefined => {
    const found = secret.data.get(`${prefix}.${key}`);
    if (found !== undefined && !isOneWord(found.reveal())) {
      throw waits(
        `${place}: key "${prefix}.${key}" is empty, longer than 255 bytes or not printable ASCII without spaces`,
      );
    }
    return found;
  };
  const required = (key: string): SecretValue => {
    const found = value(key);
    if (found === undefined) throw waits(`${place} has no key "${prefix}.${key}"`);
    return found;
  };
  const [usernameIn, passwordIn] = [value('username_in'), value('password_in')];
  return {
    username: required('username'),
    password: required('password'),
    ...(usernameIn === undefined ? {} : { usernameIn }),
    ...(passwordIn === undefined ? {} : { passwordIn }),
  };
}

/** A record of open-iscsi is lines of "name = value": a line break in a value would be a setting of its own. */
function isOneWord(text: string): boolean {
  return /^[\x21-\x7e]{1,255}$/.test(text);
}

function waits(message: string): StorageError {
  return new StorageError(message, { code: 'FailedPrecondition', progress: 'transient', operation: 'attachVolume' });
}
