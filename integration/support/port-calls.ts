/** One call of one method of one port, as a test sees it that stands between the daemon and the port. */
export interface PortCall {
  readonly port: string;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** What stands between: lets the call through with `act`, or not. */
export type Around = (call: PortCall, act: () => unknown) => unknown;

/** Questions that change nothing: all other methods count as effects, also those that nobody has thought of here. */
const reads = new Set(
  [
    'current',
    'onChange',
    'entries',
    'kindOf',
    'list',
    'stat',
    'describe',
    'status',
    'find',
    'findBacking',
    'session',
    'disk',
    'disks',
    'multipath',
    'usersOf',
    'facts',
  ].concat(
    ['session', 'disk', 'disks', 'multipath', 'usersOf'],
    // Nobody but the daemon itself sees these.
    ['watch', 'unwatch', 'published', 'progressOf'],
  ),
);

export function isRead({ method }: PortCall): boolean {
  return reads.has(method);
}

/** The port with something around each of its methods, whatever methods it has. */
export function wrapPort<T extends object>(name: string, port: T, around: Around): T {
  const wrapped = new Map<string | symbol, unknown>();
  return new Proxy(port, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function' || typeof key === 'symbol') return value;
      const known = wrapped.get(key);
      if (known !== undefined) return known;
      const call = (...args: unknown[]): unknown =>
        around({ port: name, method: key, args }, () => Reflect.apply(value, target, args) as unknown);
      wrapped.set(key, call);
      return call;
    },
  });
}

/** All ports of a host, so that a new port is stood around by itself. */
export function wrapPorts<T extends object>(
  host: T,
  isPort: (name: string, value: object) => boolean,
  around: Around,
): T {
  const ports = Object.entries(host).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null && isPort(name, value) ? [[name, wrapPort(name, value, around)]] : [],
  );
  return { ...host, ...Object.fromEntries(ports) };
}
