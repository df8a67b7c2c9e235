/**
 * Records of open-iscsi, as files: lines of "name = value". iscsiadm would take a CHAP password as an argument, where
 * every user of the machine can read it; so it makes the record, and the settings are written here.
 */
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import type { ChapCredentials } from '../ports/iscsi-initiator.ts';
import { StorageError } from '../world/storage-error.ts';

type SecretValue = ChapCredentials['password'];

/** The one place where a secret becomes text. */
export type RecordSettings = ReadonlyMap<string, string | SecretValue>;

/** Tells a discovery record that a crash left behind from an administrator's. */
const mark = '# made by moored, removed after the discovery';
const endOfRecord = '# END RECORD';

export function chapSettings(prefix: string, chap: ChapCredentials | undefined): RecordSettings {
  if (chap === undefined) return new Map([[`${prefix}.authmethod`, 'None']]);
  const { username, password, usernameIn, passwordIn } = chap;
  const all = [
    ['authmethod', 'CHAP'],
    ['username', username],
    ['password', password],
    ['username_in', usernameIn],
    ['password_in', passwordIn],
  ] as const;
  return new Map(all.flatMap(([key, value]) => (value === undefined ? [] : [[`${prefix}.${key}`, value] as const])));
}

/** The record with these settings in the place of what it said of them. */
export function withSettings(record: string, settings: RecordSettings): string {
  const kept = record.split('\n').filter((line) => {
    const name = /^\s*([\w.[\]]+)\s*=/.exec(line)?.[1];
    return line.trim() !== '' && line !== endOfRecord && (name === undefined || !settings.has(name));
  });
  const added = [...settings].map(([name, value]) => `${name} = ${typeof value === 'string' ? value : value.reveal()}`);
  return [...kept, ...added, endOfRecord, ''].join('\n');
}

/** The directories below which open-iscsi keeps its records: of Debian 12; of Debian 13, Fedora and SUSE. */
const iscsiDirectories = ['/etc/iscsi', '/var/lib/iscsi'] as const;

interface NodePlace {
  readonly iqn: string;
  readonly address: string;
  readonly port: string;
  readonly interface: string;
}

export class IscsiRecordFiles {
  readonly #directories: readonly string[];

  constructor(directories: readonly string[] = iscsiDirectories) {
    this.#directories = directories;
  }

  /** Changes the record that `iscsiadm -o new` made. */
  changeNode(node: NodePlace, settings: RecordSettings): void {
    const found = this.#findNode(node);
    if (found === undefined) {
      const places = this.#directories.map((directory) => `"${directory}/nodes"`).join(', ');
      throw new StorageError(`Cannot change the record of "${node.iqn}": open-iscsi keeps none in ${places}`, {
        code: 'Internal',
        progress: 'transient',
      });
    }
    replaceFile(found.path, withSettings(readFileSync(found.path, 'utf8'), settings), found.directory);
  }

  /** As `iscsiadm -o delete` does, which wants the interface's record for it. */
  removeNode(node: NodePlace): void {
    const found = this.#findNode(node);
    if (found === undefined) return;
    const { directory, portal, path } = found;
    unlinkSync(path);
    const link = `${node.iqn},${portal},${node.interface}`;
    if (list(`${directory}/static`).includes(link)) unlinkSync(`${directory}/static/${link}`);
    for (const parent of [`${directory}/nodes/${node.iqn}/${portal}`, `${directory}/nodes/${node.iqn}`]) {
      if (list(parent).length === 0) rmdirSync(parent);
    }
  }

  removeInterface(name: string): void {
    this.removeInterfaces((found) => found === name);
  }

  removeInterfaces(isMeant: (name: string) => boolean): void {
    for (const directory of this.#directories) {
      for (const name of list(`${directory}/ifaces`).filter(isMeant)) unlinkSync(`${directory}/ifaces/${name}`);
    }
  }

