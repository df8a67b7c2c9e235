import type { AswVolume, DswVolume, VolumeView } from '../../control/protocol.ts';
import type { Column, Resource } from './resource.ts';

interface Volume {
  readonly name: string;
  readonly plugin: string;
}

const name: Column<Volume> = { header: 'NAME', cell: (volume) => volume.name };
const plugin: Column<Volume> = { header: 'PLUGIN', cell: (volume) => volume.plugin };

const worldCommon = {
  isNamespaced: false,
  isObject: false,
  eventKind: 'Volume',
  withItems: (_reply: object, volumes: readonly object[]): object => ({ volumes }),
  nameOf: (volume: Volume) => volume.name,
  namespaceOf: () => '',
} as const;

export const volumes: Resource<'volumes'> = {
  ...worldCommon,
  kind: 'volumes',
  singular: 'volume',
  qualified: 'volume',
  aliases: ['vol', 'vols', 'volume', 'volumes'],
  items: (reply) => reply.volumes,
  columns: [
    name,
    plugin,
    { header: 'STATE', cell: ({ state }) => state, state: true },
    { header: 'DEVICE', cell: ({ device }) => device },
    { header: 'CLAIM', cell: ({ claim }) => claim },
    { header: 'PODS', cell: ({ pods }: VolumeView) => pods.join(',') },
    { header: 'CAPACITY', cell: ({ capacity }) => capacity, wide: true },
    { header: 'REQUESTED', cell: ({ requested }) => requested, wide: true },
    { header: 'PATH', cell: ({ path }) => path, wide: true },
    { header: 'MESSAGE', cell: ({ message }) => message, wide: true },
  ],
};

export const dsw: Resource<'dsw'> = {
  ...worldCommon,
  kind: 'dsw',
  singular: 'dsw',
  qualified: 'dsw',
  aliases: ['dsw', 'desiredstateofworld'],
  items: (reply) => reply.volumes,
  columns: [
    name,
    plugin,
    { header: 'PODS', cell: podNames },
    { header: 'GLOBALMOUNTPATH', cell: ({ globalMountPath }) => globalMountPath, wide: true },
  ],
};

export const asw: Resource<'asw'> = {
  ...worldCommon,
  kind: 'asw',
  singular: 'asw',
  qualified: 'asw',
  aliases: ['asw', 'actualstateofworld'],
  items: (reply) => reply.volumes,
  columns: [
    name,
    plugin,
    { header: 'DEVICE', cell: ({ devicePath }) => devicePath },
    { header: 'DEVICEMOUNTSTATE', cell: ({ deviceMountState }) => deviceMountState },
    { header: 'MOUNTED', cell: mountedPods },
    { header: 'PODS', cell: podNames },
    { header: 'GLOBALMOUNTPATH', cell: ({ globalMountPath }) => globalMountPath, wide: true },
  ],
};

/** "mounted/known" pods of the volume. */
function mountedPods({ pods }: AswVolume): string {
  return `${pods.filter(({ mountState }) => mountState === 'VolumeMounted').length}/${pods.length}`;
}

function podNames({ pods }: AswVolume | DswVolume): string {
  return pods.map((pod) => `${pod.namespace}/${pod.name}`).join(',');
}
