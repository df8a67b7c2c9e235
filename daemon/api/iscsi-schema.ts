import { dnsLabel, dnsSubdomain } from './field-schemas.ts';
import type { IscsiVolumeSource } from './iscsi.ts';
import { quoted } from './names.ts';
import { parsePortal } from './portal.ts';
import {
  constrained,
  fields,
  flag,
  listOf,
  optional,
  type Schema,
  textWith,
  type Violation,
  valueWith,
} from './schema.ts';

const portal = textWith(portalProblem);
const secretName = { name: dnsSubdomain };

function sourceWith(secretRef: Schema<{ name: string; namespace?: string }>): Schema<IscsiVolumeSource> {
  const source = fields({
    targetPortal: portal,
    iqn: textWith(iscsiNameProblem),
    lun: valueWith('a number from 0 to 16383', isLun),
    iscsiInterface: optional(textWith(interfaceProblem)),
    fsType: optional(textWith(fsTypeProblem)),
    readOnly: optional(flag()),
    portals: optional(listOf(portal)),
    chapAuthDiscovery: optional(flag()),
    chapAuthSession: optional(flag()),
    secretRef: optional(secretRef),
    initiatorName: optional(textWith(iscsiNameProblem)),
  });
  return constrained(source, chapViolations);
}

export const inlineIscsi = sourceWith(fields(secretName));
export const persistentIscsi = sourceWith(fields({ ...secretName, namespace: optional(dnsLabel) }));

/** core/v1 validation.go: CHAP needs a Secret. */
function chapViolations(
  source: Pick<IscsiVolumeSource, 'chapAuthDiscovery' | 'chapAuthSession' | 'secretRef'>,
): Violation[] {
  const usesChap = source.chapAuthDiscovery === true || source.chapAuthSession === true;
  if (!usesChap || source.secretRef !== undefined) return [];
  return [{ keys: ['secretRef'], message: 'required with chapAuthDiscovery and chapAuthSession' }];
}

/**
 * RFC 3720 3.2.6: iqn.yyyy-mm.reversed-domain[:name], eui.16 hex digits, naa.16 or 32 hex digits. The name becomes a
 * directory of open-iscsi and a part of a device link: no slash, no space.
 */
function iscsiNameProblem(name: string): string | undefined {
  const isLegal = /^(iqn\.\d{4}-\d{2}\.[a-z0-9.-]+(:[^\s/,]+)?|eui\.[0-9a-f]{16}|naa\.([0-9a-f]{16}){1,2})$/i.test(
    name,
  );
  if (isLegal && name.length <= 223 && !name.includes('..')) return undefined;
  return `${quoted(name)} is not an iSCSI name: want iqn.<year>-<month>.<domain>[:<name>], eui.<16 hex> or naa.<hex>`;
}

function portalProblem(text: string): string | undefined {
  if (parsePortal(text) !== undefined) return undefined;
  return `${quoted(text)} is not a portal: want an IP address with an optional port, as "192.0.2.7:3260" or "[2001:db8::7]:3260"`;
}

/** It becomes a file name of open-iscsi. */
function interfaceProblem(name: string): string | undefined {
  return /^[\w][\w.:-]{0,63}$/.test(name) ? undefined : `${quoted(name)} is not the name of an open-iscsi interface`;
}

function fsTypeProblem(fsType: string): string | undefined {
  return /^[a-z0-9]*$/.test(fsType) ? undefined : `${quoted(fsType)} is not a filesystem type`;
}

/** SAM-5: flat addressing has 14 bits. */
function isLun(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 16_383;
}
