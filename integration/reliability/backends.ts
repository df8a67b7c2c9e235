/** What the crash matrix and the histories bring up and down: one line for each kind of volume, a new kind joins here. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { PodView } from '../../daemon/control/protocol.ts';
import { claim, claimVolume, documents, pod, storageClass } from '../support/manifests.ts';
import { broughtVolume, clonedManifest, copiesLeft, copyFaults, restoredManifest } from './copies.ts';

export interface Backend {
  readonly name: string;
  /** The manifest of a cycle, its pods named "<id>" and "<id>-…". */
  readonly manifest: (id: string, base: string) => string;
  /** Names of the pods of a cycle. */
  readonly pods: (id: string) => readonly string[];
  /** raw: the device itself is written; gone: the data ends with the pod; none: nothing may be written. */
  readonly data: 'file' | 'raw' | 'gone' | 'none';
  readonly surroundings?: Surroundings;
  /** While the pods are up, their volumes being at these paths: what is wrong. */
  readonly faults?: (id: string, base: string, paths: readonly string[]) => readonly string[];
  /** When they are down: what should not be there. */
  readonly left?: (base: string) => readonly string[];
  /** Where a cycle takes long, instead of one of each kind of step in each phase. */
  readonly sample?: 'eachMethod';
}

/** A server of volumes, and what this machine must say of it beyond mounts and loop devices. An empty answer is good. */
export interface Surroundings {
  /** Makes what the next volume is on. */
  begin(id: string): Promise<void>;
  /** While the volume is up. */
  faults(): readonly string[];
  /** When it is down. */
  left(): readonly string[];
  /** UUID of the volume's filesystem, as its server sees it; undefined when there is none to see. */
  filesystem(): string | undefined;
  close(): Promise<void>;
}

export const classes = documents(
  storageClass('ext4'),
  storageClass('xfs', ['parameters: { csi.storage.k8s.io/fstype: xfs }']),
);

const single = (id: string): readonly string[] => [id];
const inline = 'csi: { driver: loop.moored.dev, volumeAttributes: { size: 32Mi } }';

const copied = {
  pods: (id: string) => [id, `${id}-b`],
  data: 'file',
  sample: 'eachMethod',
  faults: copyFaults,
  left: copiesLeft,
} as const;

export const backends: readonly Backend[] = [
  {
    name: 'ext4',
    manifest: (id) => documents(claim(id, { storageClass: 'ext4', size: '32Mi' }), pod(id, { data: claimVolume(id) })),
    pods: single,
    data: 'file',
  },
  {
    name: 'xfs',
    manifest: (id) => documents(claim(id, { storageClass: 'xfs', size: '320Mi' }), pod(id, { data: claimVolume(id) })),
    pods: single,
    data: 'file',
  },
  {
    name: 'block',
    manifest: (id) =>
      documents(
        claim(id, { storageClass: 'ext4', size: '32Mi', mode: 'Block' }),
        pod(id, { data: claimVolume(id) }, 'Block'),
      ),
    pods: single,
    data: 'raw',
  },
  {
    name: 'read-only',
    manifest: (id) =>
      documents(claim(id, { storageClass: 'ext4', size: '32Mi' }), pod(id, { data: claimVolume(id, true) })),
    pods: single,
    data: 'none',
  },
  {
    name: 'two-pods',
    manifest: (id) =>
      documents(
        claim(id, { storageClass: 'ext4', size: '32Mi' }),
        pod(id, { data: claimVolume(id) }),
        pod(`${id}-b`, { data: claimVolume(id, true) }),
      ),
    pods: (id) => [id, `${id}-b`],
    data: 'file',
  },
  { name: 'inline', manifest: (id) => pod(id, { data: inline }), pods: single, data: 'gone' },
  // Its own volume is a copy of a snapshot of the other pod's, which may be in use by then or not.
  { name: 'restored', manifest: restoredManifest, ...copied },
  { name: 'cloned', manifest: clonedManifest, ...copied },
  { name: 'local', manifest: localManifest, pods: single, data: 'file' },
  { name: 'brought', manifest: broughtManifest, pods: single, data: 'file' },
  {
    name: 'empty-dir',
    manifest: (id) => pod(id, { data: 'emptyDir: { medium: Memory, sizeLimit: 1Mi }', dir: 'emptyDir: {}' }),
    pods: single,
    data: 'gone',
  },
];

/** A volume that a user made by hand, with a filesystem on it. */
function broughtManifest(id: string, base: string): string {
  const path = join(base, `brought/${id}.img`);
  if (!existsSync(path)) {
    mkdirSync(join(base, 'brought'), { recursive: true });
    writeFileSync(path, '');
    truncateSync(path, 32 * 2 ** 20);
    execFileSync('/usr/sbin/mkfs.ext4', ['-q', path]);
  }
  const asked = claim(id, { storageClass: '', size: '32Mi', volumeName: id });
  return documents(broughtVolume(id, path, '32Mi'), asked, pod(id, { data: claimVolume(id) }));
}

/** A directory that is there already, and stays. */
function localManifest(id: string, base: string): string {
  const path = join(base, `local/${id}`);
  mkdirSync(path, { recursive: true });
  const volume = [
    ...['apiVersion: v1', 'kind: PersistentVolume', `metadata: { name: ${id} }`, 'spec:'],
    ...['  capacity: { storage: 32Mi }', '  accessModes: [ReadWriteOnce]', '  storageClassName: ""'],
    `  local: { path: ${path} }`,
    '  nodeAffinity:',
    '    required:',
    '      nodeSelectorTerms:',
    '        - matchExpressions: [{ key: kubernetes.io/hostname, operator: Exists }]',
  ].join('\n');
  const asked = claim(id, { storageClass: '', size: '32Mi', volumeName: id });
  return documents(volume, asked, pod(id, { data: claimVolume(id) }));
}

export function pathOf(view: PodView): string {
  const volume = view.status.volumes.find(({ name }) => name === 'data');
  if (volume === undefined) throw new Error(`pod ${view.metadata.name} has no volume "data"`);
  return volume.path;
}

/** Writes and syncs, as a workload that minds its data. */
export function writeData(backend: Backend, path: string, data: string): void {
  if (backend.data === 'none') return;
  const fd = openSync(backend.data === 'raw' ? path : join(path, 'data'), backend.data === 'raw' ? 'r+' : 'w');
  writeSync(fd, data);
  fsyncSync(fd);
  closeSync(fd);
}

export function readData(backend: Backend, path: string, length: number): string {
  const file = backend.data === 'raw' ? path : join(path, 'data');
  if (backend.data !== 'raw') return readFileSync(file, 'utf8');
  const fd = openSync(file, 'r');
  const buffer = Buffer.alloc(length);
  readSync(fd, buffer);
  closeSync(fd);
  return buffer.toString();
}
