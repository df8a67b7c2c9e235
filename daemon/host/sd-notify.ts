import { O_CLOEXEC } from './mount-syscalls.ts';
import { sendto, socket, withFd } from './syscalls.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
/** sun_path of unix(7), without the terminating NUL. */
const LONGEST_PATH = 107;

/**
 * Tells systemd how the service is, by sd_notify(3): a datagram to $NOTIFY_SOCKET. Without that variable each call does
 * nothing. A datagram that cannot be sent is no reason to stop serving volumes: `onFailure` hears of it.
 */
export class SdNotify {
  readonly #address: Buffer | undefined;
  readonly #onFailure: (error: unknown) => void;

  /** @param socketPath $NOTIFY_SOCKET: an absolute path, or "@name" in the abstract namespace. */
  constructor(socketPath: string | undefined, onFailure: (error: unknown) => void) {
    this.#address = socketPath === undefined || socketPath === '' ? undefined : addressOf(socketPath);
    this.#onFailure = onFailure;
  }

  ready(): void {
    this.#send('READY=1');
  }

  stopping(): void {
    this.#send('STOPPING=1');
  }

  /** One line for `systemctl status`. */
  status(text: string): void {
    this.#send(`STATUS=${text.replaceAll('\n', ' ')}`);
  }

  /** Send at half of WATCHDOG_USEC, and only while the work goes on. */
  watchdog(): void {
    this.#send('WATCHDOG=1');
  }

  /** Asks for `ms` from now before systemd gives up on the start or the stop. */
  extendTimeout(ms: number): void {
    this.#send(`EXTEND_TIMEOUT_USEC=${Math.ceil(ms * 1000)}`);
  }

  #send(state: string): void {
    const address = this.#address;
    if (address === undefined) return;
    try {
      withFd(socket(AF_UNIX, SOCK_DGRAM | O_CLOEXEC, 0), (fd) => sendto(fd, Buffer.from(state), 0, address));
    } catch (error) {
      this.#onFailure(error);
    }
  }
}

/**
 * How often to call `watchdog`, in ms: half of $WATCHDOG_USEC, as sd_watchdog_enabled(3) recommends. Undefined when
 * there is no watchdog, or when it is meant for another process ($WATCHDOG_PID).
 */
export function watchdogIntervalMs(env: NodeJS.ProcessEnv, pid: number): number | undefined {
  const usec = Number(env['WATCHDOG_USEC']);
  const isForUs = env['WATCHDOG_PID'] === undefined || env['WATCHDOG_PID'] === String(pid);
  return isForUs && Number.isSafeInteger(usec) && usec > 0 ? usec / 2000 : undefined;
}

/** struct sockaddr_un, cut to its length: of an abstract name every byte counts. */
function addressOf(socketPath: string): Buffer {
  const path = Buffer.from(socketPath);
  if (!/^[/@]/.test(socketPath) || path.length > LONGEST_PATH) {
    throw new Error(`Cannot use NOTIFY_SOCKET "${socketPath}": not an absolute path or "@name" of at most 107 bytes`);
  }
  const isAbstract = socketPath.startsWith('@');
  if (isAbstract) path[0] = 0;
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, path, Buffer.alloc(isAbstract ? 0 : 1)]);
}
