/** The oracle of every test that has a daemon: no status is better than the kernel's mount table. */
import { lstatSync, readFileSync } from 'node:fs';
import type { ControlClient } from '../../daemon/control/control-client.ts';
import type { AswVolume, PodView, VolumeView } from '../../daemon/control/protocol.ts';
import { type MountLine, mounts } from './kernel-facts.ts';

/** What the daemon claims, of one moment. */
export interface Claims {
  readonly pods: readonly PodView[];
  readonly volumes: readonly VolumeView[];
  readonly asw: readonly AswVolume[];
}

/** Fails when something is called mounted, read-only or ready that is not. Touches no mount: a server may be dead. */
export async function assertHonestStatus(client: ControlClient): Promise<void> {
  const before = mounts();
  const { items: pods } = await client.get('pods');
  const { volumes } = await client.get('volumes');
  const { volumes: asw } = await client.get('asw');
  // Something may just have been mounted, or unmounted: a lie is what no reading shows.
  const claims = { pods, volumes, asw };
  const later = new Set(lies(claims, mounts()));
  const both = lies(claims, before).filter((lie) => later.has(lie));
  if (both.length === 0) return;
  const table = readFileSync('/proc/self/mountinfo', 'utf8');
  throw new Error(`The status is better than mountinfo:\n${both.join('\n')}\n${table}`);
}

/** Each claim that this mount table does not bear out. */
export function lies(claims: Claims, table: readonly MountLine[]): readonly string[] {
  const directories = plainDirectories(claims);
  // Of two mounts on one path the later covers the earlier.
  const byPath = new Map(table.map((mount) => [mount.target, mount]));
  const isMounted = (path: string) => directories.has(path) || byPath.has(path);
  return [
    ...claims.pods.flatMap((pod) => liesOfPod(pod, isMounted)),
    ...claims.volumes.flatMap((volume) => liesOfVolume(volume, claims.asw, isMounted)),
    ...claims.asw.flatMap((volume) => liesOfWorld(volume, byPath, isMounted)),
  ];
}

function liesOfPod({ metadata, status }: PodView, isMounted: (path: string) => boolean): string[] {
  const pod = `pod ${metadata.namespace}/${metadata.name}`;
  const unready = status.volumes.filter(({ state }) => state !== 'Mounted').map(({ name }) => name);
  const isReady =
    status.phase === 'Ready' || status.conditions.some((one) => one.type === 'VolumesReady' && one.status === 'True');
  return [
    ...(isReady && unready.length > 0 ? [`${pod} is ready, but not its volumes ${unready.join(', ')}`] : []),
    ...status.volumes
      .filter(({ state, path }) => (state === 'Mounted' || state === 'Abnormal') && !isMounted(path))
      .map(({ name, path, state }) => `${pod}: volume "${name}" is ${state}, but nothing is at "${path}"`),
  ];
}

function liesOfVolume(
  { name, state }: VolumeView,
  asw: readonly AswVolume[],
  isMounted: (path: string) => boolean,
): string[] {
  if (state !== 'Mounted' && state !== 'Abnormal') return [];
  const targets = asw.filter((volume) => volume.name === name).flatMap(({ pods }) => pods.map((pod) => pod.targetPath));
  return targets.filter((path) => !isMounted(path)).map((path) => `volume ${name} is ${state}, but not at "${path}"`);
}

function liesOfWorld(
  { name, globalMountPath, deviceMountState, pods }: AswVolume,
  byPath: ReadonlyMap<string, MountLine>,
  isMounted: (path: string) => boolean,
): string[] {
  const isGlobal = deviceMountState === 'DeviceGloballyMounted';
  const global = isGlobal ? byPath.get(globalMountPath) : undefined;
  const found = isGlobal && global === undefined ? [`asw ${name}: nothing is at "${globalMountPath}"`] : [];
  for (const { targetPath, mountState, readOnly } of pods) {
    if (mountState !== 'VolumeMounted') continue;
    const mount = byPath.get(targetPath);
    if (!isMounted(targetPath)) found.push(`asw ${name}: nothing is at "${targetPath}"`);
    else if (readOnly && mount?.options.includes('ro') !== true) found.push(`asw ${name}: "${targetPath}" is writable`);
    else if (global !== undefined && mount?.device !== global.device)
      found.push(`asw ${name}: "${targetPath}" is another filesystem than "${globalMountPath}"`);
  }
  return found;
}

/**
 * Where an emptyDir is a directory of the root directory's filesystem: there is no mount to look for. One that its pod no
 * longer declares, and that is held, is known by its directory: without its tmpfs it would be sealed (mode 0000).
 */
function plainDirectories({ pods, asw }: Claims): ReadonlySet<string> {
  const declared = pods.flatMap(({ spec, status }) =>
    status.volumes.flatMap(({ name, path }) => {
      const emptyDir = (spec.volumes ?? []).find((volume) => volume.name === name)?.emptyDir;
      return emptyDir === undefined || emptyDir.medium === 'Memory' ? [] : [path];
    }),
  );
  const held = asw
    .filter(({ plugin }) => plugin === 'kubernetes.io/empty-dir')
    .flatMap((volume) => volume.pods.map(({ targetPath }) => targetPath))
    .filter((path) => ((lstatSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o777) !== 0);
  return new Set([...declared, ...held]);
}
