/** Names and paths of a CSI volume, as in the kubelet (pkg/volume/csi): the driver is one in all but its socket. */
import { createHash } from 'node:crypto';
import type { DiskLayout } from '../../daemon/world/disk-layout.ts';
import { type UniqueVolumeName, uniqueVolumeName } from '../../daemon/world/unique-volume-name.ts';
import { driverName } from './driver-name.ts';

const csiPlugin = 'kubernetes.io/csi';

export function csiVolumeName(volumeHandle: string): UniqueVolumeName {
  return uniqueVolumeName(csiPlugin, `${driverName}^${volumeHandle}`);
}

/** plugins/kubernetes.io/csi/<driver>/<sha256 of the handle>/globalmount */
export function csiGlobalMountPath(layout: DiskLayout, volumeHandle: string): string {
  return layout.pluginDir(csiPlugin, driverName, sha256(volumeHandle), 'globalmount');
}

/** pods/<uid>/volumes/kubernetes.io~csi/<spec name>/mount */
export function csiTargetPath(layout: DiskLayout, podUid: string, specName: string): string {
  return `${layout.podVolumeDir(podUid, csiPlugin, specName)}/mount`;
}

/** pods/<uid>/volumeDevices/kubernetes.io~csi/<spec name> */
export function csiDevicePath(layout: DiskLayout, podUid: string, specName: string): string {
  return layout.podVolumeDevicePath(podUid, csiPlugin, specName);
}

/** The handle of an inline volume: csi-<sha256 of pod uid and volume name> (csi_mounter.go, makeVolumeHandle). */
export function inlineVolumeHandle(podUid: string, volumeName: string): string {
  return `csi-${sha256(podUid + volumeName)}`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
