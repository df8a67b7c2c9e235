/** NFSVolumeSource of core/v1, the same inline and in a PersistentVolume. */
export interface NfsVolumeSource {
  /** Host name or address; an IPv6 address with or without its brackets. */
  readonly server: string;
  /** Absolute path of the export, or of a directory in it. */
  readonly path: string;
  readonly readOnly?: boolean;
}
