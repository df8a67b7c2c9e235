import { describe, expect, it } from 'vitest';
import { MemoryEventRecorder } from '../adapters/memory-event-recorder.ts';
import { MemoryStateStore } from '../adapters/memory-state-store.ts';
import { StateObjectStore } from '../adapters/state-object-store.ts';
import { keyOf, objectKey } from '../api/meta.ts';
import type { DeclaredObject, StoredObject } from '../api/object.ts';
import { claim, podUsing, storageClass, volume } from '../api/testing/storage-objects.ts';
import { annotations } from '../api/well-known.ts';
import type { Logger } from '../ports/logger.ts';
import type { ManifestFile } from '../ports/manifest-source.ts';
import { FakeClock } from '../ports/testing/fake-clock.ts';
import { ManifestController } from './manifest-controller.ts';
import { mergeManifests } from './manifest-merge.ts';

const ignore = (): void => {};
const logger: Logger = { info: ignore, warn: ignore, error: ignore, debug: ignore };

/** As a manifest has it: without what the daemon adds. */
function declared(object: StoredObject): DeclaredObject {
  const { name, namespace, labels } = object.metadata;
  const metadata = { name, namespace, ...(labels === undefined ? {} : { labels }) };
  const { status: _status, ...rest } = { status: undefined, ...object };
  return { ...rest, metadata };
}

const web = declared(podUsing('web', 'data'));
const data = declared(claim('data'));
const gold = declared(storageClass('gold'));

function file(name: string, objects: readonly DeclaredObject[] = []): ManifestFile {
  return { name, state: 'good', objects, ignored: [], problems: [] };
}

/** A file that cannot be read now, with what its last good version declared. */
function bad(name: string, objects: readonly DeclaredObject[] = [], message = 'bad indentation'): ManifestFile {
  return { ...file(name, objects), state: 'bad', problems: [{ file: name, line: 3, message }] };
}

class Machine {
  readonly state: MemoryStateStore;
  readonly objects: StateObjectStore;
  readonly clock = new FakeClock();
  readonly events = new MemoryEventRecorder(this.clock);
  readonly controller: ManifestController;

  constructor(state = new MemoryStateStore()) {
    this.state = state;
    this.objects = new StateObjectStore(state);
    let uids = state.entries('objects').size;
    const newUid = () => `made-${++uids}`;
    this.controller = new ManifestController({
      state,
      objects: this.objects,
      clock: this.clock,
      events: this.events,
      logger,
      newUid,
    });
  }

  take(files: readonly ManifestFile[], directoryId = '1:2'): this {
    this.controller.take({ kind: 'listing', listing: { files, directoryId } });
    return this;
  }

  /** "Kind/namespace/name uid", with "deleting" where it is. */
  get shown(): string[] {
    return [...this.state.entries('objects').values()].map((value) => {
      const { metadata, kind } = value as StoredObject;
      const deleting = metadata.deletionTimestamp === undefined ? '' : ' deleting';
      return `${keyOf({ kind, metadata })} ${metadata.uid}${deleting}`;
    });
  }

  get refused(): string[] {
    return this.controller.refused.map(({ file: name, message }) => `${name}: ${message}`);
  }

  get reasons(): string[] {
    return this.events.list().map(({ reason, regarding, count }) => `${reason} ${regarding} x${count}`);
  }

  get(object: DeclaredObject): StoredObject | undefined {
    return this.objects.get(keyOf(object));
  }

  /** What the finalizers' controllers do at the end of an object. */
  end(object: DeclaredObject): void {
    const current = this.get(object);
    if (current !== undefined) this.objects.remove(keyOf(current), current.metadata.resourceVersion);
    this.controller.objectsChanged();
  }
}

