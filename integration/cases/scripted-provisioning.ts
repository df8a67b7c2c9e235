/** The effects of a case, in memory: each call gives what the script says next, after what is injected before it. */
import { type ObjectKey, objectKey } from '../../daemon/api/meta.ts';
import type { StoredPersistentVolume } from '../../daemon/api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../../daemon/api/persistent-volume-claim.ts';
import { bytesOf, parseQuantity } from '../../daemon/api/quantity.ts';
import type { StoredStorageClass } from '../../daemon/api/storage-class.ts';
import type { ProvisionEffects } from '../../daemon/controllers/claim-controller.ts';
import type { NodeExpansion } from '../../daemon/controllers/claim-world.ts';
import { newPersistentVolume } from '../../daemon/controllers/new-persistent-volume.ts';
import { removeDeletedVolume } from '../../daemon/controllers/removed-volume.ts';
import { withoutClaim } from '../../daemon/controllers/unbind.ts';
import { writeGrownCapacity } from '../../daemon/controllers/volume-expansion.ts';
import { recyclableDirectory } from '../../daemon/controllers/volume-recycling.ts';
import type { ObjectStore } from '../../daemon/ports/object-store.ts';
import { StorageError } from '../../daemon/world/storage-error.ts';
import type { Injection, Operation, Result } from './case-format.ts';

interface ScriptedProvisioningOptions {
  readonly objects: ObjectStore;
  readonly script: readonly Result[];
  readonly inject: readonly Injection[];
  readonly inUse: ReadonlySet<string>;
  readonly free: string | undefined;
  readonly perform: (injection: Injection) => void;
  readonly now: () => string;
}

export class ScriptedProvisioning implements ProvisionEffects {
  readonly operations: string[] = [];
  readonly #options: ScriptedProvisioningOptions;
  readonly #script: Result[];
  readonly #inject: Injection[];

  constructor(options: ScriptedProvisioningOptions) {
    this.#options = options;
    this.#script = [...options.script];
    this.#inject = [...options.inject];
  }

  canProvision(provisioner: string): boolean {
    return provisioner === 'loop.moored.dev';
  }

  freeBytes(): bigint | undefined {
    const { free } = this.#options;
    return free === undefined ? undefined : bytesOf(parseQuantity(free));
  }

  isInUse({ metadata }: StoredPersistentVolume): boolean {
    return this.#options.inUse.has(metadata.name);
  }

  canExpand({ spec }: StoredPersistentVolume): boolean {
    return spec.csi !== undefined;
  }

  canRecycle(volume: StoredPersistentVolume): boolean {
    return recyclableDirectory(volume) !== undefined;
  }

  nodeExpansion(): NodeExpansion {
    return { expandedBytes: 0n, isRunning: false };
  }

  async provision(claim: StoredPersistentVolumeClaim, { metadata, spec }: StoredStorageClass): Promise<void> {
    await this.#begin('provision', claim.metadata.name);
    const { objects, now } = this.#options;
    const volumeName = `pvc-${claim.metadata.uid}`;
    if (objects.get(volumeKey(volumeName)) !== undefined) return;
    const made = {
      volumeName,
      image: { path: '', sidecar: {} as never },
      spec: {
        capacity: { storage: claim.spec.resources.requests.storage },
        accessModes: claim.spec.accessModes,
        storageClassName: metadata.name,
        persistentVolumeReclaimPolicy: spec.reclaimPolicy ?? 'Retain',
        csi: { driver: spec.provisioner, volumeHandle: volumeName },
      },
    } as const;
    const birth = { uid: `uid-${volumeName}`, now: now(), provisioner: spec.provisioner };
    objects.create(newPersistentVolume(claim, made, birth));
  }

  async expand(claim: StoredPersistentVolumeClaim, volume: StoredPersistentVolume, storage: string): Promise<void> {
    await this.#begin('expand', volume.metadata.name);
    writeGrownCapacity(this.#options.objects, { claim, volume, storage });
  }

  async delete({ metadata: { name } }: StoredPersistentVolume, isWanted: () => boolean): Promise<void> {
    await this.#begin('delete', name);
    if (!isWanted()) return;
    removeDeletedVolume(this.#options.objects, name, this.#options.now());
  }

  async recycle({ metadata: { name } }: StoredPersistentVolume, isWanted: () => boolean): Promise<void> {
    await this.#begin('recycle', name);
    if (!isWanted()) return;
    const { objects } = this.#options;
    const current = objects.get(volumeKey(name));
    if (current?.kind === 'PersistentVolume') objects.update(withoutClaim(current));
  }

  async #begin(op: Operation, name: string): Promise<void> {
    this.operations.push(`${op} ${name}`);
    await Promise.resolve();
    const injection = take(this.#inject, ({ before }) => before === op);
    if (injection !== undefined) this.#options.perform(injection);
    const result = take(this.#script, (scripted) => scripted.op === op)?.result ?? 'ok';
    if (result !== 'ok') throw new StorageError(result, { code: 'Internal' });
  }
}

function volumeKey(name: string): ObjectKey {
  return objectKey('PersistentVolume', '', name);
}

function take<T>(list: T[], is: (element: T) => boolean): T | undefined {
  const index = list.findIndex(is);
  return index < 0 ? undefined : list.splice(index, 1)[0];
}
