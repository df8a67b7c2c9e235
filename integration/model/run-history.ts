/** Interprets a history on the simulated machine. */
import { keyOf } from '../../daemon/api/meta.ts';
import type { StoredObject } from '../../daemon/api/object.ts';
import { annotations } from '../../daemon/api/well-known.ts';
import type { MountInfo } from '../../daemon/world/mount-info.ts';
import { network } from './declarations.ts';
import { EffectOracles } from './effect-oracles.ts';
import type { AdminAct, NetworkAct, Step } from './history.ts';
import { type Counts, layout, Machine } from './machine.ts';
import { fileName, writtenText } from './manifest-writes.ts';
import { lunBehind } from './network-oracles.ts';
import { Random } from './random.ts';
import { checkConverged, checkState } from './state-oracles.ts';

/** Longer than any backoff and the deadline of the longest operation, twice. */
const calmMs = 25 * 60_000;
const minuteMs = 60_000;

export interface Outcome {
  readonly steps: number;
  readonly violations: readonly string[];
  readonly journal: readonly string[];
}

/** @param isTraced keeps a journal of all that happened, for a person */
export async function runHistory(steps: readonly Step[], counts: Counts, isTraced = false): Promise<Outcome> {
  const machine = new Machine(counts);
  machine.isTraced = isTraced;
  machine.watcher = new EffectOracles(machine);
  machine.start();
  await machine.advance(1_000);
  let done = 0;
  for (const step of [...steps, lastStep]) {
    machine.random = new Random(step.salt);
    machine.trace(`== ${JSON.stringify(step)}`);
    await take(step, machine);
    checkState(machine);
    done++;
    if (machine.violations.length > 0) break;
  }
  machine.kill('kill');
  return { steps: done, violations: machine.violations, journal: machine.journal };
}

const lastStep: Step = { kind: 'calm', salt: 1 };

async function take(step: Step, machine: Machine): Promise<void> {
  const { manifests, random } = machine;
  switch (step.kind) {
    case 'write': {
      const { declarations, how } = step;
      const name = fileName(step.file);
      manifests.write(name, writtenText(step, random), declarations, how, objectsOf(name, machine));
      return machine.advance(random.below(400));
    }
    case 'remove':
      manifests.remove(fileName(step.file));
      return machine.advance(random.below(400));
    case 'rename':
      manifests.rename(fileName(step.file), fileName(step.to));
      return machine.advance(random.below(400));
    case 'directory':
      manifests.state = step.state;
      return machine.advance(random.below(2_000));
    case 'admin':
      administer(step.act, machine);
      return machine.advance(random.below(50));
    case 'workload':
      writeData(machine);
      return;
    case 'wait':
      return machine.advance(step.ms);
    case 'crash':
      return crash(step, machine);
    case 'restart':
      await machine.stop();
      return machine.advance(1_000);
    case 'drain':
      machine.life?.core.reconciler.drain();
      return machine.advance(1_000);
    case 'faults':
      machine.faultPercent = step.percent;
      return;
    case 'stateDisk':
      machine.disk.isRefusing = step.refuses;
      return machine.advance(random.below(2_000));
    case 'calm':
      await calm(machine);
  }
}

/**
 * Keys of the objects that are of a file for this life of the daemon and for the next one, which knows what is on disk. On
 * a disk that refuses the two differ, and what only one of them says is no promise.
 */
function objectsOf(file: string, { disk, life }: Machine): readonly string[] {
  const durable = keysOfFile(file, [...disk.durable('objects').values()] as StoredObject[]);
  if (life === undefined || life.isDead) return durable;
  const { objects } = life.core;
  const known = new Set(keysOfFile(file, [...objects.list('Pod'), ...objects.list('PersistentVolumeClaim')]));
  return durable.filter((key) => known.has(key));
}

function keysOfFile(file: string, objects: readonly StoredObject[]): readonly string[] {
  return objects.flatMap(({ kind, metadata }) =>
    metadata.annotations?.[annotations.manifest] === file && metadata.deletionTimestamp === undefined
      ? [keyOf({ kind, metadata })]
      : [],
  );
}

async function crash(step: Extract<Step, { kind: 'crash' }>, machine: Machine): Promise<void> {
  const { random } = machine;
  const deaths = machine.counts.deaths;
  if (step.how === 'kill') {
    machine.dieAfter(step.calls);
    await machine.advance(random.below(3_000));
  }
  if (machine.counts.deaths === deaths) machine.kill(step.how);
  for (let again = 0; again < (step.again > 0 ? 2 : 0); again++) {
    machine.dieAfter(step.again);
    await machine.advance(600);
  }
  await machine.advance(random.below(3_000));
}

