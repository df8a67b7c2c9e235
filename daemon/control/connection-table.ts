import type { Socket } from 'node:net';

/**
 * The open connections of a server, at most `limit`. When it is full a new connection takes the place of the oldest one
 * that has asked nothing yet, so that a flood of silent connections never keeps a real client out; only when all are
 * being served is a new one refused.
 */
export class ConnectionTable {
  readonly #limit: number;
  /** In the order of arrival. */
  readonly #isBusy = new Map<Socket, boolean>();
  readonly #refused = new Set<Socket>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False when there is no place for it: the caller refuses the socket. */
  admit(socket: Socket): boolean {
    if (this.#isBusy.size >= this.#limit && !this.#dropOldestSilent()) return false;
    this.#isBusy.set(socket, false);
    socket.once('close', () => this.#isBusy.delete(socket));
    return true;
  }

  /** A place to be told why there is none; as many of these as of the others. False when they are taken too. */
  admitToRefuse(socket: Socket): boolean {
    if (this.#refused.size >= this.#limit) return false;
    this.#refused.add(socket);
    socket.once('close', () => this.#refused.delete(socket));
    return true;
  }

  /** True once for an admitted connection: its one request is served now. A pipelined second one gets false. */
  markAsBusy(socket: Socket): boolean {
    if (this.#isBusy.get(socket) !== false) return false;
    this.#isBusy.set(socket, true);
    return true;
  }

  dropSilent(): void {
    while (this.#dropOldestSilent());
  }

  dropAll(): void {
    for (const socket of [...this.#isBusy.keys(), ...this.#refused]) socket.destroy();
    this.#isBusy.clear();
  }

  #dropOldestSilent(): boolean {
    for (const [socket, isBusy] of this.#isBusy) {
      if (isBusy) continue;
      // 'close' comes later; the place is free now.
      this.#isBusy.delete(socket);
      socket.destroy();
      return true;
    }
    return false;
  }
}
