/** What sysfs tells of iSCSI sessions (scsi_transport_iscsi) and of their devices. It asks no target and cannot hang. */
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import type { IscsiDisk } from '../ports/iscsi-initiator.ts';
import { StorageError } from '../world/storage-error.ts';
import { fromNode } from './node-errno.ts';
import { failedWith } from './syscall-error.ts';

export interface SysfsSession {
  /** "session3" */
  readonly name: string;
  /** The session's own directory, which has its targets below it. */
  readonly directory: string;
  readonly iqn: string;
  readonly interface: string;
  readonly initiatorName: string;
  readonly state: string;
  /** As it was asked for: where it was redirected to is not the way that we know. */
  readonly address: string;
  readonly port: string;
  /** "host2" */
  readonly scsiHost: string;
  readonly targetId: string;
}

export class IscsiSysfs {
  readonly #root: string;

  /** @param root "/sys", or a copy of a part of it */
  constructor(root = '/sys') {
    this.#root = root;
  }

  /** Sessions to a target; one that goes while it is read is left out. */
  sessions(iqn: string): readonly SysfsSession[] {
    const directory = `${this.#root}/class/iscsi_session`;
    return names(directory).flatMap((name) => {
      if (!/^session\d+$/.test(name) || text(`${directory}/${name}/targetname`) !== iqn) return [];
      return this.#session(name, `${directory}/${name}`) ?? [];
    });
  }

  session(name: string): SysfsSession | undefined {
    return this.#session(name, `${this.#root}/class/iscsi_session/${name}`);
  }

  #session(name: string, entry: string): SysfsSession | undefined {
    const directory = realPath(`${entry}/device`);
    const connection = names(directory ?? '').find((child) => child.startsWith('connection'));
    if (directory === undefined || connection === undefined) return undefined;
    const facts = `${directory}/${connection}/iscsi_connection/${connection}`;
    const scsiHost = /\/(host\d+)\/session\d+$/.exec(directory)?.[1];
    if (scsiHost === undefined) return undefined;
    return {
      ...{ name, directory, scsiHost },
      iqn: text(`${entry}/targetname`),
      interface: text(`${entry}/ifacename`),
      initiatorName: text(`${entry}/initiatorname`),
      state: text(`${entry}/state`),
      address: text(`${facts}/persistent_address`),
      port: text(`${facts}/persistent_port`),
      targetId: text(`${entry}/target_id`) || '0',
    };
  }

  /** Directories of the LUNs that the kernel has of a session: …/target2:0:0/2:0:0:1 */
  lunDirectories({ directory }: SysfsSession): readonly string[] {
    return names(directory)
      .filter((name) => name.startsWith('target'))
      .flatMap((target) => names(`${directory}/${target}`).map((name) => `${directory}/${target}/${name}`))
      .filter((path) => /\/\d+:\d+:\d+:\d+$/.test(path));
  }

  lunDirectory(session: SysfsSession, lun: number): string | undefined {
    return this.lunDirectories(session).find((path) => path.endsWith(`:${lun}`));
  }

  /** The block device of a LUN; undefined for a LUN that is no disk, and until the disk's driver has it. */
  diskIn(lunDirectory: string): IscsiDisk | undefined {
    const [name] = names(`${lunDirectory}/block`);
    const deviceNumber = name === undefined ? '' : text(`${lunDirectory}/block/${name}/dev`);
    if (name === undefined || deviceNumber === '') return undefined;
    return { devicePath: `/dev/${name}`, deviceNumber, wwid: text(`${lunDirectory}/wwid`) };
  }

  /** dm-multipath marks its maps by a uuid that begins with "mpath-" (multipath-tools, libmultipath/devmapper.c). */
  multipathOver({ deviceNumber, wwid }: IscsiDisk): IscsiDisk | undefined {
    const holder = this.holders(deviceNumber).find((name) => this.#isMultipath(name));
    const number = holder === undefined ? '' : text(`${this.#root}/class/block/${holder}/dev`);
    return holder === undefined || number === ''
      ? undefined
      : { devicePath: `/dev/${holder}`, deviceNumber: number, wwid };
  }

  /** Names of the block devices on top of one: LVM, RAID, dm-crypt, dm-multipath. */
  holders(deviceNumber: string): readonly string[] {
    return names(`${this.#root}/dev/block/${deviceNumber}/holders`);
  }

  /** Its partitions: each may be used on its own. */
  partitions(deviceNumber: string): readonly string[] {
    const directory = `${this.#root}/dev/block/${deviceNumber}`;
    return names(directory).flatMap((name) =>
      text(`${directory}/${name}/partition`) === '' ? [] : [text(`${directory}/${name}/dev`)],
    );
  }

  otherHolders(deviceNumber: string): readonly string[] {
    return this.holders(deviceNumber).filter((name) => !this.#isMultipath(name));
  }

  multipathName({ devicePath }: IscsiDisk): string {
    return text(`${this.#root}/class/block/${devicePath.slice('/dev/'.length)}/dm/name`);
  }

  hasMultipath(): boolean {
    return names(`${this.#root}/module/dm_multipath`).length > 0;
  }

  scanFile({ scsiHost }: SysfsSession): string {
    return `${this.#root}/class/scsi_host/${scsiHost}/scan`;
  }

  #isMultipath(name: string): boolean {
    return text(`${this.#root}/class/block/${name}/dm/uuid`).startsWith('mpath-');
  }
}

/** A directory that is not there is empty: no module, no session, no holder. Any other failure is not an absence. */
function names(directory: string): readonly string[] {
  return read([], () => readdirSync(directory));
}

function text(path: string): string {
  return read('', () => readFileSync(path, 'utf8').trim());
}

function realPath(path: string): string | undefined {
  return read(undefined, () => realpathSync(path));
}

/** EINVAL and ENODEV are how an attribute of a device that is going away answers. */
function read<T>(absent: T, call: () => T): T {
  try {
    return fromNode(call);
  } catch (thrown) {
    if (failedWith(thrown, 'ENOENT', 'ENOTDIR', 'ENODEV', 'EINVAL', 'ESRCH')) return absent;
    const cause = thrown instanceof Error ? thrown.message : String(thrown);
    throw new StorageError(`Cannot read iSCSI sessions: ${cause}`, {
      code: 'Unavailable',
      progress: 'transient',
      cause: thrown,
    });
  }
}
