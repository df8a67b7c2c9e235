/**
 * The pod that a unit's instance names: `moored-pod@default-web.service`. A dash divides namespace and name, and both
 * may have dashes of their own, so that a plain instance can be read in several ways. As systemd-escape(1) writes
 * "my-ns/my-app", `my\x2dns-my\x2dapp`, it can be read in one only. Pure.
 */
export interface PodName {
  readonly namespace: string;
  readonly name: string;
}

/** Every pod that an instance, or a plain "namespace/name", may mean; [] when it is neither. */
export function podsNamedBy(instance: string): readonly PodName[] {
  if (instance.includes('/')) return pairOf(instance.split('/'));
  if (instance.includes('\\')) return pairOf(instance.split('-').map(unescapeUnit));
  const words = instance.split('-');
  return words.flatMap((_word, at) => pairOf([words.slice(0, at).join('-'), words.slice(at).join('-')]));
}

/** The instance that names this pod and no other. */
export function instanceOf({ namespace, name }: PodName): string {
  return [namespace, name].map((part) => part.replaceAll('-', '\\x2d')).join('-');
}

function pairOf([namespace, name, ...more]: readonly string[]): readonly PodName[] {
  if (namespace === undefined || name === undefined || more.length > 0 || namespace === '' || name === '') return [];
  return [{ namespace, name }];
}

/** systemd.unit(5), "String Escaping for Inclusion in Unit Names": a byte as `\x` and two hexadecimal digits. */
function unescapeUnit(text: string): string {
  return text.replaceAll(/\\x([0-9a-fA-F]{2})/g, (_match, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
