/** What loop.moored.dev accepts, in the three places where a manifest may name a driver. */
import { absolutePathProblem, quantityProblem } from './field-schemas.ts';
import { quoted } from './names.ts';
import { notOneOf, unknownField, type Violation } from './schema.ts';

export const loopDriver = 'loop.moored.dev';

const filesystems: readonly string[] = ['ext4', 'xfs', 'btrfs'];
/** The CSI provisioner's key for the same thing: a class written for another driver keeps its meaning. */
const csiFsType = 'csi.storage.k8s.io/fstype';
/** filesystem: frozen, so that it is whole without a replay of its log. crash: as after a power cut at that moment. */
const consistencies: readonly string[] = ['filesystem', 'crash'];
/** The limit of the CSI specification for an id. */
const longestHandle = 128;

interface DriverFields {
  readonly fsType?: string | undefined;
  readonly volumeHandle?: string | undefined;
  readonly volumeAttributes?: Readonly<Record<string, string>> | undefined;
}

/** spec.volumes[].csi: `volumeAttributes: {size, fsType}`. */
export function inlineLoopProblems(source: DriverFields): readonly Violation[] {
  const attributes = source.volumeAttributes ?? {};
  const size = attributes['size'];
  const sizeProblem = size === undefined ? `required: a quantity such as "64Mi"` : quantityProblem(size, 'positive');
  return [
    ...unknownKeys(attributes, ['size', 'fsType']).map(below('volumeAttributes')),
    ...problem(['volumeAttributes', 'size'], sizeProblem),
    ...fsTypeProblems({ fsType: source.fsType }, ['fsType']),
    ...fsTypeProblems(attributes, ['fsType']).map(below('volumeAttributes')),
    ...problem(['fsType'], disagreement(source.fsType, attributes['fsType'], 'volumeAttributes.fsType')),
  ];
}

/** spec.csi of a PersistentVolume: a handle, and `volumeAttributes: {path}`. */
export function persistentLoopProblems(source: DriverFields): readonly Violation[] {
  const attributes = source.volumeAttributes ?? {};
  const path = attributes['path'];
  const pathProblem = path === undefined ? 'required: the image file or block device' : absolutePathProblem(path);
  return [
    ...unknownKeys(attributes, ['path']).map(below('volumeAttributes')),
    ...problem(['volumeAttributes', 'path'], pathProblem),
    ...problem(['volumeHandle'], handleProblem(source.volumeHandle ?? '')),
    ...fsTypeProblems({ fsType: source.fsType }, ['fsType']),
  ];
}

/** parameters of a StorageClass: `{fsType, directory}`. */
export function loopClassProblems(parameters: Readonly<Record<string, string>>): readonly Violation[] {
  const directory = parameters['directory'];
  return [
    ...unknownKeys(parameters, ['fsType', 'directory', csiFsType]),
    ...fsTypeProblems(parameters, ['fsType', csiFsType]),
    ...problem(['fsType'], disagreement(parameters['fsType'], parameters[csiFsType], csiFsType)),
    ...(directory === undefined ? [] : problem(['directory'], absolutePathProblem(directory))),
  ];
}

/** parameters of a VolumeSnapshotClass: `{consistency, freezeLimit}`. */
export function loopSnapshotClassProblems(parameters: Readonly<Record<string, string>>): readonly Violation[] {
  const { consistency, freezeLimit } = parameters;
  const isKnown = consistency === undefined || consistencies.includes(consistency);
  const isLimit = freezeLimit === undefined || freezeLimitMs(freezeLimit) !== undefined;
  return [
    ...unknownKeys(parameters, ['consistency', 'freezeLimit']),
    ...problem(['consistency'], isKnown ? undefined : notOneOf(consistency, consistencies)),
    ...problem(['freezeLimit'], isLimit ? undefined : `${quoted(freezeLimit)} is not a time: want 1s to 600s`),
  ];
}

/** "10s" in milliseconds; undefined when it is not one of 1s to 600s. */
export function freezeLimitMs(text: string): number | undefined {
  const seconds = Number(/^([1-9]\d{0,2})s$/.exec(text)?.[1]);
  return seconds <= 600 ? seconds * 1000 : undefined;
}

/** "<namespace>/<name>-<uid>" below the root dir's images, or the absolute path of an image in a `.snapshots`. */
export function loopSnapshotHandleProblem(handle: string): string | undefined {
  const isShaped = /^(?:\/(?:[\w.-]+\/)*\.snapshots\/)?[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/.test(handle);
  const isLegal = isShaped && !handle.split('/').includes('..');
  return isLegal
    ? undefined
    : `${quoted(handle)} is not a handle of ${loopDriver}: want NAMESPACE/NAME-UID, without ".."`;
}

/** A handle may look like a path, but never climbs (CVE-2026-3864: `..` in a handle, at delete). */
function handleProblem(handle: string): string | undefined {
  if (handle.length > longestHandle) return `${quoted(handle)} is longer than ${longestHandle} bytes`;
  if (/^[\w./:-]+$/.test(handle) && !handle.split('/').includes('..')) return undefined;
  return `${quoted(handle)} is not a legal handle: want letters, digits and "-", "_", ".", ":", "/", without ".."`;
}

function fsTypeProblems(given: Readonly<Record<string, string | undefined>>, keys: readonly string[]): Violation[] {
  return keys.flatMap((key) => {
    const fsType = given[key];
    // '' is the default filesystem, as in the kubelet.
    if (fsType === undefined || fsType === '' || filesystems.includes(fsType)) return [];
    return problem([key], notOneOf(fsType, filesystems));
  });
}

function disagreement(fsType: string | undefined, other: string | undefined, otherName: string): string | undefined {
  if (fsType === undefined || other === undefined || fsType === other) return undefined;
  return `${quoted(fsType)} disagrees with ${quoted(other)} in ${otherName}`;
}

/** Keys with a prefix are other people's (`csi.storage.k8s.io/…`, `storage.kubernetes.io/…`) and pass. */
function unknownKeys(given: Readonly<Record<string, string>>, legal: readonly string[]): Violation[] {
  return Object.keys(given)
    .filter((key) => !legal.includes(key) && !key.includes('/'))
    .map((key) => ({ keys: [key], message: unknownField(key, legal) }));
}

function problem(keys: readonly string[], message: string | undefined): Violation[] {
  return message === undefined ? [] : [{ keys, message }];
}

function below(parent: string): (found: Violation) => Violation {
  return (found) => ({ keys: [parent, ...found.keys], message: found.message });
}
