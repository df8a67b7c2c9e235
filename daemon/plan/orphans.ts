/**
 * What on this machine is moored's and nobody's: listed for people, removed only when they say so. An orphan is what no
 * record, no object and no desired volume accounts for; when in doubt a thing is not one, or has an obstacle. Pure.
 */
import type { Inventory, InventoryEntry, InventoryImage, InventoryLoop, InventorySidecar } from '../world/inventory.ts';
import type { MountTable } from '../world/mount-table.ts';
import type { VolumeRecord } from '../world/volume-record.ts';
import { findOrphans } from './reconstruct.ts';

export type OrphanKind =
  | 'PodDirectory'
  | 'GlobalMount'
  | 'LoopDevice'
  | 'Image'
  | 'TemporaryFile'
  | 'Mount'
  | 'Trashed'
  | 'Quarantined';

/** What gc does about it: `purge` cannot be taken back, `none` is never touched. */
export type OrphanAction = 'quarantine' | 'detach' | 'trash' | 'purge' | 'none';

export interface Orphan {
  readonly kind: OrphanKind;
  /** Also its name for gc. */
  readonly path: string;
  /** RFC 3339; '' when nothing tells. */
  readonly since: string;
  readonly reason: string;
  readonly action: OrphanAction;
  /** Why gc leaves it alone now; '' when it would act. */
  readonly obstacle: string;
  /** Of an image, as its sidecar says. */
  readonly volumeHandle?: string;
  readonly sidecar?: InventorySidecar;
}

/** All that accounts for something on this machine. */
export interface AccountedFor {
  /** In use: without those that are only kept for the memory of a format. */
  readonly records: readonly VolumeRecord[];
  /** uids of pods and claims that exist. */
  readonly uids: ReadonlySet<string>;
  readonly globalMountPaths: ReadonlySet<string>;
  /** Images that a record or a desired volume has attached or may attach at any moment. */
  readonly attachmentPaths: ReadonlySet<string>;
  /** Images of PersistentVolumes, in use or not. */
  readonly volumePaths: ReadonlySet<string>;
  /** Handles of PersistentVolumes and of snapshots. */
  readonly volumeHandles: ReadonlySet<string>;
}

export interface OrphanQuestion {
  readonly inventory: Inventory;
  readonly loops: readonly InventoryLoop[];
  readonly accountedFor: AccountedFor;
  readonly mounts: MountTable;
  readonly rootDir: string;
  /** Directories in which images are moored's, with a slash at the end. */
  readonly imageDirectories: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** How long trash and quarantine are kept. */
  readonly graceMs: number;
}

export function decideOrphans(question: OrphanQuestion): readonly Orphan[] {
  const { inventory } = question;
  return [
    ...mounts(question),
    ...podDirectories(question),
    ...globalMounts(question),
    ...loops(question),
    ...inventory.images.flatMap((image) => orphanedImage(image, question)),
    ...inventory.temporaries.map((entry) => temporary(entry)),
    ...inventory.trash.map((entry) => trashed(entry, question)),
    ...inventory.quarantine.map((entry) => quarantined(entry, question)),
  ];
}

function mounts({ accountedFor, mounts: table, rootDir }: OrphanQuestion): Orphan[] {
  return findOrphans(accountedFor.records, table, rootDir)
    .filter((path) => !accountedFor.globalMountPaths.has(path))
    .map((path) => ({
      kind: 'Mount' as const,
      path,
      since: '',
      reason: 'a mount that no record knows',
      action: 'none' as const,
      obstacle: `it may be somebody else's; if it is not wanted: umount ${path}`,
    }));
}

function podDirectories({ inventory, accountedFor, mounts: table }: OrphanQuestion): Orphan[] {
  const known = new Set(accountedFor.uids);
  for (const record of accountedFor.records) for (const uid of Object.keys(record.pods)) known.add(uid);
  return inventory.podDirectories
    .filter(({ path }) => !known.has(baseOf(path)))
    .map(({ path, changedAt }) => ({
      kind: 'PodDirectory' as const,
      path,
      since: changedAt,
      reason: 'no pod and no record has this uid',
      action: 'quarantine' as const,
      obstacle: mountedBelow(path, table),
    }));
}

/** The directory that holds a mount point "globalmount" goes with it. */
function globalMounts({ inventory, accountedFor, mounts: table }: OrphanQuestion): Orphan[] {
  const known = new Set(accountedFor.globalMountPaths);
  for (const { recipe } of accountedFor.records) known.add(recipe.globalMountPath);
  const isAncestor = (path: string) => [...known].some((other) => other.startsWith(`${path}/`));
  return inventory.globalMounts
    .filter(({ path }) => !known.has(path) && !isAncestor(path))
    .map((entry) => {
      const path = baseOf(entry.path) === 'globalmount' ? parentOf(entry.path) : entry.path;
      return {
        kind: 'GlobalMount' as const,
        path,
        since: entry.changedAt,
        reason: 'no volume is mounted here by any record',
        action: 'quarantine' as const,
        obstacle: mountedBelow(path, table),
      };
    });
}

