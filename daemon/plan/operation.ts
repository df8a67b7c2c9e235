import type { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import type { PodToMount, VolumeSize, VolumeToMount } from '../world/desired-state-of-world.ts';
import type { UniqueVolumeName } from '../world/unique-volume-name.ts';
import { serverOf } from '../world/volume-recipe.ts';

/** Arguments of each operation. A kind added here without an executor does not compile (reconcile/operations). */
export interface OperationArguments {
  /** Makes the volume a block device of this machine. */
  readonly attachVolume: { readonly volume: VolumeToMount };
  /** Proves blank or checks, formats if need be, mounts at the global mount path (CSI: NodeStage). */
  readonly mountDevice: { readonly volume: VolumeToMount };
  /** Grows the device and the filesystem mounted from it, data in use (CSI: NodeExpandVolume). */
  readonly expandVolume: { readonly volume: VolumeToMount; readonly size: VolumeSize };
  /** Gives one pod its mount (CSI: NodePublish). */
  readonly mountVolume: { readonly volume: VolumeToMount; readonly pod: PodToMount };
  /** Takes one pod's mount away (CSI: NodeUnpublish). */
  readonly unmountVolume: { readonly podUid: string };
  /** Unmounts the global mount (CSI: NodeUnstage). */
  readonly unmountDevice: Readonly<Record<never, never>>;
  readonly detachVolume: Readonly<Record<never, never>>;
  /** Nothing is left of the volume: its directories, an inline volume's image, its record. */
  readonly forgetVolume: Readonly<Record<never, never>>;
}

export type OperationKind = keyof OperationArguments;

export type Operation<K extends OperationKind = OperationKind> = {
  [P in K]: {
    readonly kind: P;
    readonly volumeName: UniqueVolumeName;
    readonly reason: string;
  } & OperationArguments[P];
}[K];

/** Operations with one key never run together; a volume's key excludes all its pods' keys. */
export function podUidOf(operation: Operation): string {
  switch (operation.kind) {
    case 'mountVolume':
      return operation.pod.pod.uid;
    case 'unmountVolume':
      return operation.podUid;
    default:
      return '';
  }
}

/** The server that an operation talks to, if it is one that may not answer. */
export function serverOfOperation(operation: Operation, asw: ActualStateOfWorld): string | undefined {
  const { volumeName } = operation;
  if (operation.kind === 'mountVolume') return serverOf(operation.pod.mount);
  if (operation.kind !== 'unmountVolume') return undefined;
  const mount = asw.get(volumeName)?.record.pods[operation.podUid]?.mount;
  return mount && serverOf(mount);
}

/** Backoff is counted by volume and pod, as in the kubelet's nestedpendingoperations. */
export function operationKey(volumeName: UniqueVolumeName, podUid: string): string {
  return podUid === '' ? volumeName : `${volumeName} ${podUid}`;
}

/** Operations that run children (mkfs, fsck, mount) and are bounded in number. */
export const isHeavy: Readonly<Record<OperationKind, boolean>> = {
  attachVolume: false,
  mountDevice: true,
  expandVolume: true,
  mountVolume: false,
  unmountVolume: false,
  unmountDevice: true,
  detachVolume: false,
  forgetVolume: false,
};

/**
 * Whether all of it is system calls of this process, which end in any case. A thousand that go on at once would hold the
 * event loop for seconds, so they are bounded in number; what may wait for a server or a device is not, so that it keeps
 * nobody else from going on.
 */
export function isInProcess(operation: Operation, asw: ActualStateOfWorld): boolean {
  const { kind } = operation;
  const isPossible = kind === 'mountVolume' || kind === 'unmountVolume' || kind === 'forgetVolume';
  return isPossible && serverOfOperation(operation, asw) === undefined;
}