/** Somebody with root rights who knows nothing of us. */
function administer(act: AdminAct, machine: Machine): void {
  const { host, random } = machine;
  const pickMount = (isMeant: (mount: MountInfo) => boolean = () => true): MountInfo | undefined =>
    random.pick(host.mounts.filter((each) => each.mountPoint.startsWith(layout.rootDir) && isMeant(each)));
  const acts: Readonly<Record<AdminAct, () => void>> = {
    umount: () => umount(pickMount(), machine),
    unmountForeign: () =>
      umount(
        pickMount((mount) => host.isForeign(mount)),
        machine,
      ),
    overMount: () => mountForeign(pickMount()?.mountPoint, machine),
    mountOnTarget: () => {
      const targets = [...host.entries.keys()].filter((path) => /\/(mount|globalmount)$/.test(path));
      mountForeign(random.pick(targets.filter((path) => host.top(path) === undefined)), machine);
    },
    remount: () => {
      const path = pickMount()?.mountPoint;
      if (path !== undefined) host.remountFromOutside(path, random.is(0.5) ? ['ro', 'nosuid', 'nodev'] : ['rw']);
    },
    detachLoop: () => {
      const device = random.pick([...host.loops.keys()].filter((each) => machine.isIdle(each)));
      if (device !== undefined) host.loops.delete(device);
    },
    takeLoop: () => machine.takeLoop(random.pick([...host.loops.keys()])),
    removeImage: () => machine.takeImageAside(random.pick([...host.imageFiles.keys()]) ?? '', false),
    replaceImage: () => machine.takeImageAside(random.pick([...host.imageFiles.keys()]) ?? '', true),
    restoreImage: () => machine.restoreImage(),
    ...networkActs(machine),
  };
  acts[act]();
}

/** On the storage network, and by an admin of this machine who has LUNs of the same target for himself. */
function networkActs({ host, random, target, unscanned }: Machine): Pick<Record<AdminAct, () => void>, NetworkAct> {
  const portal = random.pick(network.portals) ?? '';
  return {
    portal: () => target.portals.set(portal, random.is(0.5) ? 'up' : 'down'),
    iscsiLogin: () => {
      const isThere = [...host.iscsi.sessions.values()].some(({ way }) => way.portal === portal);
      if (isThere) return;
      const scans = random.is(0.5);
      const id = host.iscsi.loginFromOutside(network.iqn, portal, { scans });
      if (!scans) unscanned.add(id);
    },
    iscsiLogout: () => {
      // Under a mount it is refused by nothing, and ends the filesystem: that is not what is looked for here.
      const idle = [...host.iscsi.sessions].filter(([, { disks }]) =>
        [...disks.values()].every(({ devicePath }) => !host.isMounted(devicePath)),
      );
      const session = random.pick(idle);
      if (session !== undefined) host.iscsi.dropSession(session[0]);
    },
    staleNfs: () => {
      const mount = random.pick(host.mounts.filter(({ fsType }) => fsType === 'nfs4'));
      if (mount !== undefined) host.staleNfs.add(mount.mountPoint);
    },
  };
}

function umount(mount: MountInfo | undefined, { host }: Machine): void {
  if (mount !== undefined) host.umountFromOutside(mount.mountPoint);
}

/**
 * A stranger's tmpfs on an emptyDir of medium Memory, put there before ours was seen, cannot be told from ours: another
 * filesystem is used there.
 */
function mountForeign(path: string | undefined, { host }: Machine): void {
  if (path === undefined) return;
  host.mountFromOutside(path, path.endsWith('/mem') ? { fsType: 'fuse.sshfs' } : {});
}

/** Each pod writes to what it finds at its paths, as far as it may. */
function writeData(machine: Machine): void {
  const { host } = machine;
  for (const mount of host.mounts) {
    const isPods = mount.mountPoint.startsWith(`${layout.podsDir()}/`);
    if (!isPods || host.top(mount.mountPoint) !== mount || !mount.options.includes('rw') || machine.random.is(0.5))
      continue;
    const device = mount.fsType === 'devtmpfs' ? `/dev${mount.root}` : mount.source;
    const loop = host.loops.get(device);
    const written = loop?.image ?? lunBehind(device, machine)?.unit;
    if (written === undefined || loop?.readOnly === true) continue;
    const data = `data-${machine.written.size + 1}-${host.newId()}`;
    written.data = data;
    // A raw device holds what was written to it; a filesystem stays one.
    if (mount.fsType === 'devtmpfs') written.content = 'other';
    machine.written.set(written, data);
  }
}

async function calm(machine: Machine): Promise<void> {
  const { host, manifests } = machine;
  machine.faultPercent = 0;
  machine.disk.isRefusing = false;
  manifests.state = 'readable';
  for (const [name, file] of manifests.files) if (!file.isWhole) manifests.remove(name);
  // Nobody can tell a broken admin's mount from a wanted one: he takes it away himself.
  for (const mount of host.mounts) if (host.isForeign(mount)) host.replaceMount(mount, undefined);
  for (const portal of network.portals) machine.target.portals.set(portal, 'up');
  machine.giveLoopsBack();
  for (let tries = machine.aside.length; tries > 0; tries--) machine.restoreImage();
  machine.mendBroughtImages();
  if (machine.life?.core.reconciler.isDraining === true) machine.kill('kill');
  // At rest twice in a row is at rest; what is not gets all the time there is.
  let atRest = 0;
  for (let passed = 0; passed < calmMs && atRest < 2; passed += minuteMs) {
    await machine.advance(minuteMs);
    atRest = machine.wouldViolate(() => checkConverged(machine)) ? 0 : atRest + 1;
  }
  checkState(machine);
  checkConverged(machine);
}