describe('manifests: birth and change', () => {
  it('makes an object of what is declared, with uid, generation, finalizers and its file', () => {
    const machine = new Machine().take([file('web.yaml', [gold, data, web])]);
    expect(machine.shown).toEqual([
      'StorageClass/gold made-1',
      'PersistentVolumeClaim/default/data made-2',
      'Pod/default/web made-3',
    ]);
    expect(machine.get(data)).toMatchObject({
      metadata: {
        generation: 1,
        creationTimestamp: machine.clock.timestamp(),
        finalizers: ['kubernetes.io/pvc-protection'],
        annotations: { [annotations.manifest]: 'web.yaml' },
      },
      spec: data.spec,
    });
    expect(machine.controller.isComplete).toBe(true);
  });

  it('writes nothing when nothing differs, whatever the order of keys', () => {
    const machine = new Machine().take([file('web.yaml', [data])]);
    const before = machine.get(data);
    const turned = { ...data, spec: Object.fromEntries(Object.entries(data.spec).reverse()) } as DeclaredObject;
    machine.take([file('web.yaml', [turned])]);
    expect(machine.get(data)).toBe(before);
  });

  it('takes a changed spec with a new generation, and changed labels without', () => {
    const machine = new Machine().take([file('web.yaml', [web])]);
    machine.take([file('web.yaml', [{ ...web, spec: { volumes: [] } } as DeclaredObject])]);
    expect(machine.get(web)).toMatchObject({ metadata: { generation: 2, uid: 'made-1' }, spec: { volumes: [] } });
    machine.take([
      file('web.yaml', [
        { ...web, metadata: { ...web.metadata, labels: { a: 'b' } }, spec: { volumes: [] } } as DeclaredObject,
      ]),
    ]);
    expect(machine.get(web)?.metadata).toMatchObject({ generation: 2, labels: { a: 'b' } });
    machine.take([file('web.yaml', [{ ...web, spec: { volumes: [] } } as DeclaredObject])]);
    expect(machine.get(web)?.metadata.labels).toBeUndefined();
  });

  it('ends a pod by its phase, and begins it again when the phase is taken out', () => {
    const machine = new Machine().take([file('web.yaml', [web])]);
    machine.take([file('web.yaml', [{ ...web, status: { phase: 'Succeeded' } } as DeclaredObject])]);
    expect(machine.get(web)).toMatchObject({ status: { phase: 'Succeeded' } });
    machine.take([file('web.yaml', [web])]);
    expect((machine.get(web) as { status?: { phase?: string } }).status?.phase).toBeUndefined();
  });

  it('keeps the uid of an object that moves to another file', () => {
    const machine = new Machine().take([file('a.yaml', [data, web])]);
    machine.take([file('a.yaml', [web]), file('b.yaml', [data])]);
    expect(machine.shown).toEqual(['PersistentVolumeClaim/default/data made-1', 'Pod/default/web made-2']);
    expect(machine.get(data)?.metadata.annotations?.[annotations.manifest]).toBe('b.yaml');
    machine.take([file('renamed.yaml', [web, data])]);
    expect(machine.shown).toEqual(['PersistentVolumeClaim/default/data made-1', 'Pod/default/web made-2']);
  });
});

describe('manifests: what binding wrote stays', () => {
  const boundClaim = (machine: Machine) => {
    const current = machine.get(data) as ReturnType<typeof claim>;
    machine.objects.update({
      ...current,
      metadata: {
        ...current.metadata,
        annotations: { ...current.metadata.annotations, [annotations.bindCompleted]: 'yes' },
      },
      spec: { ...current.spec, volumeName: 'one', storageClassName: 'gold' },
      status: { phase: 'Bound' },
    });
  };

  it('volumeName, class, annotations and status of a claim, through any edit', () => {
    const machine = new Machine().take([file('a.yaml', [data])]);
    boundClaim(machine);
    const before = machine.get(data);
    machine.take([file('a.yaml', [data])]);
    expect(machine.get(data)).toBe(before);
    machine.take([file('a.yaml', [{ ...data, metadata: { ...data.metadata, labels: { a: 'b' } } }])]);
    expect(machine.get(data)).toMatchObject({
      metadata: { labels: { a: 'b' }, generation: 1, annotations: { [annotations.bindCompleted]: 'yes' } },
      spec: { volumeName: 'one', storageClassName: 'gold' },
      status: { phase: 'Bound' },
    });
  });

  it('claimRef of a volume: the uid of a reservation, and all of what binding reserved', () => {
    const reserved = declared(volume('one', '1Gi', { claim: 'data' }));
    const free = declared(volume('two'));
    const machine = new Machine().take([file('a.yaml', [reserved, free])]);
    for (const [object, mark] of [
      [reserved, {}],
      [free, { [annotations.boundByController]: 'yes' }],
    ] as const) {
      const current = machine.get(object) as ReturnType<typeof volume>;
      machine.objects.update({
        ...current,
        metadata: { ...current.metadata, annotations: { ...current.metadata.annotations, ...mark } },
        spec: { ...current.spec, claimRef: { namespace: 'default', name: 'data', uid: 'u1' } },
      });
    }
    machine.take([file('a.yaml', [reserved, free])]);
    for (const object of [reserved, free]) {
      expect(machine.get(object)).toMatchObject({
        spec: { claimRef: { namespace: 'default', name: 'data', uid: 'u1' } },
      });
    }
    const { claimRef: _claimRef, ...spec } = reserved.spec as ReturnType<typeof volume>['spec'];
    machine.take([file('a.yaml', [{ ...reserved, spec } as DeclaredObject, free])]);
    expect((machine.get(reserved) as ReturnType<typeof volume>).spec.claimRef).toBeUndefined();
  });
});

