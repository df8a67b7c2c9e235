const defaultPort = 3260;

/**
 * The portal in its one spelling: "192.0.2.7:3260", "[2001:db8::7]:3260" (RFC 5952); the port is 3260 unless stated.
 * undefined when it is not an IP address with an optional port.
 */
export function parsePortal(text: string): string | undefined {
  const v4 = /^(\d{1,3}(?:\.\d{1,3}){3})(?::(\d+))?$/.exec(text);
  if (v4 !== null) return isIpv4(v4[1] ?? '') ? withPort(v4[1] ?? '', v4[2]) : undefined;
  const v6 = /^\[([0-9a-fA-F:.]+)\](?::(\d+))?$/.exec(text);
  const bare = v6 === null && /^[0-9a-fA-F:.]+$/.test(text) && text.split(':').length > 2 ? text : undefined;
  const address = canonicalIpv6(v6?.[1] ?? bare ?? '');
  return address === undefined ? undefined : withPort(address, v6?.[2]);
}

function withPort(address: string, port: string | undefined): string | undefined {
  const number = port === undefined ? defaultPort : Number(port);
  return number >= 1 && number <= 65_535 ? `${address}:${number}` : undefined;
}

/** No leading zero: some read it as octal. */
function isIpv4(address: string): boolean {
  return address.split('.').every((part) => Number(part) <= 255 && String(Number(part)) === part);
}

/** In brackets. The URL standard serialises an address as RFC 5952 wants it. */
function canonicalIpv6(address: string): string | undefined {
  const url = URL.parse(`http://[${address}]/`);
  return url === null || address === '' ? undefined : url.hostname;
}
