/** What must hold for whatever lies in the manifest directory, through the daemon's own parser, merge and populator. */
import { deepStrictEqual } from 'node:assert';
import { parseManifest } from '../../daemon/adapters/manifest-parser.ts';
import { MemoryEventRecorder } from '../../daemon/adapters/memory-event-recorder.ts';
import { MemoryStateStore } from '../../daemon/adapters/memory-state-store.ts';
import { readSimpleYaml } from '../../daemon/adapters/simple-yaml.ts';
import { StateObjectStore } from '../../daemon/adapters/state-object-store.ts';
import { longestText, parseYamlDocuments } from '../../daemon/adapters/yaml-documents.ts';
import { kinds } from '../../daemon/api/meta.ts';
import type { StoredObject } from '../../daemon/api/object.ts';
import type { StoredPersistentVolume } from '../../daemon/api/persistent-volume.ts';
import { ManifestController } from '../../daemon/controllers/manifest-controller.ts';
import { nodesOf } from '../../daemon/plan/this-node.ts';
import type { ManifestFile } from '../../daemon/ports/manifest-source.ts';
import { FakeClock } from '../../daemon/ports/testing/fake-clock.ts';
import type { ResolvedVolume } from '../../daemon/ports/volume-plugin.ts';
import { populate } from '../../daemon/reconcile/desired-state-of-world-populator.ts';
import type { DesiredStateOfWorld } from '../../daemon/world/desired-state-of-world.ts';
import { diskLayout } from '../../daemon/world/disk-layout.ts';
import { StorageError } from '../../daemon/world/storage-error.ts';
import { imagePathOf, type VolumeRecipe } from '../../daemon/world/volume-recipe.ts';
import { plugins } from '../../plugins/index.ts';
import { secretMarker } from './remote-sources.ts';

const layout = diskLayout('/var/lib/moored');
const goodText = `apiVersion: v1
kind: Pod
metadata: { name: good, namespace: other }
spec:
  containers: [{ name: main, image: x, volumeMounts: [{ name: a, mountPath: /a }, { name: b, mountPath: /b }] }]
  volumes:
    - { name: a, emptyDir: { medium: Memory } }
    - { name: b, csi: { driver: loop.moored.dev, volumeAttributes: { size: 64Mi } } }
`;
const good = parseManifest('good.yaml', goodText);
const prototypeKeys = Object.getOwnPropertyNames(Object.prototype).join();

/** Milliseconds of CPU that reading one file may take: 1 MiB of the worst YAML needs about a second. */
const mostCpuMs = 10_000;
const longestProblem = 2_000;
const mostProblems = 20;

/** Throws with what does not hold. @param isValid whether it has to be taken */
export function checkManifest(text: string, isValid = false): void {
  const before = process.cpuUsage();
  const file = parseManifest('fuzz.yaml', text);
  const { user, system } = process.cpuUsage(before);
  require((user + system) / 1000 < mostCpuMs, `reading took ${(user + system) / 1000} ms of CPU`);
  checkFile(file, text);
  if (isValid)
    require(file.state === 'good', `a valid manifest is refused: ${JSON.stringify(file.problems.slice(0, 3))}`);
  checkReaders(text);
  checkWorld(file);
  require(Object.getOwnPropertyNames(Object.prototype).join() ===
    prototypeKeys, 'the prototype of all objects changed');
}

function checkFile({ state, objects, problems }: ManifestFile, text: string): void {
  require(state === (problems.length === 0 ? 'good' : 'bad'), `state ${state} with ${problems.length} problems`);
  require(state === 'good' || objects.length === 0, 'a bad file without an earlier version declares objects');
  require(text.length <= longestText || state === 'bad', 'a text beyond the limit is taken');
  require(problems.length <= mostProblems, `${problems.length} problems`);
  for (const { message, line } of problems) {
    require(message !== '' && message.length < longestProblem, `a problem of ${message.length} characters`);
    require(!/\n\s+at |TypeError|RangeError|is not a function|undefined/.test(
      message,
    ), `not a reason for people: ${message}`);
    require(line === undefined ||
      (line >= 1 && line <= text.split('\n').length + 1), `line ${line} is not in the text`);
  }
}

/** The quick reader declines, or means what the package means: a letter beyond ASCII keeps a text from it. */
function checkReaders(text: string): void {
  const simple = readSimpleYaml(text);
  if (simple === undefined || text.length > longestText - 10) return;
  // A limit is held before either of them sees the text.
  if (parseYamlDocuments('fuzz.yaml', text).problems.length > 0) return;
  const { documents, problems } = parseYamlDocuments('fuzz.yaml', `${text}\n# é`);
  deepStrictEqual(problems, [], 'the package refuses what the quick reader takes');
  deepStrictEqual(
    simple.map(({ value }) => value),
    documents.map(({ value }) => value),
    'the quick reader and the package disagree',
  );
}

