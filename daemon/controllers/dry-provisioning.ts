import { dataSourceOf } from '../api/claim-data-source.ts';
import { keyOf } from '../api/meta.ts';
import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { StoredStorageClass } from '../api/storage-class.ts';
import type { ProvisionEffects } from './claim-controller.ts';
import type { NodeExpansion } from './claim-world.ts';
import { newPersistentVolume } from './new-persistent-volume.ts';
import type { ProvisioningOptions } from './provisioning.ts';
import { removeDeletedVolume } from './removed-volume.ts';
import { withoutClaim } from './unbind.ts';
import { expandableImage, writeGrownCapacity } from './volume-expansion.ts';
import { recyclableDirectory } from './volume-recycling.ts';

interface DryStep {
  readonly kind: string;
  readonly subject: string;
  readonly reason: string;
  readonly destructive: boolean;
}

/** Provisioning that only says what it would do, and writes the object that would come of it. */
export class DryProvisioning implements ProvisionEffects {
  readonly steps: DryStep[] = [];
  readonly #options: Pick<ProvisioningOptions, 'objects' | 'plugins' | 'layout' | 'clock' | 'newUid' | 'hostname'>;

  constructor(options: Pick<ProvisioningOptions, 'objects' | 'plugins' | 'layout' | 'clock' | 'newUid' | 'hostname'>) {
    this.#options = options;
  }

  canProvision(provisioner: string): boolean {
    return this.#options.plugins.some((plugin) => plugin.name === provisioner && plugin.provision !== undefined);
  }

  /** Whether there is room is found out when it is done. */
  freeBytes(): undefined {
    return undefined;
  }

  isInUse(): boolean {
    return false;
  }

  canExpand(volume: StoredPersistentVolume): boolean {
    return expandableImage(volume, this.#options.plugins) !== undefined;
  }

  /** What is to be grown on this machine is the planner's to say. */
  nodeExpansion(): NodeExpansion {
    return { expandedBytes: 0n, isRunning: false };
  }

  expand(claim: StoredPersistentVolumeClaim, volume: StoredPersistentVolume, storage: string): Promise<void> {
    const { objects, plugins } = this.#options;
    const reason = `claim ${claim.metadata.namespace}/${claim.metadata.name} asks for ${storage}`;
    const subject = expandableImage(volume, plugins)?.path ?? volume.metadata.name;
    this.steps.push({ kind: 'growImage', subject, reason, destructive: false });
    writeGrownCapacity(objects, { claim, volume, storage });
    return Promise.resolve();
  }

  provision(claim: StoredPersistentVolumeClaim, storageClass: StoredStorageClass): Promise<void> {
    const { plugins, layout, clock, objects, newUid, hostname } = this.#options;
    const plugin = plugins.find(({ name }) => name === storageClass.spec.provisioner);
    const now = clock.timestamp();
    const made = plugin?.provision?.({ claim, storageClass, now, hostname }, layout);
    if (plugin === undefined || made === undefined) return Promise.resolve();
    const reason = `claim ${claim.metadata.namespace}/${claim.metadata.name}`;
    const creation = made.image.sidecar.content === 'directory' ? 'createDirectory' : 'createImage';
    const kind = dataSourceOf(claim.spec) === undefined ? creation : 'copyImage';
    this.steps.push({ kind, subject: made.image.path, reason, destructive: false });
    objects.create(newPersistentVolume(claim, made, { uid: newUid(), now, provisioner: plugin.name }));
    return Promise.resolve();
  }

  canRecycle(volume: StoredPersistentVolume): boolean {
    return recyclableDirectory(volume) !== undefined;
  }

  recycle(volume: StoredPersistentVolume): Promise<void> {
    const subject = recyclableDirectory(volume) ?? volume.metadata.name;
    this.steps.push({ kind: 'emptyDirectory', subject, reason: 'reclaim policy Recycle', destructive: true });
    const current = this.#options.objects.get(keyOf(volume));
    if (current?.kind === 'PersistentVolume') this.#options.objects.update(withoutClaim(current));
    return Promise.resolve();
  }

  delete({ metadata: { name } }: StoredPersistentVolume): Promise<void> {
    this.steps.push({ kind: 'trashImage', subject: name, reason: 'reclaim policy Delete', destructive: true });
    removeDeletedVolume(this.#options.objects, name, this.#options.clock.timestamp());
    return Promise.resolve();
  }
}
