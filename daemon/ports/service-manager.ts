/** What starts and stops the workloads of this machine: systemd. */
export interface ServiceManager {
  /**
   * Asks that a unit stops, and does not wait for it: units that are bound to it and ordered after it stop first.
   * 'inactive': it is down already. Rejects with a StorageError when there is no systemd or it refuses.
   */
  stop(unit: string, signal: AbortSignal): Promise<'stopping' | 'inactive'>;
}
