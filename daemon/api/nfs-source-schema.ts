import { singleLineProblem } from './field-schemas.ts';
import { quoted } from './names.ts';
import type { NfsVolumeSource } from './nfs.ts';
import { fields, flag, optional, type Schema, textWith } from './schema.ts';

/** core/v1, validateNFSVolumeSource: server and path are required, the path is absolute. */
export const nfsVolumeSource: Schema<NfsVolumeSource> = fields({
  server: textWith(serverProblem),
  path: textWith(exportPathProblem),
  readOnly: optional(flag()),
});

/**
 * A name or an address, the latter with a zone perhaps ("fe80::1%eth0"). It becomes the first part of the argument
 * "server:path", so it neither begins like an option nor has a character that ends it ("/", ",", a space).
 */
function serverProblem(server: string): string | undefined {
  if (server === '') return 'required';
  const isName = /^[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?\.?$/.test(server);
  if (isName || isBareIPv6(server.replace(/^\[(.*)\]$/, '$1'))) return undefined;
  return `${quoted(server)} is not a host name, an IPv4 address or an IPv6 address`;
}

/** The form only: whether the address is one is for the resolver to say. */
function isBareIPv6(address: string): boolean {
  return /:.*:/.test(address) && /^[0-9A-Fa-f:]+(:\d+\.\d+\.\d+\.\d+)?(%[\w.-]+)?$/.test(address);
}

function exportPathProblem(path: string): string | undefined {
  if (path === '') return 'required';
  return path.startsWith('/') ? singleLineProblem(path) : `${quoted(path)} is not an absolute path`;
}
