/** What must be true of copies of images, whatever died while they were made: the backends of the matrix and their oracles. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { claim, claimVolume, documents, pod } from '../support/manifests.ts';
import { claimFrom, snapshot, snapshotClass } from '../support/snapshot-manifests.ts';

const mebibyte = 2 ** 20;
/** More than the child copies in one piece. */
const payloadBytes = 24 * mebibyte;

/** A source with known bytes in it, a snapshot of it, and a volume made of that; both in pods. */
export function restoredManifest(id: string, base: string): string {
  return documents(
    copiedPods(id),
    source(id, base),
    snapshotClass('matrix'),
    snapshot(`${id}-snapshot`, `${id}-source`, 'matrix'),
    claimFrom(id, { snapshot: `${id}-snapshot` }, { storageClass: 'ext4', size: '48Mi' }),
  );
}

export function clonedManifest(id: string, base: string): string {
  const clone = claimFrom(id, { claim: `${id}-source` }, { storageClass: 'ext4', size: '48Mi' });
  return documents(copiedPods(id), source(id, base), clone);
}

function copiedPods(id: string): string {
  return documents(pod(id, { data: claimVolume(id) }), pod(`${id}-b`, { data: claimVolume(`${id}-source`) }));
}

function source(id: string, base: string): string {
  const path = join(base, `brought/${id}.img`);
  if (!existsSync(path)) {
    const files = payloadDirectory(id, base);
    mkdirSync(files, { recursive: true });
    writeFileSync(join(files, 'payload'), randomBytes(payloadBytes));
    writeFileSync(path, '');
    truncateSync(path, 48 * mebibyte);
    execFileSync('/usr/sbin/mkfs.ext4', ['-q', '-d', files, path]);
  }
  return documents(
    broughtVolume(`${id}-source`, path, '48Mi'),
    claim(`${id}-source`, { storageClass: '', size: '48Mi', volumeName: `${id}-source` }),
  );
}

/** A PersistentVolume of an image that a user made. */
export function broughtVolume(name: string, path: string, size: string): string {
  return [
    'apiVersion: v1',
    'kind: PersistentVolume',
    `metadata: { name: ${name} }`,
    'spec:',
    `  capacity: { storage: ${size} }`,
    '  accessModes: [ReadWriteOnce]',
    '  storageClassName: ""',
    `  csi: { driver: loop.moored.dev, volumeHandle: ${name}, volumeAttributes: { path: ${path} } }`,
  ].join('\n');
}

function payloadDirectory(id: string, base: string): string {
  return join(base, `brought/${id}.files`);
}

/** While all pods are up: what is wrong with the copies. @param paths where the volumes of the pods are */
export function copyFaults(id: string, base: string, paths: readonly string[]): readonly string[] {
  const payload = readFileSync(join(payloadDirectory(id, base), 'payload'));
  return [
    ...paths.flatMap((path) => (readFileSync(join(path, 'payload')).equals(payload) ? [] : [`${path}: other bytes`])),
    ...paths.flatMap((path) => (isFrozen(path) ? [`${path}: frozen`] : [])),
    ...publishedSnapshots(base).flatMap((image) => snapshotFaults(image, payload)),
    ...copiesLeft(base),
  ];
}

/** Unfinished copies, by path; and images that have a name without a sidecar. */
export function copiesLeft(base: string): readonly string[] {
  const files = imageFiles(base);
  const nameless = files.filter((path) => path.endsWith('.img') && !files.includes(`${path}.json`));
  return [...files.filter((path) => path.endsWith('.tmp')), ...nameless];
}

function imageFiles(base: string): readonly string[] {
  const images = join(base, 'root/images');
  if (!existsSync(images)) return [];
  const files = readdirSync(images, { recursive: true, encoding: 'utf8' });
  return files.filter((path) => !path.includes('.trash')).map((path) => join(images, path));
}

function publishedSnapshots(base: string): readonly string[] {
  return imageFiles(base).filter((path) => path.includes('/.snapshots/') && path.endsWith('.img'));
}

/** Taken of a frozen filesystem or of one at rest: its log has nothing to replay, it is whole, and has the same bytes. */
function snapshotFaults(image: string, payload: Buffer): readonly string[] {
  const { status, stdout } = spawnSync('/usr/sbin/e2fsck', ['-f', '-n', image], { encoding: 'utf8' });
  const facts = spawnSync('/usr/sbin/dumpe2fs', ['-h', image], { encoding: 'utf8' }).stdout;
  const found = spawnSync('/usr/sbin/debugfs', ['-R', 'cat /payload', image], { maxBuffer: 2 * payloadBytes }).stdout;
  return [
    ...(status === 0 ? [] : [`${image}: ${stdout}`]),
    ...(facts.includes('needs_recovery') ? [`${image}: its log is not at rest`] : []),
    ...(found.equals(payload) ? [] : [`${image}: other bytes`]),
  ];
}

/** A second freeze is EBUSY; a first one is ended at once. */
function isFrozen(path: string): boolean {
  if (spawnSync('/usr/sbin/fsfreeze', ['--freeze', path]).status !== 0) return true;
  execFileSync('/usr/sbin/fsfreeze', ['--unfreeze', path]);
  return false;
}