describe('manifests: what cannot be changed', () => {
  it.each([
    [
      'limits of a claim',
      data,
      declared(
        claim('data', '1Gi', { spec: { resources: { requests: { storage: '1Gi' }, limits: { storage: '9Gi' } } } }),
      ),
      'resources.limits',
    ],
    [
      'access modes of a claim',
      data,
      declared(claim('data', '1Gi', { spec: { accessModes: ['ReadWriteMany'] } })),
      'accessModes',
    ],
    [
      'selector of a claim (B072)',
      data,
      declared(claim('data', '1Gi', { spec: { selector: { matchLabels: { tier: 'db' } } } })),
      'selector',
    ],
    [
      'attributes class of a claim (B072)',
      data,
      declared(claim('data', '1Gi', { spec: { volumeAttributesClassName: 'fast' } })),
      'volumeAttributesClassName',
    ],
    [
      'class of a claim, once it has one (B072)',
      declared(claim('data', '1Gi', { spec: { storageClassName: '' } })),
      declared(claim('data', '1Gi', { spec: { storageClassName: 'gold' } })),
      'storageClassName',
    ],
    [
      'class of a claim by its old annotation (B072)',
      data,
      { ...data, metadata: { ...data.metadata, annotations: { [annotations.betaStorageClass]: 'gold' } } },
      annotations.betaStorageClass,
    ],
    ['volume mode of a claim', data, declared(claim('data', '1Gi', { spec: { volumeMode: 'Block' } })), 'volumeMode'],
    ['provisioner of a class', gold, declared(storageClass('gold', { provisioner: 'other' })), 'provisioner'],
    ['parameters of a class', gold, declared(storageClass('gold', { parameters: { fsType: 'xfs' } })), 'parameters'],
    ['reclaim policy of a class', gold, declared(storageClass('gold', { reclaimPolicy: 'Delete' })), 'reclaimPolicy'],
    [
      'binding mode of a class (B070)',
      gold,
      declared(storageClass('gold', { volumeBindingMode: 'WaitForFirstConsumer' })),
      'volumeBindingMode',
    ],
    [
      'volume mode of a volume (B071)',
      declared(volume('one')),
      declared(volume('one', '1Gi', { spec: { volumeMode: 'Block' } })),
      'volumeMode',
    ],
    [
      'source of a volume',
      declared(volume('one')),
      declared(volume('one', '1Gi', { spec: { csi: { driver: 'x', volumeHandle: 'y' } } })),
      'csi',
    ],
  ])('%s: refused, the old declaration stays in force', (_name, before, after, field) => {
    const machine = new Machine().take([file('a.yaml', [before])]);
    const stored = machine.get(before);
    machine.take([file('a.yaml', [after])]);
    expect(machine.get(before)).toBe(stored);
    expect(machine.refused).toHaveLength(1);
    expect(machine.refused[0]).toContain(`"${field}" cannot be changed`);
    expect(machine.reasons).toEqual(['Forbidden Manifest/a.yaml x1']);
    machine.take([file('a.yaml', [after])]);
    expect(machine.reasons).toEqual(['Forbidden Manifest/a.yaml x1']);
    machine.take([file('a.yaml', [before])]);
    expect(machine.refused).toEqual([]);
  });

  it('topologies, mount options and growth of a class can (B070)', () => {
    const machine = new Machine().take([file('a.yaml', [gold])]);
    const after = declared(
      storageClass('gold', {
        ...{ allowVolumeExpansion: true, mountOptions: ['noatime'] },
        allowedTopologies: [{ matchLabelExpressions: [{ key: 'topology.kubernetes.io/zone', values: ['b'] }] }],
      }),
    );
    machine.take([file('a.yaml', [after])]);
    expect(machine.refused).toEqual([]);
    expect(machine.get(after)?.spec).toEqual(after.spec);
  });

  it('the class of a claim that had none can be given, once (B072)', () => {
    const machine = new Machine().take([file('a.yaml', [data])]);
    const after = declared(claim('data', '1Gi', { spec: { storageClassName: 'gold' } }));
    machine.take([file('a.yaml', [after])]);
    expect(machine.refused).toEqual([]);
    expect(machine.get(after)?.spec).toEqual(after.spec);
  });

  it('tells of a field that is not believed once, and takes the file', () => {
    const warning = { file: 'a.yaml', line: 4, path: 'status', message: 'not believed in a file' };
    const told = { ...file('a.yaml', [data]), warnings: [warning] };
    const machine = new Machine().take([told]).take([{ ...told, objects: [data, gold] }]);
    expect(machine.get(data)).toBeDefined();
    expect(machine.reasons).toEqual(['FieldNotBelieved Manifest/a.yaml x1']);
  });

  it('capacity, modes and reclaim policy of a volume can', () => {
    const machine = new Machine().take([file('a.yaml', [declared(volume('one'))])]);
    const after = declared(
      volume('one', '2Gi', { spec: { persistentVolumeReclaimPolicy: 'Delete', accessModes: ['ReadOnlyMany'] } }),
    );
    machine.take([file('a.yaml', [after])]);
    expect(machine.refused).toEqual([]);
    expect(machine.get(after)?.spec).toEqual(after.spec);
  });

  it('a volumeName that binding chose, to another', () => {
    const machine = new Machine().take([file('a.yaml', [declared(claim('data', '1Gi', { volume: 'one' }))])]);
    machine.take([file('a.yaml', [declared(claim('data', '1Gi', { volume: 'two' }))])]);
    expect(machine.refused[0]).toContain('"volumeName" cannot be changed');
  });
});

