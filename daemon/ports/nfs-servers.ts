/** A server that does not answer: what is known of it, and since when. */
export interface StalledServer {
  readonly server: string;
  /** RFC 3339. */
  readonly since: string;
  /** "has not answered for 10 s", "Connection refused". */
  readonly cause: string;
}

/** What operations tell of the servers that they talk to, and may ask. */
export interface NfsServers {
  /** By name (NfsPodMount.server). */
  readonly stalled: ReadonlyMap<string, StalledServer>;
  /** An operation got an answer: whoever waited for the server goes on at once. */
  answered(server: string): void;
  /** An operation ran into its deadline, or the server could not be reached. */
  failed(server: string, cause: string): void;
  /** Whether a probe found this mount stale (ESTALE); it is asked for anew before anything is done about it. */
  isStale(targetPath: string): boolean;
  /** The mount was found well, was made anew, or is gone: nothing is stale there. */
  renewed(targetPath: string): void;
}
