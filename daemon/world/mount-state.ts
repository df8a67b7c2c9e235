/** States of the ActualStateOfWorld, named as in the kubelet (operation_executor.go). */
export type AttachState = 'Attached' | 'AttachUncertain' | 'NotAttached';
export type DeviceMountState = 'DeviceGloballyMounted' | 'DeviceMountUncertain' | 'DeviceNotMounted';
export type VolumeMountState = 'VolumeMounted' | 'VolumeMountUncertain' | 'VolumeNotMounted';

/** Uncertain may be mounted: it is retried while desired and undone when not, never forgotten. */
export function deviceMayBeMounted(state: DeviceMountState): boolean {
  return state !== 'DeviceNotMounted';
}

export function volumeMayBeMounted(state: VolumeMountState): boolean {
  return state !== 'VolumeNotMounted';
}
