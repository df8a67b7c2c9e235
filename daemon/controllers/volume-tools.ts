/**
 * What an administrator does to volumes by hand: undelete, release, adopt, recover. Each writes what upstream has people
 * edit (claimRef), or makes the object of data that is here; none touches data but undelete, which moves an image back.
 */
import { keyOf, objectKey } from '../api/meta.ts';
import { dataPathOf, type StoredPersistentVolume } from '../api/persistent-volume.ts';
import { annotations } from '../api/well-known.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventRecorder } from '../ports/events.ts';
import type { Images } from '../ports/images.ts';
import type { Logger } from '../ports/logger.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { InventorySidecar } from '../world/inventory.ts';
import { StorageError } from '../world/storage-error.ts';
import { pathBeforeTrash } from '../world/trash-name.ts';
import { type AdoptRequest, adoptedVolume, reservedFor } from './adopted-volume.ts';
import { type Recovered, recoveredVolume } from './recovered-volume.ts';

/** An image that no object accounts for, in its place or in the trash. */
export interface UnclaimedImage {
  readonly path: string;
  readonly isTrashed: boolean;
  readonly sidecar: InventorySidecar | undefined;
  /** Why it is left alone, such as a loop device on it; '' when nothing is in the way. */
  readonly obstacle: string;
}

export interface VolumeToolsOptions {
  readonly objects: ObjectStore;
  readonly images: Images;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly logger: Logger;
  readonly newUid: () => string;
  readonly unclaimedImages: () => Promise<readonly UnclaimedImage[]>;
  /** The record by which the trash is emptied is not wanted any more. */
  readonly onRestored: (trashed: string) => void;
}

export interface ToolResult {
  readonly subject: string;
  readonly state: 'planned' | 'done' | 'kept';
  readonly message: string;
}

export class VolumeTools {
  readonly #options: VolumeToolsOptions;

  constructor(options: VolumeToolsOptions) {
    this.#options = options;
  }

