import type { ObjectKey } from '../../daemon/api/meta.ts';
import { ClaimCache } from '../../daemon/controllers/claim-cache.ts';
import type { ProvisionEffects } from '../../daemon/controllers/claim-controller.ts';
import { nextClaimStep } from '../../daemon/controllers/claim-step.ts';
import { type ControlEvent, type ControlStep, claimWorldOf } from '../../daemon/controllers/claim-world.ts';
import { nextVolumeStep } from '../../daemon/controllers/volume-step.ts';
import type { Nodes } from '../../daemon/plan/this-node.ts';
import type { Clock } from '../../daemon/ports/clock.ts';
import type { EventRecorder } from '../../daemon/ports/events.ts';
import type { ObjectStore } from '../../daemon/ports/object-store.ts';
import { asStorageError } from '../../daemon/world/storage-error.ts';

interface SingleSyncOptions {
  readonly objects: ObjectStore;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly provisioning: ProvisionEffects;
  readonly nodes: () => Nodes;
  readonly isHere: (podUid: string) => boolean;
  readonly ignoresFinishedPods: boolean;
}

/**
 * Upstream's syncClaim and syncVolume: the pure steps of one object until it rests, with the operation that it starts.
 * What its writes mean for other objects is not looked at, as in upstream's tables.
 */
export class SingleSync {
  readonly #options: SingleSyncOptions;
  readonly #failures = new Map<ObjectKey, ControlEvent>();

  constructor(options: SingleSyncOptions) {
    this.#options = options;
  }

  async sync(key: ObjectKey): Promise<void> {
    let isTried = false;
    for (;;) {
      const step = this.#next(key);
      if (step === undefined || step.kind === 'settled') return;
      if (step.kind === 'write') this.#options.objects.update(step.object);
      else if (step.kind === 'writeTogether') for (const object of step.objects) this.#options.objects.update(object);
      else if (step.kind === 'remove') this.#options.objects.remove(step.key, step.resourceVersion);
      else if (step.kind === 'wait') {
        this.#tell(key, step);
        return;
      } else if (isTried) return;
      else {
        isTried = true;
        await this.#perform(key, step);
      }
    }
  }

  #next(key: ObjectKey): ControlStep | undefined {
    const { objects, clock, provisioning, nodes, isHere, ignoresFinishedPods } = this.#options;
    const cache = new ClaimCache();
    cache.refresh(objects);
    const world = claimWorldOf(objects, cache, {
      now: clock.timestamp(),
      nodes: nodes(),
      isHere,
      ignoresFinishedPods,
      freeBytes: (storageClass) => provisioning.freeBytes(storageClass),
      canProvision: (provisioner) => provisioning.canProvision(provisioner),
      canExpand: (volume) => provisioning.canExpand(volume),
      canRecycle: (volume) => provisioning.canRecycle(volume),
      isInUse: (volume) => provisioning.isInUse(volume),
      nodeExpansion: (volume) => provisioning.nodeExpansion(volume),
      failureOf: (failed) => this.#failures.get(failed),
    });
    const object = objects.get(key);
    if (object?.kind === 'PersistentVolumeClaim') return nextClaimStep(object, world);
    return object?.kind === 'PersistentVolume' ? nextVolumeStep(object, world) : undefined;
  }

  async #perform(key: ObjectKey, step: ControlStep): Promise<void> {
    const { provisioning } = this.#options;
    const isWanted = () => this.#next(key)?.kind === step.kind;
    try {
      if (step.kind === 'provision') await provisioning.provision(step.claim, step.storageClass);
      if (step.kind === 'expand') await provisioning.expand(step.claim, step.volume, step.storage);
      if (step.kind === 'delete') await provisioning.delete(step.volume, isWanted);
      if (step.kind === 'recycle') await provisioning.recycle(step.volume, isWanted);
    } catch (thrown) {
      const error = asStorageError(thrown, `Cannot serve "${key}"`);
      const reason = failureReasons[step.kind] ?? 'ProvisioningFailed';
      this.#failures.set(key, { reason, message: error.message, error });
      this.#tell(key, { reason, message: error.message, error });
    }
  }

  #tell(key: ObjectKey, { reason, message, type }: ControlEvent): void {
    this.#options.events.record({ reason, regarding: key, message, ...(type === undefined ? {} : { type }) });
  }
}

const failureReasons: Readonly<Record<string, ControlEvent['reason']>> = {
  provision: 'ProvisioningFailed',
  expand: 'VolumeResizeFailed',
  delete: 'VolumeFailedDelete',
  recycle: 'VolumeFailedRecycle',
};