function loops({ loops: devices, accountedFor, imageDirectories, mounts: table }: OrphanQuestion): Orphan[] {
  const { records, attachmentPaths } = accountedFor;
  const attached = new Set(records.flatMap(({ attached: device }) => device?.devicePath ?? []));
  const isOurs = (path: string) => imageDirectories.some((directory) => path.startsWith(directory));
  return devices.flatMap(({ devicePath, backing }): Orphan[] => {
    const path = backing.path.replace(/ \(deleted\)$/, '');
    if (!isOurs(path) || attachmentPaths.has(path) || attached.has(devicePath)) return [];
    const isMounted = table.mounts.some(({ source }) => source === devicePath);
    return [
      {
        kind: 'LoopDevice',
        path: devicePath,
        since: '',
        reason: `on "${backing.path}", and no record has it`,
        action: 'detach',
        obstacle: isMounted ? 'it is mounted' : '',
      },
    ];
  });
}

function orphanedImage(image: InventoryImage, question: OrphanQuestion): Orphan[] {
  const { accountedFor } = question;
  const { path, changedAt, sidecar } = image;
  if (accountedFor.attachmentPaths.has(path) || accountedFor.volumePaths.has(path)) return [];
  if (sidecar === undefined) {
    const reason = 'a file without a sidecar of moored';
    return [{ kind: 'Image', path, since: changedAt, reason, action: 'none', obstacle: 'moored did not make it' }];
  }
  if (accountedFor.uids.has(sidecar.ownerUid) || accountedFor.volumeHandles.has(sidecar.volumeHandle)) return [];
  const what = image.image === 'alone' ? 'a sidecar without its image' : 'no volume and no record has it';
  return [
    {
      kind: 'Image',
      path,
      since: changedAt,
      reason: `${what}; made for ${sidecar.owner}`,
      action: 'trash',
      obstacle: loopOn(path, question),
      ...{ volumeHandle: sidecar.volumeHandle, sidecar },
    },
  ];
}

function temporary({ path, changedAt }: InventoryEntry): Orphan {
  const reason = 'a sidecar or a copy that was being written when moored ended';
  return { kind: 'TemporaryFile', path, since: changedAt, reason, action: 'quarantine', obstacle: '' };
}

function trashed(image: InventoryImage, question: OrphanQuestion): Orphan {
  const { path, sidecar } = image;
  const since = stampIn(baseOf(path)) ?? image.changedAt;
  const reason = sidecar === undefined ? 'in the trash' : `in the trash; made for ${sidecar.owner}`;
  const isOurs = sidecar !== undefined;
  return {
    kind: 'Trashed',
    path,
    since,
    reason,
    action: isOurs ? 'purge' : 'none',
    obstacle: isOurs ? loopOn(path, question) || tooYoung(since, question) : 'it has no sidecar of moored',
    ...(isOurs ? { volumeHandle: sidecar.volumeHandle, sidecar } : {}),
  };
}

function quarantined({ path, changedAt }: InventoryEntry, question: OrphanQuestion): Orphan {
  const since = stampIn(baseOf(path)) ?? changedAt;
  const obstacle = mountedBelow(path, question.mounts) || tooYoung(since, question);
  return { kind: 'Quarantined', path, since, reason: 'put aside by gc', action: 'purge', obstacle };
}

/** A loop device's file stays where it is: it would be detached from a name that nobody finds again. */
function loopOn(path: string, { loops: devices }: OrphanQuestion): string {
  const device = devices.find(({ backing }) => backing.path === path);
  return device === undefined ? '' : `${device.devicePath} is on it`;
}

function mountedBelow(path: string, table: MountTable): string {
  const [first] = table.under(path);
  return first === undefined ? '' : `"${first.mountPoint}" is mounted`;
}

/** Of a time in the future nothing follows: kept. */
function tooYoung(since: string, { now, graceMs }: OrphanQuestion): string {
  const until = Date.parse(since) + graceMs;
  if (until <= now) return '';
  return Number.isFinite(until) ? `kept until ${new Date(until).toISOString()}` : 'nobody knows since when it is there';
}

const stamp = /(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})(\.\d+)?Z/;

/** "20260102T030405.678Z", as names in trash and quarantine have it, as RFC 3339. */
function stampIn(name: string): string | undefined {
  const [, year, month, day, hour, minute, second, fraction = ''] = stamp.exec(name) ?? [];
  return year === undefined ? undefined : `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}Z`;
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
