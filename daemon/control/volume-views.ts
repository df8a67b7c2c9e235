/** The two worlds, volumes and operations as `get` answers them. */

export type DeviceMountStateName = 'DeviceGloballyMounted' | 'DeviceMountUncertain' | 'DeviceNotMounted';
export type VolumeMountStateName = 'VolumeMounted' | 'VolumeMountUncertain' | 'VolumeNotMounted';

export interface AswPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly targetPath: string;
  readonly mountState: VolumeMountStateName;
  readonly readOnly: boolean;
}

/** GET /v1/get/asw and /v1/get/dsw: {"volumes": […]}. */
export interface AswVolume {
  readonly name: string;
  readonly plugin: string;
  /** '' while none is attached, or for volumes without a device. */
  readonly devicePath: string;
  /** '' for volumes without a global mount. */
  readonly globalMountPath: string;
  readonly deviceMountState: DeviceMountStateName;
  readonly pods: readonly AswPod[];
}

export interface DswPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly targetPath: string;
  readonly readOnly: boolean;
}

export interface DswVolume {
  readonly name: string;
  readonly plugin: string;
  readonly globalMountPath: string;
  readonly pods: readonly DswPod[];
}

/** GET /v1/get/volumes: one row a volume, desired and actual side by side. */
export interface VolumeView {
  readonly name: string;
  readonly plugin: string;
  readonly state: 'Mounted' | 'Abnormal' | 'Pending' | 'Uncertain' | 'Failed' | 'Stalled' | 'Unmounting';
  readonly device: string;
  readonly path: string;
  /** "namespace/name" of each pod that has or wants it. */
  readonly pods: readonly string[];
  readonly claim: string;
  /** What it has and what it shall have, quantities such as "64Mi"; '' for volumes that do not grow. */
  readonly capacity: string;
  readonly requested: string;
  readonly message: string;
  /** As those of PodVolumeStatus. */
  readonly reason?: string;
  readonly help?: string;
  /** Missing while there was none. */
  readonly drift?: DriftView;
}

/** What other people did to a volume, since the daemon's start. */
export interface DriftView {
  readonly count: number;
  readonly lastMessage: string;
  readonly lastAt: string;
  /** What stays as it is until somebody acts; `help` is a command, or ''. */
  readonly standing: readonly { readonly message: string; readonly since: string; readonly help: string }[];
  /** Processes that still use a mount that was taken away lazily, in words; '' when none is known. */
  readonly holders: string;
}

export interface OperationView {
  readonly kind: string;
  readonly volume: string;
  /** "namespace/name", or '' for an operation on the volume as a whole. */
  readonly pod: string;
  /** running: in flight; waiting: failed before and in backoff; a copy: waits for its turn. */
  readonly state: 'running' | 'waiting';
  readonly reason: string;
  readonly startedAt: string;
  readonly attempts: number;
  /** Milliseconds until the next attempt; 0 when running. */
  readonly nextRetryMs: number;
  readonly lastError: string;
  /** Of an image: for which object, and how far it is. */
  readonly copy?: { readonly for: string; readonly doneBytes: number; readonly totalBytes: number };
}
