import { describe, expect, it } from 'vitest';
import type { Inventory, InventoryImage } from '../world/inventory.ts';
import { MountTable } from '../world/mount-table.ts';
import {
  globalMountPath,
  imagePath,
  layout,
  mountAt,
  recordOf,
  volumeToMount,
  worldOf,
} from '../world/testing/volumes.ts';
import type { VolumeRecord } from '../world/volume-record.ts';
import { orphanHold } from './orphan-hold.ts';
import { type AccountedFor, decideOrphans, type Orphan, type OrphanQuestion } from './orphans.ts';

const changedAt = '2026-01-01T00:00:00.000Z';
const day = 24 * 3_600_000;
const nothing: Inventory = {
  podDirectories: [],
  globalMounts: [],
  images: [],
  temporaries: [],
  trash: [],
  quarantine: [],
  incomplete: [],
};
const nobody: AccountedFor = {
  records: [],
  uids: new Set(),
  globalMountPaths: new Set(),
  attachmentPaths: new Set(),
  volumePaths: new Set(),
  volumeHandles: new Set(),
};

interface Case {
  readonly inventory?: Partial<Inventory>;
  readonly accountedFor?: Partial<AccountedFor>;
  readonly mounts?: readonly string[];
  readonly loops?: OrphanQuestion['loops'];
  readonly now?: string;
}

function decide({ inventory, accountedFor, mounts = [], loops = [], now = changedAt }: Case): readonly Orphan[] {
  return decideOrphans({
    inventory: { ...nothing, ...inventory },
    accountedFor: { ...nobody, ...accountedFor },
    mounts: new MountTable(mounts.map((path) => mountAt(path))),
    loops,
    rootDir: layout.rootDir,
    imageDirectories: [`${layout.imagesDir()}/`],
    now: Date.parse(now),
    graceMs: 7 * day,
  });
}

const record: VolumeRecord = recordOf(volumeToMount('device', 'data', ['web']));
const sidecar = {
  volumeHandle: 'pvc-1',
  ownerUid: 'uid-data',
  owner: 'claim default/data',
  driver: 'd',
  sizeBytes: 1n,
};
const image: InventoryImage = { path: imagePath('data'), changedAt, image: 'file', sidecar };
const onImage = { devicePath: '/dev/loop7', backing: { device: 1n, inode: 2n, path: imagePath('data') } };

describe('pod directories', () => {
  const podDirectories = [{ path: layout.podDir('uid-web'), changedAt }];

  it('is one when nobody has the uid, since its last change', () => {
    expect(decide({ inventory: { podDirectories } })).toEqual([
      {
        kind: 'PodDirectory',
        path: layout.podDir('uid-web'),
        since: changedAt,
        reason: 'no pod and no record has this uid',
        action: 'quarantine',
        obstacle: '',
      },
    ]);
  });

  it.each<[string, Partial<AccountedFor>]>([
    ['a pod', { uids: new Set(['uid-web']) }],
    ['a record', { records: [record] }],
  ])('is none when %s has it', (_, accountedFor) => {
    expect(decide({ inventory: { podDirectories }, accountedFor })).toEqual([]);
  });

  it('stays while something is mounted below it, and that mount is listed and never touched', () => {
    const mount = `${layout.podDir('uid-web')}/volumes/x/mount`;
    expect(decide({ inventory: { podDirectories }, mounts: [mount] })).toMatchObject([
      { kind: 'Mount', path: mount, action: 'none' },
      { kind: 'PodDirectory', obstacle: `"${mount}" is mounted` },
    ]);
  });
});

describe('global mounts', () => {
  const globalMounts = [{ path: globalMountPath('data'), changedAt }];

  it('go with the directory that the kubelet’s layout puts around them', () => {
    const [orphan] = decide({ inventory: { globalMounts } });
    expect(orphan).toMatchObject({ kind: 'GlobalMount', path: layout.pluginDir('test', 'data'), action: 'quarantine' });
    const sealed = { path: layout.pluginDir('kubernetes.io/iscsi', 'iface-x', 'portal-lun-0'), changedAt };
    expect(decide({ inventory: { globalMounts: [sealed] } })[0]?.path).toBe(sealed.path);
  });

  it.each<[string, Partial<AccountedFor>]>([
    ['a record', { records: [record] }],
    ['a wish', { globalMountPaths: new Set([globalMountPath('data')]) }],
  ])('are none when %s has them, nor is what leads to them', (_, accountedFor) => {
    const above = { path: layout.pluginDir('test', 'data'), changedAt };
    expect(decide({ inventory: { globalMounts: [...globalMounts, above] }, accountedFor })).toEqual([]);
  });
});

