/**
 * Names as Kubernetes allows them (k8s.io/apimachinery/pkg/util/validation). Every legal name is one path segment:
 * no slash, no dot at an end, no control character, so that a directory may carry it.
 * The functions answer what is wrong with a name, or undefined when it is legal.
 */

const label = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
const dnsLabel = new RegExp(`^${label}$`);
const dnsSubdomain = new RegExp(`^${label}(?:\\.${label})*$`);
const qualifiedPart = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** RFC 1123 label, at most 63 characters: namespaces, volumes, containers. */
export function dnsLabelProblem(name: string): string | undefined {
  if (name.length > 63) return `${quoted(name)} is longer than 63 characters`;
  if (dnsLabel.test(name)) return undefined;
  return `${quoted(name)} is not a legal name: want lower case letters, digits and "-", a letter or digit at both ends`;
}

/** RFC 1123 subdomain, at most 253 characters: names of objects, of CSI drivers and of provisioners. */
export function dnsSubdomainProblem(name: string): string | undefined {
  if (name.length > 253) return `${quoted(name)} is longer than 253 characters`;
  if (dnsSubdomain.test(name)) return undefined;
  return `${quoted(name)} is not a legal name: want lower case letters, digits, "-" and ".", a letter or digit at both ends`;
}

/** "name" or "prefix.example/name": keys of labels and annotations, provisioners. */
export function qualifiedNameProblem(key: string): string | undefined {
  const slash = key.indexOf('/');
  const prefix = slash === -1 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  if (prefix !== undefined && dnsSubdomainProblem(prefix) !== undefined) {
    return `${quoted(key)} is not a legal key: the part before "/" must be a DNS name in lower case`;
  }
  if (name.length <= 63 && qualifiedPart.test(name)) return undefined;
  return `${quoted(key)} is not a legal key: want [prefix/]name, the name at most 63 letters, digits, "-", "_" and "."`;
}

export function labelValueProblem(value: string): string | undefined {
  if (value === '' || (value.length <= 63 && qualifiedPart.test(value))) return undefined;
  return `${quoted(value)} is not a legal label value: want at most 63 letters, digits, "-", "_" and "."`;
}

/** C0, DEL and C1: they would forge lines in logs and tables, and NUL ends a path for the kernel. */
export function hasControlCharacters(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return true;
  }
  return false;
}

/** For messages: escaped, and cut so that a wrong name cannot fill a terminal. */
export function quoted(text: string): string {
  const shown = text.length > 80 ? `${text.slice(0, 77)}...` : text;
  return JSON.stringify(shown).replaceAll(/[\u007f-\u009f]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}
