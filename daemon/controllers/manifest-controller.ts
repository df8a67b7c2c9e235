import { keyOf, kinds } from '../api/meta.ts';
import type { DeclaredObject, StoredObject } from '../api/object.ts';
import { annotations } from '../api/well-known.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventRecorder } from '../ports/events.ts';
import type { Logger } from '../ports/logger.ts';
import type { ManifestListing, ManifestProblem, ManifestState } from '../ports/manifest-source.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { StateStore } from '../ports/state-store.ts';
import type { ReasonCode } from '../world/reasons/reason-table.ts';
import { mergeManifests } from './manifest-merge.ts';
import { ManifestSecrets } from './manifest-secrets.ts';
import { born } from './object-birth.ts';

export interface ManifestControllerOptions {
  readonly objects: ObjectStore;
  readonly state: StateStore;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly logger: Logger;
  readonly newUid: () => string;
}

/** Takes what the manifest source sees into the store: the one writer of declared specs and of object births. */
export class ManifestController {
  readonly secrets = new ManifestSecrets();
  readonly #options: ManifestControllerOptions;
  #state: ManifestState | undefined;
  /** The last listing that was taken: not one of a directory that is not ours, nor one that could not be read. */
  #merged: ManifestListing | undefined;
  #refused: readonly ManifestProblem[] = [];
  #isComplete = false;
  #waitsForAnEnd = false;

  constructor(options: ManifestControllerOptions) {
    this.#options = options;
  }

  /** True once a whole listing was merged: from then on what is not declared is known to be gone. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  get state(): ManifestState | undefined {
    return this.#state;
  }

  /** Declarations that were understood and not taken: conflicts, forbidden changes. */
  get refused(): readonly ManifestProblem[] {
    return this.#refused;
  }

  take(state: ManifestState): void {
    const before = this.#state;
    this.#state = state;
    if (state.kind === 'unreadable') {
      this.#report('ManifestsUnreadable', state.problem, 'Manifests');
      return;
    }
    this.#reportFiles(state.listing, before);
    if (this.#isSourceMissing(state.listing)) return;
    this.#merge(state.listing);
    this.#isComplete = true;
  }

  /** Objects changed: one that a file declares anew may have come to its end. */
  objectsChanged(): void {
    if (this.#waitsForAnEnd && this.#merged !== undefined) this.#merge(this.#merged);
  }

  #merge(listing: ManifestListing): void {
    const { objects, state } = this.#options;
    this.#merged = listing;
    const refused: ManifestProblem[] = [];
    const told = new Set(this.#refused.map(({ message }) => message));
    this.#waitsForAnEnd = false;
    this.secrets.take(listing);
    for (const action of mergeManifests(this.#allObjects(), listing)) {
      switch (action.kind) {
        case 'create':
          objects.create(this.#newObject(action.object, action.file));
          break;
        case 'update':
          objects.update(action.object);
          break;
        case 'delete':
          this.#delete(action.object);
          break;
        case 'wait':
          this.#waitsForAnEnd = true;
          break;
        case 'refuse':
          refused.push(action.problem);
          if (!told.has(action.problem.message)) {
            this.#report(action.reason, action.problem, `Manifest/${action.problem.file}`);
          }
      }
    }
    this.#refused = refused;
    if (state.entries('daemon').get('manifestDirectory') !== listing.directoryId) {
      state.put('daemon', 'manifestDirectory', listing.directoryId);
    }
  }

  /**
   * An empty directory that is not the one read before (an /etc that is not mounted yet, a wrong option) proves nothing:
   * what was declared stays in force. The same directory, empty, is a user who removed the last file.
   */
  #isSourceMissing(listing: ManifestListing): boolean {
    const known = this.#options.state.entries('daemon').get('manifestDirectory');
    const isMissing = listing.files.length === 0 && known !== undefined && known !== listing.directoryId;
    if (isMissing) {
      const message = 'the manifest directory is another one than before, and empty: what was declared stays in force';
      this.#report('SourceMissing', { file: '', message }, 'Manifests');
    }
    return isMissing;
  }

  #delete(object: StoredObject): void {
    const { objects, clock, logger } = this.#options;
    logger.info('object deleted', { object: keyOf(object) });
    const waits = (object.metadata.finalizers ?? []).length > 0;
    if (!waits) objects.remove(keyOf(object), object.metadata.resourceVersion);
    else {
      const metadata = { ...object.metadata, deletionTimestamp: clock.timestamp() };
      objects.update({ ...object, metadata });
    }
  }

  #newObject(declared: DeclaredObject, file: string): StoredObject {
    const { clock, newUid, logger } = this.#options;
    const metadata = {
      ...declared.metadata,
      annotations: { ...declared.metadata.annotations, [annotations.manifest]: file },
    };
    const birth = { uid: newUid(), now: clock.timestamp() };
    const object = born({ ...declared, metadata }, birth);
    logger.info('object declared', { object: keyOf(object), uid: object.metadata.uid, file });
    return object;
  }

  #allObjects(): readonly StoredObject[] {
    const { objects } = this.#options;
    return kinds.flatMap((kind): readonly StoredObject[] => objects.list(kind));
  }

  /** One event for each file that turned bad, or is bad in another way. */
  #reportFiles(listing: ManifestListing, before: ManifestState | undefined): void {
    const old = new Map(before?.kind === 'listing' ? before.listing.files.map((file) => [file.name, file]) : []);
    for (const file of listing.files) {
      const { problems = [], warnings = [] } = old.get(file.name) ?? {};
      const known = new Set([...problems, ...warnings].map(({ message }) => message));
      const isNew = ({ message }: ManifestProblem) => !known.has(message);
      const regarding = `Manifest/${file.name}`;
      for (const problem of file.problems.filter(isNew)) this.#report('ManifestRejected', problem, regarding);
      for (const warning of file.warnings?.filter(isNew) ?? []) this.#report('FieldNotBelieved', warning, regarding);
    }
  }

  #report(reason: ReasonCode, problem: ManifestProblem, regarding: string): void {
    const { events, logger } = this.#options;
    const { file, document, line, path, message } = problem;
    const place = [
      file,
      document === undefined ? '' : `document ${document}`,
      line === undefined ? '' : `line ${line}`,
      path ?? '',
    ];
    const text = [...place.filter((part) => part !== ''), message].join(': ');
    logger.warn('manifest not taken', { reason, file, problem: text });
    events.record({ reason, regarding, message: text });
  }
}
