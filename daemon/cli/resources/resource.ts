import type {
  AswVolume,
  ClaimView,
  DswVolume,
  GetReplies,
  ManifestFile,
  NodeView,
  OperationView,
  PersistentVolumeView,
  PodView,
  RecordedEvent,
  ResourceKind,
  StatefulSetView,
  StorageClassView,
  TrashView,
  VolumeView,
} from '../../control/protocol.ts';
import type {
  VolumeSnapshotClassView,
  VolumeSnapshotContentView,
  VolumeSnapshotView,
} from '../../control/snapshot-views.ts';

/** What one item of each kind is. */
export interface Items {
  readonly pods: PodView;
  readonly statefulsets: StatefulSetView;
  readonly persistentvolumeclaims: ClaimView;
  readonly persistentvolumes: PersistentVolumeView;
  readonly storageclasses: StorageClassView;
  readonly volumesnapshots: VolumeSnapshotView;
  readonly volumesnapshotclasses: VolumeSnapshotClassView;
  readonly volumesnapshotcontents: VolumeSnapshotContentView;
  readonly nodes: NodeView;
  readonly volumes: VolumeView;
  readonly dsw: DswVolume;
  readonly asw: AswVolume;
  readonly operations: OperationView;
  readonly events: RecordedEvent;
  readonly manifests: ManifestFile;
  readonly trash: TrashView;
}

export interface Column<Item> {
  readonly header: string;
  /** '' is shown as `<none>`. */
  readonly cell: (item: Item, nowMs: number) => string;
  /** Shown with -o wide only. */
  readonly wide?: true;
  /** Its words are states: they get a color, and say `Deleted` when a watched item is gone. */
  readonly state?: true;
}

/** How moorctl names, finds and shows the items of one kind. */
export interface Resource<K extends ResourceKind> {
  readonly kind: K;
  readonly singular: string;
  /** What stands before the slash in `-o name`, with the API group as kubectl prints it. */
  readonly qualified: string;
  readonly aliases: readonly string[];
  readonly isNamespaced: boolean;
  /** Kubernetes objects can be listed together in one List and have labels; the rest are moored's own. */
  readonly isObject: boolean;
  /** The kind of `regarding` in events about it; '' when there are none. */
  readonly eventKind: string;
  readonly items: (reply: GetReplies[K]) => readonly Items[K][];
  /** The same reply around fewer items. */
  readonly withItems: (reply: GetReplies[K], items: readonly object[]) => object;
  /** What the reply says about the listing as a whole; '' when nothing. */
  readonly warning?: (reply: GetReplies[K]) => string;
  readonly nameOf: (item: Items[K]) => string;
  /** Tells items apart where the name does not. */
  readonly identityOf?: (item: Items[K]) => string;
  readonly namespaceOf: (item: Items[K]) => string;
  readonly columns: readonly Column<Items[K]>[];
}

export type Resources = { readonly [K in ResourceKind]: Resource<K> };
