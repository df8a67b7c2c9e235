/**
 * Runs in a guest, at each boot of the power cut test: node power-cut-round.ts ROUND SEED
 * It waits until what was wanted before the cut is there, says what it sees, and then changes things until its plug is
 * pulled. Each line of its output is a JSON object; what it says was synced before it said so.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AswPod, AswVolume } from '../../daemon/control/protocol.ts';
import { eventually } from '../support/eventually.ts';
import { filesystemUuid, loopsOn, mountsAt, mountsBelow } from '../support/kernel-facts.ts';
import { claim, claimVolume, pod, storageClass } from '../support/manifests.ts';
import { MooredService } from '../support/moored-service.ts';
import type { RoundLine, VolumeFact } from './power-cut-lines.ts';

const service = new MooredService();
const { manifestDir, rootDir } = service;
const say = (line: RoundLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

/** A file and its name that a power cut does not take. */
function writeSynced(directory: string, name: string, data: string | Buffer): void {
  writeFileSync(join(directory, name), data, { mode: 0o644, flush: true });
  syncPath(directory);
}

function applySynced(name: string, text: string): void {
  service.apply(name, text);
  syncPath(join(manifestDir, name));
  syncPath(manifestDir);
}

function sha256(file: string): string | undefined {
  return existsSync(file) ? createHash('sha256').update(readFileSync(file)).digest('hex') : undefined;
}

const podFile = /^pod-(\d+)\.yaml$/;
const declaredPods = (): readonly number[] =>
  readdirSync(manifestDir).flatMap((name) => {
    const round = podFile.exec(name)?.[1];
    return round === undefined ? [] : [Number(round)];
  });

function volumeFact(round: number, path: string): VolumeFact {
  const [mount, ...more] = mountsAt(path);
  if (mount === undefined || more.length > 0) throw new Error(`${1 + more.length} mounts at "${path}"`);
  return { round, uuid: filesystemUuid(mount.source), fsType: mount.fsType, sha256: sha256(join(path, 'data')) };
}

/** The names of what is written as JSON and cannot be read as such. */
function tornRecords(): readonly string[] {
  const files = ['state/objects', 'state/volumes', 'state/daemon', 'images/default']
    .map((name) => join(rootDir, name))
    .filter((directory) => existsSync(directory))
    .flatMap((directory) => readdirSync(directory).map((name) => join(directory, name)));
  return files.filter((file) => {
    if (!file.endsWith('.json')) return false;
    try {
      JSON.parse(readFileSync(file, 'utf8'));
      return false;
    } catch {
      return true;
    }
  });
}

/** Waits until all pods of the manifests are mounted, and no other is. Returns where. */
async function converged(): Promise<readonly VolumeFact[]> {
  const wanted = declaredPods().map((round) => `p${round} VolumeMounted`);
  let mounted: readonly AswPod[] = [];
  await eventually(async () => {
    const { code, stdout, stderr } = await service.ctl('get', 'asw', '-o', 'json');
    if (code !== 0) return stderr;
    const { volumes } = JSON.parse(stdout) as { volumes: readonly AswVolume[] };
    mounted = volumes.flatMap(({ pods }) => pods);
    const states = mounted.map(({ name, mountState }) => `${name} ${mountState}`);
    const isSo = volumes.length === wanted.length && states.toSorted().join() === wanted.toSorted().join();
    return isSo || `wanted ${wanted.join()}, and there is: ${stdout}`;
  }, 120_000);
  return mounted.map(({ name, targetPath }) => volumeFact(Number(name.slice(1)), targetPath));
}

async function observe(): Promise<void> {
  const volumes = await converged();
  const images = join(rootDir, 'images/default');
  const names = existsSync(images) ? readdirSync(images) : [];
  const trash = join(images, '.trash');
  const claims = names.flatMap((name) => /^(c\d+)-.*\.img$/.exec(name)?.[1] ?? []);
  say({
    kind: 'observed',
    volumes,
    claims,
    attachedTwice: names.filter((name) => loopsOn(join(images, name)).length > 1),
    stacked: mountsBelow(rootDir)
      .map(({ target }) => target)
      .filter((target) => mountsAt(target).length > 1),
    trash: existsSync(trash) ? readdirSync(trash).filter((name) => !name.endsWith('.json')) : [],
    torn: tornRecords(),
  });
}

/** One more claim and pod each round, an older pod away, and then writes until the end. */
async function change(round: number): Promise<void> {
  if (round === 0) applySynced('class.yaml', storageClass('fast'));
  applySynced(`claim-${round}.yaml`, claim(`c${round}`, { size: '32Mi' }));
  applySynced(`pod-${round}.yaml`, pod(`p${round}`, { data: claimVolume(`c${round}`) }));
  say({ kind: 'applied' });
  const old = join(manifestDir, `pod-${round - 3}.yaml`);
  if (existsSync(old)) {
    unlinkSync(old);
    syncPath(manifestDir);
    say({ kind: 'removed' });
  }
  await service.mounted(`p${round}`);
  const path = await service.path(`p${round}`, 'data');
  writeSynced(path, 'data', randomBytes(100_000));
  say({ kind: 'acknowledged', volume: volumeFact(round, path) });
  // Nothing more to do but to be cut off.
  await sleep(600_000);
}

const [round = '0'] = process.argv.slice(2);
if (round === 'last') {
  for (const name of readdirSync(manifestDir)) {
    const number = /^claim-(\d+)\.yaml$/.exec(name)?.[1];
    if (number !== undefined)
      service.apply(`pod-${number}.yaml`, pod(`p${number}`, { data: claimVolume(`c${number}`) }));
  }
  await observe();
} else {
  await observe();
  await change(Number(round));
}