  /** …/nodes/<iqn>/<address>,<port>,<group>/<interface> */
  #findNode({ iqn, address, port, interface: name }: NodePlace) {
    for (const directory of this.#directories) {
      const portals = `${directory}/nodes/${iqn}`;
      for (const portal of list(portals).filter((entry) => entry.startsWith(`${address},${port},`))) {
        const path = `${portals}/${portal}/${name}`;
        if (list(`${portals}/${portal}`).includes(name)) return { directory, portal, path };
      }
    }
    return undefined;
  }

  /**
   * Lends open-iscsi a discovery record with CHAP for the time of `work`. An administrator's record of the portal is put
   * aside meanwhile, where it outlives a crash.
   */
  async withDiscovery<T>(address: string, port: string, chap: ChapCredentials, work: () => Promise<T>): Promise<T> {
    // Where our interface has just been written: Debian 12 and 13 differ.
    const directory = this.#directories.find((one) => list(one).includes('ifaces')) ?? iscsiDirectories[0];
    const portal = `${address},${port}`;
    const { parent, path, aside } = discoveryPlace(directory, portal);
    takeBackDiscovery(directory, portal);
    if (list(parent).includes('st_config')) renameSync(path, aside);
    mkdirSync(parent, { recursive: true, mode: 0o700 });
    try {
      replaceFile(path, discoveryRecord(address, port, chap), directory);
      return await work();
    } finally {
      takeBackDiscovery(directory, portal);
    }
  }

  /** What logins left that a crash cut off; while nobody of ours logs in. */
  removeLeftovers(isOurInterface: (name: string) => boolean): void {
    this.removeInterfaces(isOurInterface);
    for (const directory of this.#directories) {
      const names = list(directory);
      for (const name of names.filter((one) => temporaryName.test(one))) unlinkSync(`${directory}/${name}`);
      const aside = names.filter((one) => one.startsWith(asidePrefix)).map((one) => one.slice(asidePrefix.length));
      for (const portal of new Set([...aside, ...list(`${directory}/send_targets`)])) {
        takeBackDiscovery(directory, portal);
      }
    }
  }
}

/** Beside the records, for open-iscsi takes each file among them for one. */
const asidePrefix = '.moored-aside-';
const temporaryName = /^\.moored-[0-9a-f]{8}-[0-9a-f-]{27}$/;

function discoveryPlace(directory: string, portal: string) {
  const parent = `${directory}/send_targets/${portal}`;
  return { parent, path: `${parent}/st_config`, aside: `${directory}/${asidePrefix}${portal}` };
}

/** Ours goes, and the administrator's is where it was. Repeatable at every point. */
function takeBackDiscovery(directory: string, portal: string): void {
  const { parent, path, aside } = discoveryPlace(directory, portal);
  if (list(directory).includes(`${asidePrefix}${portal}`)) {
    renameSync(aside, path);
    return;
  }
  if (!list(parent).includes('st_config') || !readFileSync(path, 'utf8').startsWith(mark)) return;
  unlinkSync(path);
  if (list(parent).length === 0) rmdirSync(parent);
}

function discoveryRecord(address: string, port: string, chap: ChapCredentials): string {
  const place = new Map([
    ['discovery.startup', 'manual'],
    ['discovery.type', 'sendtargets'],
    ['discovery.sendtargets.address', address],
    ['discovery.sendtargets.port', port],
    ['discovery.sendtargets.timeo.login_timeout', '10'],
    ['discovery.sendtargets.reopen_max', '1'],
  ]);
  const settings = new Map([...place, ...chapSettings('discovery.sendtargets.auth', chap)]);
  return withSettings(`${mark}\n# BEGIN RECORD 2.0`, settings);
}

/** Whole or not at all, and never readable by others, not even for a moment. */
function replaceFile(path: string, text: string, workplace: string): void {
  const temporary = `${workplace}/.moored-${randomUUID()}`;
  const fd = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  chmodSync(temporary, 0o600);
  renameSync(temporary, path);
}

function list(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return [];
    throw error;
  }
}
