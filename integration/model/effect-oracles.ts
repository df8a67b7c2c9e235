/** What must hold at the moment of each effect: the intent is durable, nobody wants what is taken away, no data is lost. */
import { keyOf } from '../../daemon/api/meta.ts';
import { isTerminated, type StoredPod } from '../../daemon/api/pod.ts';
import type { Core } from '../../daemon/core.ts';
import type { IscsiLogin, IscsiSession } from '../../daemon/ports/iscsi-initiator.ts';
import type { LogFields } from '../../daemon/ports/logger.ts';
import type { UniqueVolumeName } from '../../daemon/world/unique-volume-name.ts';
import { imagePathOf, sameRecipe } from '../../daemon/world/volume-recipe.ts';
import type { VolumeRecord } from '../../daemon/world/volume-record.ts';
import type { PortCall } from '../support/port-calls.ts';
import { type EffectWatcher, layout, type Machine } from './machine.ts';
import { wrongDiskRemoval, wrongLogout } from './network-oracles.ts';

type Check = (args: readonly unknown[], core: Core) => string | undefined;

export class EffectOracles implements EffectWatcher {
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  before(call: PortCall): void {
    const core = this.#machine.life?.core;
    const check = this.#checks[`${call.port}.${call.method}`];
    if (core === undefined || check === undefined) return;
    const wrong = check(call.args, core);
    if (wrong !== undefined) this.#machine.violation(wrong);
  }

  after(call: PortCall): void {
    if (call.port !== 'loopDevices') return;
    const images = [...this.#machine.host.loops.values()].map(({ image }) => image);
    if (new Set(images).size < images.length) this.#machine.violation('two loop devices on one image');
  }

  logged(core: Core, message: string, fields: LogFields = {}): void {
    const { object, volume, pod } = fields;
    if (message === 'object deleted') this.#assertMayGo(String(object));
    if (message === 'unmountVolume started') this.#assertMayUnmount(core, String(volume), String(pod));
    if (message === 'pod released') this.#assertNothingLeft(String(fields['uid']));
  }

  /** By port and method; a call without a line here has no oracle of its own. */
  readonly #checks: Readonly<Record<string, Check>> = {
    'mounter.mountDevice': ([request]) => {
      const { target } = request as { target: string };
      const record = this.#records().find(({ recipe }) => recipe.globalMountPath === target);
      return record === undefined ? `no durable intent for the device mount at ${target}` : undefined;
    },
    'mounter.bind': ([request]) => this.#unrecordedTarget(request as { target: string }),
    'mounter.mountTmpfs': ([request]) => this.#unrecordedTarget(request as { target: string }),
    'mounter.unmount': ([target], core) => this.#wrongUnmount(String(target), core),
    'loopDevices.attach': ([path]) => {
      const records = this.#records().filter(({ recipe }) => imagePathOf(recipe) === path);
      const isIntended = records.some(({ isAttachUncertain }) => isAttachUncertain === true);
      return isIntended ? undefined : `no durable intent to attach ${String(path)}`;
    },
    'filesystems.make': ([device]) => {
      // A record of before may name a device that has been given to another volume since.
      const records = this.#records().filter(({ attached }) => attached?.devicePath === device);
      const isIntended = records.some(({ format }) => format?.state === 'started');
      return isIntended ? undefined : `no durable intent to format ${String(device)}`;
    },
    'nfs.mount': ([request]) => this.#unrecordedTarget(request as { target: string }),
    // What the server knows no more is made anew.
    'nfs.unmount': ([target], core) =>
      this.#machine.host.staleNfs.has(String(target)) ? undefined : this.#wrongUnmount(String(target), core),
    'iscsi.login': ([login]) => this.#unrecordedPath((login as IscsiLogin).portal),
    'iscsi.scan': ([session, lun]) => this.#unrecordedScan(session as IscsiSession, Number(lun)),
    'iscsi.logout': ([, session], core) => wrongLogout((session as IscsiSession).id, core),
    'iscsi.removeDisk': ([, lun], core) => wrongDiskRemoval(Number(lun), core),
    'directories.removeTree': ([path], core) =>
      isPathOfRunning(core, String(path)) ? undefined : `removed ${String(path)}, which no operation takes down`,
    'images.remove': ([path, handle], core) => this.#wrongImageRemoval(String(path), String(handle), core),
    'images.moveToTrash': ([path], core) => {
      const uid = this.#machine.host.imageFiles.get(String(path))?.sidecar?.claim?.uid;
      const claim = core.objects.list('PersistentVolumeClaim').find(({ metadata }) => metadata.uid === uid);
      return claim === undefined ? undefined : `the image ${String(path)} of a living claim goes to the trash`;
    },
  };

  #records(): readonly VolumeRecord[] {
    const records = [...this.#machine.disk.durable('volumes').values()] as VolumeRecord[];
    return records.filter(({ retired }) => retired !== true);
  }