  /** @param name of a volume, or the path of an image in the trash */
  async undelete(name: string): Promise<readonly ToolResult[]> {
    const { images, objects, onRestored } = this.#options;
    const action = `Cannot undelete "${name}"`;
    const found = (await this.#options.unclaimedImages()).filter(
      ({ path, isTrashed, sidecar }) => isTrashed && (path === name || sidecar?.volumeHandle === name),
    );
    const [image, second] = found;
    if (image === undefined) throw refusal(`${action}: it is not in the trash`, 'NotFound');
    if (second !== undefined) {
      throw refusal(`${action}: there are ${found.length}: ${found.map(({ path }) => path).join(', ')}`);
    }
    if (image.obstacle !== '') throw refusal(`${action}: ${image.obstacle}`);
    const place = pathBeforeTrash(image.path) ?? '';
    const volume = required(this.#recovered(image, place), action);
    // The image first: cut off here, it is found by `recover`, and no claim has met a volume without its data.
    const restored = images.restore(image.path, image.sidecar?.volumeHandle ?? '');
    objects.create(volume);
    onRestored(image.path);
    const message = `its data is "${restored}" again; ${keptFor(volume)}`;
    return this.#done(volume, 'VolumeUndeleted', message);
  }

  /** Removes the reservation of a volume that nobody has any more, as an administrator would by editing it. */
  async release(name: string): Promise<readonly ToolResult[]> {
    const action = `Cannot release volume "${name}"`;
    const volume = this.#volume(name, action);
    const phase = volume.status?.phase ?? 'Pending';
    const isReserved = phase === 'Available' && volume.spec.claimRef !== undefined;
    if (phase !== 'Released' && phase !== 'Failed' && !isReserved) {
      throw refusal(`${action}: it is ${phase}, wanted Released`);
    }
    this.#requireKept(volume, action);
    const { claimRef, ...spec } = volume.spec;
    const { [annotations.boundByController]: _, ...notes } = volume.metadata.annotations ?? {};
    this.#options.objects.update({ ...volume, metadata: { ...volume.metadata, annotations: notes }, spec });
    const message = `claim ${claimRef?.namespace}/${claimRef?.name} has it no more: any claim that it fits may take it`;
    return this.#done(volume, 'VolumeReleased', message);
  }

  /** Reserves a volume, or an image that is made one, for a claim by name. */
  async adopt(request: AdoptRequest): Promise<readonly ToolResult[]> {
    const { objects } = this.#options;
    const { namespace, name } = request.claim;
    const action = `Cannot adopt "${request.source}" for claim "${namespace}/${name}"`;
    const claim = objects.get(objectKey('PersistentVolumeClaim', namespace, name));
    if (claim?.kind === 'PersistentVolumeClaim' && claim.spec.volumeName !== undefined) {
      throw refusal(`${action}: it is bound to volume "${claim.spec.volumeName}" already`);
    }
    if (request.source.startsWith('/')) {
      const volume = await this.#adoptedImage(request, action);
      objects.create(volume);
      return this.#done(volume, 'VolumeAdopted', keptFor(volume));
    }
    const volume = this.#volume(request.source, action);
    if (volume.status?.phase === 'Bound') throw refusal(`${action}: it is bound to ${ownerOf(volume)}`);
    this.#requireKept(volume, action);
    const reserved = reservedFor(volume, request.claim);
    objects.update(reserved);
    return this.#done(volume, 'VolumeAdopted', keptFor(reserved));
  }

  /** Makes the objects of images that say what volumes they were: the state was lost, the data was not. */
  async recover(execute: boolean): Promise<readonly ToolResult[]> {
    const { objects } = this.#options;
    const images = (await this.#options.unclaimedImages()).filter(({ isTrashed }) => !isTrashed);
    const handles = images.map(({ sidecar }) => sidecar?.volumeHandle);
    const isTwin = (handle: string | undefined) => handles.filter((other) => other === handle).length > 1;
    const results = images.map((image): ToolResult => {
      const recovered = this.#recovered(image, image.path);
      if (recovered.kind === 'refused') return { subject: image.path, state: 'kept', message: recovered.reason };
      const { volume } = recovered;
      if (isTwin(image.sidecar?.volumeHandle)) {
        return {
          subject: image.path,
          state: 'kept',
          message: `another image says too that it is ${volume.metadata.name}`,
        };
      }
      const message = `volume ${volume.metadata.name}; ${keptFor(volume)}`;
      if (!execute) return { subject: image.path, state: 'planned', message };
      objects.create(volume);
      this.#tell(volume, 'VolumeRecovered', message);
      return { subject: image.path, state: 'done', message };
    });
    if (execute) await objects.durable();
    return results;
  }

  async #adoptedImage(request: AdoptRequest, action: string): Promise<StoredPersistentVolume> {
    const { objects, images } = this.#options;
    const path = request.source;
    const holder = objects.list('PersistentVolume').find(({ spec }) => dataPathOf(spec) === path);
    if (holder !== undefined) {
      throw refusal(`${action}: it is volume "${holder.metadata.name}": adopt pv/${holder.metadata.name}`);
    }
    const known = (await this.#options.unclaimedImages()).find((image) => image.path === path);
    if (known?.isTrashed === true) throw refusal(`${action}: it is in the trash: use moorctl undelete`);
    if (known?.obstacle !== undefined && known.obstacle !== '') throw refusal(`${action}: ${known.obstacle}`);
    const facts = images.stat(path);
    if (facts === undefined) throw refusal(`${action}: no such file`, 'NotFound');
    const recorded = known === undefined ? undefined : this.#recovered(known, path);
    if (recorded?.kind === 'volume') return reservedFor(recorded.volume, request.claim);
    const claim = objects.get(objectKey('PersistentVolumeClaim', request.claim.namespace, request.claim.name));
    const wanted = claim?.kind === 'PersistentVolumeClaim' ? claim : undefined;
    return adoptedVolume(request, { sizeBytes: facts.sizeBytes, claim: wanted }, this.#birth());
  }

  #recovered(image: UnclaimedImage, path: string): Recovered {
    const { images, objects } = this.#options;
    if (image.obstacle !== '') return { kind: 'refused', reason: image.obstacle };
    const facts = images.stat(image.path);
    if (facts === undefined) return { kind: 'refused', reason: 'there is a sidecar and no image' };
    const recovered = recoveredVolume({ path, sizeBytes: facts.sizeBytes, sidecar: image.sidecar }, this.#birth());
    if (recovered.kind === 'refused' || objects.get(keyOf(recovered.volume)) === undefined) return recovered;
    return { kind: 'refused', reason: `volume "${recovered.volume.metadata.name}" exists already` };
  }

  #volume(name: string, action: string): StoredPersistentVolume {
    const volume = this.#options.objects.get(objectKey('PersistentVolume', '', name));
    if (volume?.kind === 'PersistentVolume') return volume;
    throw refusal(`${action}: no such volume`, 'NotFound');
  }

  /** What is to be deleted may be on its way into the trash at this moment. */
  #requireKept({ spec, metadata }: StoredPersistentVolume, action: string): void {
    if (metadata.deletionTimestamp !== undefined) throw refusal(`${action}: it is being deleted`);
    if (spec.persistentVolumeReclaimPolicy === 'Delete' && spec.claimRef !== undefined) {
      throw refusal(`${action}: its reclaim policy is Delete: it goes to the trash, use moorctl undelete then`);
    }
  }

  #birth(): { readonly uid: string; readonly now: string } {
    return { uid: this.#options.newUid(), now: this.#options.clock.timestamp() };
  }

  async #done(
    volume: StoredPersistentVolume,
    reason: 'VolumeUndeleted' | 'VolumeReleased' | 'VolumeAdopted',
    message: string,
  ): Promise<readonly ToolResult[]> {
    await this.#options.objects.durable();
    this.#tell(volume, reason, message);
    return [{ subject: `pv/${volume.metadata.name}`, state: 'done', message }];
  }

  #tell(
    volume: StoredPersistentVolume,
    reason: 'VolumeUndeleted' | 'VolumeReleased' | 'VolumeAdopted' | 'VolumeRecovered',
    message: string,
  ): void {
    const { events, logger } = this.#options;
    logger.info('volume changed by hand', { volume: volume.metadata.name, reason, message });
    events.record({ reason, regarding: keyOf(volume), message });
  }
}

function required(recovered: Recovered, action: string): StoredPersistentVolume {
  if (recovered.kind === 'volume') return recovered.volume;
  throw refusal(`${action}: ${recovered.reason}`);
}

function ownerOf({ spec: { claimRef } }: StoredPersistentVolume): string {
  return `claim ${claimRef?.namespace}/${claimRef?.name}`;
}

function keptFor(volume: StoredPersistentVolume): string {
  return `${ownerOf(volume)} finds it`;
}

function refusal(message: string, code: 'FailedPrecondition' | 'NotFound' = 'FailedPrecondition'): StorageError {
  return new StorageError(message, { code });
}
