import type { VolumePlugin } from '../daemon/ports/volume-plugin.ts';
import { emptyDirPlugin } from './empty-dir/plugin.ts';
import { iscsiPlugin } from './iscsi/plugin.ts';
import { localPlugin } from './local/plugin.ts';
import { localProvisioner } from './local/provisioner.ts';
import { loopPlugin } from './loop/plugin.ts';
import { nfsPlugin } from './nfs/plugin.ts';

/** The built-in plugins. Exactly one may support a volume. */
export const plugins: readonly VolumePlugin[] = [
  emptyDirPlugin,
  iscsiPlugin,
  localPlugin,
  localProvisioner,
  loopPlugin,
  nfsPlugin,
];