/** Beside a good file: that one stays as it is, and all that is wanted lies where moored may put it. */
function checkWorld(fuzz: ManifestFile): void {
  const { objects, controller } = newController();
  controller.take({ kind: 'listing', listing: { files: [good], directoryId: '1:1' } });
  const isGood = ({ metadata }: StoredObject) =>
    metadata.name === 'good' && 'namespace' in metadata && metadata.namespace === 'other';
  const [podBefore] = objects.list('Pod').filter(isGood);
  const populated = () => populate({ objects, plugins, layout, nodes, isHere: () => false, complete: true });
  const worldBefore = wishes(populated(), podBefore?.metadata.uid ?? '');
  controller.take({ kind: 'listing', listing: { files: [fuzz, good], directoryId: '1:1' } });
  const [podAfter] = objects.list('Pod').filter(isGood);
  deepStrictEqual(podAfter, podBefore, 'the good file’s pod changed');
  const world = populated();
  deepStrictEqual(wishes(world, podBefore?.metadata.uid ?? ''), worldBefore, 'the good file’s volumes changed');
  for (const { recipe, pods } of world.volumes.values()) {
    checkRecipe(recipe, [...pods.values()]);
  }
  checkSecrets(objects, fuzz, world);
  for (const volume of objects.list('PersistentVolume')) checkVolume(volume);
}

/** As if a claim were bound to it and a pod used it: what a plugin cannot serve it refuses with a reason of its own. */
function checkVolume(volume: StoredPersistentVolume): void {
  const pod = { namespace: 'default', name: 'p', uid: 'uid-p' };
  const spec = { kind: 'persistentVolume', pod, volume, readOnly: false } as const;
  for (const plugin of plugins.filter((candidate) => candidate.canSupport(spec))) {
    try {
      const resolved = plugin.resolve(spec, layout);
      checkRecipe(resolved.recipe, [resolved]);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
    }
  }
}

function checkRecipe(recipe: VolumeRecipe, uses: readonly Pick<ResolvedVolume, 'targetPath' | 'mount'>[]): void {
  const { globalMountPath, deviceMount } = recipe;
  const image = imagePathOf(recipe);
  const targets = uses.map(({ targetPath }) => targetPath);
  for (const path of [...targets, ...(globalMountPath === '' ? [] : [globalMountPath])]) {
    require(path.startsWith('/var/lib/moored/') && isPlainPath(path), `a target outside: ${JSON.stringify(path)}`);
  }
  require(image === undefined || isPlainPath(image), `an image path: ${JSON.stringify(image)}`);
  const smuggled = (deviceMount?.options ?? []).find((option) => !harmless.test(option));
  require(smuggled === undefined, `a mount option: ${smuggled}`);
  for (const { mount } of uses) {
    if (mount.kind !== 'nfs') continue;
    const odd = mount.options.find((option) => /[\s,/]|suid|dev|helper|context|addr|x-/i.test(option));
    require(odd === undefined, `an option of nfs: ${odd}`);
    require(!/^-|[\s\0,/]/.test(mount.server) &&
      mount.source.includes(':/'), `an export: ${JSON.stringify(mount.source)}`);
  }
}

/** Objects and wishes are written to disk and shown: what a Secret says is in neither. */
function checkSecrets(objects: StateObjectStore, { secrets = [] }: ManifestFile, world: DesiredStateOfWorld): void {
  // Elsewhere than in a Secret it is a text like any other.
  if (secrets.length === 0) return;
  const shown = JSON.stringify([kinds.map((kind) => objects.list(kind)), [...world.volumes.values()], secrets]);
  require(!shown.includes(secretMarker), 'a secret is in an object, in a recipe or in its own print');
}

/** Written down once more, from mount(8) and not from the allow-list: nothing that names a path, a user or a helper. */
const harmless =
  /^(no(exec|atime|diratime|discard|user_xattr|acl|uuid|ssd)|(dir)?sync|(rel|strict|lazy)[a]?time|discard(=async)?|acl|ssd|user_xattr|inode64|largeio|(barrier|commit|logbsize|allocsize|data|errors|compress|compress-force|space_cache)=[\w:-]+)$/;

const nodes = nodesOf({ name: 'node1', labels: {} }, []);

function newController(): { readonly objects: StateObjectStore; readonly controller: ManifestController } {
  const state = new MemoryStateStore();
  const objects = new StateObjectStore(state);
  const clock = new FakeClock();
  const silent = () => undefined;
  const logger = { info: silent, warn: silent, error: silent, debug: silent };
  let uids = 0;
  const newUid = () => `uid-${(uids += 1)}`;
  const events = new MemoryEventRecorder(clock);
  return { objects, controller: new ManifestController({ objects, state, clock, events, logger, newUid }) };
}

function wishes(world: DesiredStateOfWorld, uid: string): unknown {
  const volumes = [...world.volumes.values()].filter(({ pods }) => pods.has(uid));
  return {
    volumes: volumes.map(({ recipe, pods }) => ({ recipe, pod: pods.get(uid) })),
    errors: world.errors.get(uid),
  };
}

function isPlainPath(path: string): boolean {
  return path.startsWith('/') && !path.split('/').includes('..') && !path.includes('\0') && path.length < 4096;
}

function require(condition: boolean, finding: string): asserts condition {
  if (!condition) throw new Error(finding);
}
