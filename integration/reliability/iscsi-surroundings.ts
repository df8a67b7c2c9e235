import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { iscsiClaim } from '../support/iscsi-manifests.ts';
import { byPath, iscsiSessions, TgtServer } from '../support/iscsi-target.ts';
import { filesystemUuid, mountsAt, run } from '../support/kernel-facts.ts';
import { claimVolume, documents, pod } from '../support/manifests.ts';
import type { Backend, Surroundings } from './backends.ts';

const base = 'iqn.2024-01.org.example';
const [ours, theirs] = [`${base}:matrix`, `${base}:matrix-of-admin`];
const portal = '127.0.0.1';

/**
 * A target with a blank LUN of its own for each cycle (another LUN at an old address would be refused), and an administrator
 * with a disk of the same server.
 */
export class IscsiSurroundings implements Surroundings {
  readonly backends: readonly Backend[] = [
    {
      name: 'iscsi',
      manifest: (id) => documents(iscsiClaim(id, { iqn: ours, lun: this.#lun }), pod(id, { data: claimVolume(id) })),
      pods: (id) => [id],
      data: 'file',
      surroundings: this,
    },
    {
      name: 'iscsi-block',
      manifest: (id) =>
        documents(
          iscsiClaim(id, { iqn: ours, lun: this.#lun, mode: 'Block' }),
          pod(id, { data: claimVolume(id) }, 'Block'),
        ),
      pods: (id) => [id],
      data: 'raw',
      surroundings: this,
    },
  ];
  readonly #target: TgtServer;
  readonly #directory: string;
  readonly #place: string;
  readonly #before: string;
  #lun = 0;

  static async open(): Promise<IscsiSurroundings> {
    const directory = mkdtempSync(join(process.env['MOORED_TEST_DIR'] ?? '', 'matrix-luns-'));
    const target = await new TgtServer(directory).start();
    target.addTarget(theirs, { 1: 64 });
    run('iscsiadm', '-m', 'discovery', '-t', 'sendtargets', '-p', portal);
    run('iscsiadm', '-m', 'node', '-T', theirs, '-p', portal, '--login');
    run('udevadm', 'settle');
    const place = join(directory, 'admin');
    mkdirSync(place);
    run('mkfs.ext4', '-q', byPath(theirs, 1));
    run('mount', byPath(theirs, 1), place);
    writeFileSync(join(place, 'file'), 'of the administrator');
    target.addTarget(ours, {});
    return new IscsiSurroundings(target, directory, place);
  }

  private constructor(target: TgtServer, directory: string, place: string) {
    this.#target = target;
    this.#directory = directory;
    this.#place = place;
    this.#before = this.#ofAdministrator();
  }

  async begin(id: string): Promise<void> {
    this.#lun += 1;
    await this.#target.setLun(ours, this.#lun, this.#target.newImage(`${id} ${this.#lun}`, 64));
  }

  faults(): readonly string[] {
    const sessions = iscsiSessions(ours);
    const luns = sessions.flatMap((session) => session.luns).join();
    return [
      ...(sessions.length === 1 ? [] : [`${sessions.length} sessions`]),
      ...(luns === String(this.#lun) ? [] : [`LUNs "${luns}" have devices`]),
      ...recordFiles().filter((path) => path.includes('/ifaces/') && isOfOurs(path)),
      ...this.#touched(),
    ];
  }

  left(): readonly string[] {
    return [...iscsiSessions(ours).map(({ name }) => name), ...recordFiles().filter(isOfOurs), ...this.#touched()];
  }

  filesystem(): string | undefined {
    try {
      return filesystemUuid(this.#target.lun(ours, this.#lun).image);
    } catch {
      // blkid ends with 2 when it finds nothing.
      return undefined;
    }
  }

  async close(): Promise<void> {
    run('umount', this.#place);
    run('iscsiadm', '-m', 'node', '-T', theirs, '--logout');
    run('iscsiadm', '-m', 'discoverydb', '-t', 'sendtargets', '-p', portal, '-o', 'delete');
    await this.#target.stop();
    rmSync(this.#directory, { recursive: true });
  }

  #touched(): readonly string[] {
    const now = this.#ofAdministrator();
    return now === this.#before ? [] : [`of the administrator there is ${now}, there was ${this.#before}`];
  }

  #ofAdministrator(): string {
    const mount = mountsAt(this.#place).map(({ id, device }) => `${id} ${device}`);
    const records = recordFiles().filter((path) => !isOfOurs(path));
    return JSON.stringify([iscsiSessions(theirs), mount, readFileSync(join(this.#place, 'file'), 'utf8'), records]);
  }
}

/** All that open-iscsi keeps of targets, portals and interfaces. */
function recordFiles(): readonly string[] {
  return ['/etc/iscsi', '/var/lib/iscsi']
    .flatMap((root) => ['ifaces', 'nodes', 'send_targets', 'static'].map((name) => join(root, name)))
    .filter((path) => existsSync(path))
    .flatMap((path) => readdirSync(path, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

function isOfOurs(path: string): boolean {
  return path.split(/[/,]/).some((name) => name === ours || name.startsWith('moored'));
}