describe('loop devices', () => {
  it('on an image of ours that no record has', () => {
    expect(decide({ loops: [onImage] })).toMatchObject([
      { kind: 'LoopDevice', path: '/dev/loop7', action: 'detach', obstacle: '', since: '' },
    ]);
    const deleted = { ...onImage, backing: { ...onImage.backing, path: `${imagePath('data')} (deleted)` } };
    expect(decide({ loops: [deleted] })).toHaveLength(1);
  });

  it('that a PersistentVolume’s image has, but nobody’s record, leaked', () => {
    expect(decide({ loops: [onImage], accountedFor: { volumePaths: new Set([imagePath('data')]) } })).toHaveLength(1);
  });

  it.each<[string, Case]>([
    ['somebody else’s file', { loops: [{ ...onImage, backing: { ...onImage.backing, path: '/home/x.img' } }] }],
    ['what is attached or may be', { accountedFor: { attachmentPaths: new Set([imagePath('data')]) } }],
    [
      'a device in a record',
      { accountedFor: { records: [{ ...record, attached: { devicePath: '/dev/loop7', deviceNumber: '7:7' } }] } },
    ],
  ])('%s is none', (_, given) => {
    expect(decide({ loops: [onImage], ...given })).toEqual([]);
  });

  it('stays while it is mounted anywhere', () => {
    const loops = [{ ...onImage, devicePath: '/dev/loop3' }];
    expect(decide({ loops, mounts: ['/mnt'] })[0]?.obstacle).toBe('it is mounted');
  });
});

describe('images', () => {
  it('of nobody go to the trash, by the handle in their sidecar', () => {
    expect(decide({ inventory: { images: [image] } })).toMatchObject([
      {
        kind: 'Image',
        action: 'trash',
        volumeHandle: 'pvc-1',
        reason: 'no volume and no record has it; made for claim default/data',
      },
    ]);
    expect(decide({ inventory: { images: [{ ...image, image: 'alone' }] } })[0]?.reason).toContain('without its image');
  });

  it.each<[string, Partial<AccountedFor>]>([
    ['a record or a wish', { attachmentPaths: new Set([image.path]) }],
    ['a volume’s path', { volumePaths: new Set([image.path]) }],
    ['a volume’s handle', { volumeHandles: new Set(['pvc-1']) }],
    ['its claim, not yet bound', { uids: new Set(['uid-data']) }],
  ])('are none that %s accounts for', (_, accountedFor) => {
    expect(decide({ inventory: { images: [image] }, accountedFor })).toEqual([]);
  });

  it('stay where they are without a sidecar, or with a loop device on them', () => {
    const { sidecar: _sidecar, ...bare } = image;
    expect(decide({ inventory: { images: [bare] } })).toMatchObject([
      { action: 'none', obstacle: 'moored did not make it' },
    ]);
    const [, busy] = decide({ inventory: { images: [image] }, loops: [onImage] });
    expect(busy).toMatchObject({ kind: 'Image', obstacle: '/dev/loop7 is on it' });
  });
});

describe('trash and quarantine', () => {
  const trash = [{ ...image, path: `${layout.imagesDir()}/default/.trash/data.img.20260102T030405.678Z-2` }];
  const quarantine = [{ path: `${layout.rootDir}/quarantine/20260102T030405.678Z~pods~uid-old`, changedAt }];

  it('are kept for the grace period, by the time in their names', () => {
    const kept = {
      since: '2026-01-02T03:04:05.678Z',
      action: 'purge',
      obstacle: 'kept until 2026-01-09T03:04:05.678Z',
    };
    const given = { inventory: { trash, quarantine } };
    expect(decide({ ...given, now: '2026-01-09T03:04:05.677Z' })).toMatchObject([kept, kept]);
    expect(decide({ ...given, now: '2026-01-09T03:04:05.678Z' }).map(({ obstacle }) => obstacle)).toEqual(['', '']);
  });

  it('are kept when the clock says that they will be put there tomorrow', () => {
    expect(decide({ inventory: { quarantine }, now: '2025-01-01T00:00:00Z' })[0]?.obstacle).toContain('kept until');
  });

  it('are never removed without a sidecar, in use, or with a mount below', () => {
    const now = '2027-01-01T00:00:00Z';
    const { sidecar: _sidecar, ...bare } = trash[0]!;
    expect(decide({ inventory: { trash: [bare] }, now })[0]).toMatchObject({ action: 'none' });
    const loops = [{ ...onImage, backing: { ...onImage.backing, path: bare.path } }];
    expect(decide({ inventory: { trash }, loops, now })[1]?.obstacle).toBe('/dev/loop7 is on it');
    const path = quarantine[0]?.path ?? '';
    expect(decide({ inventory: { quarantine }, mounts: [`${path}/x`], now })[0]?.obstacle).toContain('is mounted');
  });
});

it('an unfinished sidecar is always one', () => {
  const temporaries = [{ path: `${layout.imagesDir()}/default/.data.img.tmp`, changedAt }];
  expect(decide({ inventory: { temporaries } })).toMatchObject([{ kind: 'TemporaryFile', action: 'quarantine' }]);
});

describe('orphanHold', () => {
  const known = { directoryProblem: '', badFiles: [], dsw: worldOf([]) };

  it.each([
    ['', known],
    ['the manifests cannot be read: EIO', { ...known, directoryProblem: 'EIO' }],
    ['the manifests were not read yet', { ...known, dsw: worldOf([], { complete: false }) }],
    ['"a.yaml" is not understood, and may declare what looks like an orphan', { ...known, badFiles: ['a.yaml'] }],
    [
      'volume "other" of pod "default/web" is not resolved: claim "other" is Pending',
      { ...known, dsw: worldOf([], { unresolved: ['web'] }) },
    ],
  ])('%j', (expected, question) => {
    expect(orphanHold(question)).toBe(expected);
  });
});
