/**
 * The kubelet's unique volume name (pkg/volume/util, GetUniqueVolumeName): volumes that pods share are named by plugin
 * and volume, volumes that belong to one pod by plugin, pod uid and the volume's name in the pod.
 */
export type UniqueVolumeName = string & { readonly __brand: 'UniqueVolumeName' };

export function uniqueVolumeName(pluginName: string, volumeName: string): UniqueVolumeName {
  return `${pluginName}/${volumeName}` as UniqueVolumeName;
}

export function uniqueVolumeNameFromPod(pluginName: string, podUid: string, specName: string): UniqueVolumeName {
  return `${pluginName}/${podUid}-${specName}` as UniqueVolumeName;
}
