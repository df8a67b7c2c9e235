/**
 * The kubelet's layout below the root dir (kubelet.md 3; pkg/kubelet/config/defaults.go), so that every tool and every
 * habit of a Kubernetes node works here too.
 */
export interface DiskLayout {
  readonly rootDir: string;
  podsDir(): string;
  podDir(podUid: string): string;
  /** Where a pod finds a volume: `pods/<uid>/volumes/<plugin~>/<specName>`. */
  podVolumeDir(podUid: string, plugin: string, specName: string): string;
  /** Where a pod finds a raw block volume: `pods/<uid>/volumeDevices/<plugin~>/<specName>`. */
  podVolumeDevicePath(podUid: string, plugin: string, specName: string): string;
  /** `plugins/<plugin>/<parts…>` */
  pluginDir(plugin: string, ...parts: readonly string[]): string;
  imagesDir(): string;
}

/** @param rootDir absolute, without a trailing slash */
export function diskLayout(rootDir: string): DiskLayout {
  const podDir = (uid: string) => `${rootDir}/pods/${uid}`;
  return {
    rootDir,
    podsDir: () => `${rootDir}/pods`,
    podDir,
    podVolumeDir: (uid, plugin, spec) => `${podDir(uid)}/volumes/${escapePluginName(plugin)}/${spec}`,
    podVolumeDevicePath: (uid, plugin, spec) => `${podDir(uid)}/volumeDevices/${escapePluginName(plugin)}/${spec}`,
    pluginDir: (plugin, ...parts) => [rootDir, 'plugins', plugin, ...parts].join('/'),
    imagesDir: () => `${rootDir}/images`,
  };
}

/** '/' in a plugin's name becomes '~' (k8s.io/utils/strings, EscapeQualifiedName). */
function escapePluginName(plugin: string): string {
  return plugin.replaceAll('/', '~');
}