describe('manifests: one object in two files', () => {
  it('the file that had it first keeps it, the other is told', () => {
    const machine = new Machine().take([file('b.yaml', [web])]);
    const other = { ...web, spec: { volumes: [] } } as DeclaredObject;
    machine.take([file('a.yaml', [other]), file('b.yaml', [web])]);
    expect(machine.get(web)?.spec).toEqual(web.spec);
    expect(machine.refused).toEqual([
      'a.yaml: Pod/default/web is declared in "b.yaml" already: this declaration is not used',
    ]);
    expect(machine.reasons).toEqual(['Conflict Manifest/a.yaml x1']);
    machine.take([file('a.yaml', [other])]);
    expect(machine.get(web)).toMatchObject({ metadata: { uid: 'made-1' }, spec: { volumes: [] } });
    expect(machine.refused).toEqual([]);
  });

  it('of two new ones the file name that sorts first wins, in whatever order they are listed', () => {
    const other = { ...web, spec: { volumes: [] } } as DeclaredObject;
    const machine = new Machine().take([file('b.yaml', [other]), file('a.yaml', [web])]);
    expect(machine.get(web)?.metadata.annotations?.[annotations.manifest]).toBe('a.yaml');
    expect(machine.refused).toHaveLength(1);
  });

  it('declared twice in one file: the first counts', () => {
    const other = { ...web, spec: { volumes: [] } } as DeclaredObject;
    const machine = new Machine().take([file('a.yaml', [web, other])]);
    expect(machine.get(web)?.spec).toEqual(web.spec);
    expect(machine.refused).toHaveLength(1);
  });

  it('what the daemon made is neither taken over nor removed by a file', () => {
    const machine = new Machine();
    const made = machine.objects.create(volume('pvc-1', '1Gi', { marks: ['dynamic'] }));
    machine.take([file('a.yaml', [declared(volume('pvc-1', '9Gi'))])]);
    expect(machine.get(made)).toBe(made);
    expect(machine.refused).toEqual(['a.yaml: PersistentVolume/pvc-1 exists already and was made by moored itself']);
    machine.take([]);
    expect(machine.get(made)).toBe(made);
  });
});