  #unrecordedTarget({ target }: { readonly target: string }): string | undefined {
    const isKnown = this.#records().some(({ pods }) =>
      Object.values(pods).some(({ targetPath }) => targetPath === target),
    );
    return isKnown ? undefined : `no durable intent for the mount at ${target}`;
  }

  #unrecordedPath(portal: string): string | undefined {
    const isKnown = this.#records().some(({ iscsi }) => iscsi?.paths.some((path) => path.portal === portal));
    return isKnown ? undefined : `no durable intent to log in at ${portal}`;
  }

  #unrecordedScan({ id }: IscsiSession, lun: number): string | undefined {
    const portal = this.#machine.host.iscsi.sessions.get(id)?.way.portal;
    const isKnown = this.#records().some(({ iscsi, recipe: { attachment } }) => {
      const isItsLun = attachment?.kind === 'iscsi' && attachment.lun === lun;
      return isItsLun && iscsi?.paths.some((path) => path.portal === portal) === true;
    });
    return isKnown || portal === undefined ? undefined : `no durable intent to look for LUN ${lun} at ${portal}`;
  }

  #wrongUnmount(target: string, core: Core): string | undefined {
    const { host } = this.#machine;
    if (!isPathOfRunning(core, target)) return `unmounted ${target}, which no operation takes down`;
    const top = host.top(target);
    if (top === undefined || !target.endsWith('/globalmount')) return undefined;
    const binds = host.mounts.filter((mount) => mount.device === top.device && mount.mountPoint !== target);
    const ours = binds.filter((mount) => mount.mountPoint.startsWith(layout.podsDir()) && !host.isForeign(mount));
    return ours.length === 0 ? undefined : `unmounted the device at ${target} under ${ours[0]?.mountPoint}`;
  }

  #wrongImageRemoval(path: string, handle: string, core: Core): string | undefined {
    const image = this.#machine.host.imageFiles.get(path);
    if (image?.sidecar?.volumeHandle !== handle) return undefined;
    const { pod: owner, claim } = image.sidecar;
    if (claim !== undefined) return `the image ${path} of a claim was unlinked`;
    const pod = core.objects.list('Pod').find(({ metadata }) => metadata.uid === owner?.uid);
    const isIts = (name: string): boolean => path.endsWith(`.${name}-${owner?.uid}.img`);
    const volumes = pod === undefined || isTerminated(pod) ? [] : (pod.spec.volumes ?? []);
    const isWanted = volumes.some(({ name, csi }) => csi !== undefined && isIts(name));
    return isWanted ? `the image ${path} of a living pod was unlinked` : undefined;
  }

  /** An object goes only when no file that may declare it is there. */
  #assertMayGo(object: string): void {
    const { manifests } = this.#machine;
    for (const [name, { declares, keeps }] of manifests.files) {
      if (declares.has(object) || keeps.has(object))
        this.#machine.violation(`${object} deleted, but ${name} declares it`);
    }
  }

  #assertMayUnmount(core: Core, volume: string, uid: string): void {
    const { dsw, isDraining } = core.reconciler;
    const recorded = core.asw.get(volume as UniqueVolumeName)?.record.pods[uid];
    const pod = core.objects.list('Pod').find(({ metadata }) => metadata.uid === uid);
    if (isDraining || recorded === undefined || pod === undefined || isTerminated(pod)) return;
    const desired = dsw.volumes.get(volume as UniqueVolumeName)?.pods.get(uid);
    if (desired !== undefined && !sameRecipe(desired.mount, recorded.mount)) return;
    const kept = namesOf(pod).filter((name) => recorded.outerNames.includes(name));
    // A claim that was deleted and made anew has another volume: that one is its name's now.
    const isAnother = [...dsw.volumes.values()].some(({ pods }) =>
      pods.get(uid)?.outerNames.some((name) => kept.includes(name)),
    );
    if (desired === undefined && (kept.length === 0 || isAnother)) return;
    this.#machine.violation(`${keyOf(pod)} (${uid}) still wants ${volume}, which is unmounted`);
  }

  #assertNothingLeft(uid: string): void {
    const dir = `${layout.podDir(uid)}/`;
    const { host } = this.#machine;
    const left = host.mounts.find((mount) => mount.mountPoint.startsWith(dir) && !host.isForeign(mount));
    if (left !== undefined) this.#machine.violation(`pod ${uid} released with a mount at ${left.mountPoint}`);
  }
}

function namesOf(pod: StoredPod): readonly string[] {
  return (pod.spec.volumes ?? []).map(({ name }) => name);
}

function isPathOfRunning(core: Core, path: string): boolean {
  return core.executor.running.some(({ operation }) => {
    const record = core.asw.get(operation.volumeName)?.record;
    if (operation.kind === 'unmountDevice') return record?.recipe.globalMountPath === path;
    return operation.kind === 'unmountVolume' && record?.pods[operation.podUid]?.targetPath === path;
  });
}