describe('manifests: gone or only unreadable', () => {
  it('deletes what a good file no longer has, and what lost its file', () => {
    const machine = new Machine().take([file('a.yaml', [gold, web]), file('b.yaml', [data])]);
    machine.take([file('a.yaml', [gold])]);
    expect(machine.shown).toEqual([
      'StorageClass/gold made-1',
      'Pod/default/web made-2 deleting',
      'PersistentVolumeClaim/default/data made-3 deleting',
    ]);
  });

  it('removes at once what has no finalizer', () => {
    const machine = new Machine().take([file('a.yaml', [gold])]);
    expect(machine.take([file('a.yaml')]).shown).toEqual([]);
  });

  it('a bad file removes nothing of its own, with or without a good version before', () => {
    const machine = new Machine().take([file('a.yaml', [data, web])]);
    machine.take([bad('a.yaml', [data, web])]);
    machine.take([bad('a.yaml')]);
    expect(machine.shown).toEqual(['PersistentVolumeClaim/default/data made-1', 'Pod/default/web made-2']);
    expect(machine.reasons).toEqual(['ManifestRejected Manifest/a.yaml x1']);
    machine.take([file('a.yaml', [data])]);
    expect(machine.shown[1]).toContain('deleting');
  });

  it('removes nothing after a restart with a bad file', () => {
    const before = new Machine().take([file('a.yaml', [data, web])]);
    const after = new Machine(before.state).take([bad('a.yaml')]);
    expect(after.shown).toEqual(['PersistentVolumeClaim/default/data made-1', 'Pod/default/web made-2']);
  });

  it('a bad file keeps after a restart what was its, also when another file declares it and then does not', () => {
    const before = new Machine().take([file('a.yaml', [data])]);
    const after = new Machine(before.state).take([bad('a.yaml'), file('b.yaml', [data])]);
    expect(after.refused).toContain(
      'b.yaml: PersistentVolumeClaim/default/data is declared in "a.yaml" already: this declaration is not used',
    );
    after.take([bad('a.yaml'), file('b.yaml')]);
    expect(after.shown).toEqual(['PersistentVolumeClaim/default/data made-1']);
    after.take([file('b.yaml', [data])]);
    expect(after.get(data)?.metadata.annotations?.[annotations.manifest]).toBe('b.yaml');
    expect(after.take([file('b.yaml')]).shown).toEqual(['PersistentVolumeClaim/default/data made-1 deleting']);
  });

  it('a bad file may be where the object is now: a move that is half written deletes nothing', () => {
    const machine = new Machine().take([file('a.yaml', [data, web])]);
    const half = { ...bad('b.yaml'), words: ['data', 'kind', 'name', 'web'] };
    machine.take([file('a.yaml', [data]), half]);
    machine.take([half]);
    expect(machine.shown).toEqual(['PersistentVolumeClaim/default/data made-1', 'Pod/default/web made-2']);
    machine.take([file('b.yaml', [data, web])]);
    expect(machine.shown).toEqual(['PersistentVolumeClaim/default/data made-1', 'Pod/default/web made-2']);
  });

  it('a bad file that does not name the object holds nothing up', () => {
    const machine = new Machine().take([file('a.yaml', [web])]);
    machine.take([{ ...bad('b.yaml'), words: ['data'] }, bad('link.yaml')]);
    expect(machine.shown).toEqual(['Pod/default/web made-1 deleting']);
  });

  it('tells of a bad file once, and again when it is bad in another way', () => {
    const machine = new Machine().take([bad('a.yaml')]);
    machine.take([bad('a.yaml')]);
    expect(machine.events.list().map(({ message, count }) => `${message} x${count}`)).toEqual([
      'a.yaml: line 3: bad indentation x1',
    ]);
    machine.take([bad('a.yaml', [], 'unknown field')]);
    expect(machine.events.list()).toHaveLength(2);
  });

  it('an unreadable directory removes nothing and completes nothing', () => {
    const machine = new Machine();
    machine.controller.take({ kind: 'unreadable', problem: { file: '', message: 'permission denied' } });
    expect(machine.controller.isComplete).toBe(false);
    machine.take([file('a.yaml', [web])]);
    machine.controller.take({ kind: 'unreadable', problem: { file: '', message: 'permission denied' } });
    machine.controller.objectsChanged();
    expect(machine.shown).toEqual(['Pod/default/web made-1']);
    expect(machine.reasons).toEqual(['ManifestsUnreadable Manifests x2']);
  });

  it('another directory, empty, at start deletes nothing and completes nothing; its own, empty, deletes', () => {
    const { state } = new Machine().take([file('a.yaml', [web])]);
    const after = new Machine(state).take([], '9:9');
    expect(after.shown).toEqual(['Pod/default/web made-1']);
    expect(after.controller.isComplete).toBe(false);
    expect(after.reasons).toEqual(['SourceMissing Manifests x1']);
    after.controller.objectsChanged();
    expect(after.shown).toEqual(['Pod/default/web made-1']);
    after.take([], '1:2');
    expect(after.shown).toEqual(['Pod/default/web made-1 deleting']);
    expect(after.controller.isComplete).toBe(true);
  });

  it('another directory, empty, deletes nothing later either, when an object comes to its end', () => {
    const machine = new Machine().take([file('a.yaml', [web, data])]);
    // Deleted, and declared again while it ends: its end is waited for.
    machine.take([file('a.yaml', [data])]).take([file('a.yaml', [web, data])]);
    machine.take([], '9:9');
    machine.end(web);
    expect(machine.shown).toEqual(['PersistentVolumeClaim/default/data made-2', 'Pod/default/web made-3']);
  });

  it('another directory that has files is the new truth', () => {
    const { state } = new Machine().take([file('a.yaml', [web])]);
    const after = new Machine(state).take([file('b.yaml', [data])], '9:9');
    expect(after.shown).toEqual(['Pod/default/web made-1 deleting', 'PersistentVolumeClaim/default/data made-2']);
    expect(after.take([], '9:9').shown[1]).toContain('deleting');
  });

  it('an empty directory at the very first start is an empty directory', () => {
    expect(new Machine().take([]).controller.isComplete).toBe(true);
  });
});

describe('manifests: deleted and declared again', () => {
  it('is a new object with a new uid, once the old one has ended', () => {
    const machine = new Machine().take([file('a.yaml', [web])]);
    machine.take([file('a.yaml')]);
    machine.take([file('a.yaml', [web])]);
    expect(machine.shown).toEqual(['Pod/default/web made-1 deleting']);
    machine.controller.objectsChanged();
    expect(machine.shown).toEqual(['Pod/default/web made-1 deleting']);
    machine.end(web);
    expect(machine.shown).toEqual(['Pod/default/web made-2']);
  });

  it('keeps the time of its first deletion', () => {
    const machine = new Machine().take([file('a.yaml', [web])]).take([]);
    const first = machine.get(web)?.metadata.deletionTimestamp;
    machine.clock.advance(60_000);
    machine.take([]);
    expect(machine.get(web)?.metadata.deletionTimestamp).toBe(first);
  });
});

describe('mergeManifests', () => {
  it('is a function of what is stored and listed', () => {
    const stored = new Machine().take([file('a.yaml', [web, data])]).objects;
    const all = [...stored.list('Pod'), ...stored.list('PersistentVolumeClaim')];
    const listing = { files: [file('a.yaml', [web]), file('b.yaml', [gold])], directoryId: '1:2' };
    const actions = mergeManifests(all, listing);
    expect(actions).toEqual(mergeManifests(all, listing));
    expect(actions.map(({ kind }) => kind)).toEqual(['create', 'delete']);
    expect(
      stored.get(objectKey('PersistentVolumeClaim', 'default', 'data'))?.metadata.deletionTimestamp,
    ).toBeUndefined();
  });
});

describe('manifests: the size of a claim', () => {
  const growing = { phase: 'Bound', capacity: { storage: '4Gi' } } as const;
  const tooLow = 'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity';

  it.each([
    ['may be raised', '8Gi', growing, undefined],
    ['may be lowered to what it has', '4Gi', growing, undefined],
    ['may not be less than what it has', '3Gi', growing, tooLow],
    ['is fixed until it is bound', '8Gi', { phase: 'Pending' } as const, 'spec is immutable after creation except'],
    ['may be spelled in another way', '6144Mi', { phase: 'Pending' } as const, undefined],
  ])('%s', (_name, size, status, refusal) => {
    const machine = new Machine().take([file('a.yaml', [declared(claim('data', '6Gi'))])]);
    const stored = machine.get(data) as ReturnType<typeof claim>;
    machine.objects.update({ ...stored, status });
    machine.take([file('a.yaml', [declared(claim('data', size))])]);
    const { spec } = machine.get(data) as ReturnType<typeof claim>;
    expect(spec.resources.requests.storage).toBe(refusal === undefined ? size : '6Gi');
    expect(machine.refused).toEqual(refusal === undefined ? [] : [expect.stringContaining(refusal)]);
  });
});
