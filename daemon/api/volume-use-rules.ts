/** What containers ask of volumes and the pod does not have: rules over a whole pod spec (core/v1 validation.go). */

import { nearestName } from './nearest-name.ts';
import type { Container, PodSpec, Volume } from './pod.ts';
import type { Violation } from './schema.ts';

const containerLists = ['initContainers', 'containers', 'ephemeralContainers'] as const;

export function volumeUseViolations(spec: PodSpec): readonly Violation[] {
  const problems: Violation[] = [];
  const volumes = new Map<string, Volume>();
  for (const [index, volume] of (spec.volumes ?? []).entries()) {
    const keys = ['volumes', index, 'name'];
    if (volumes.has(volume.name)) problems.push({ keys, message: `a volume "${volume.name}" is declared already` });
    else volumes.set(volume.name, volume);
  }
  for (const list of containerLists) {
    for (const [index, container] of (spec[list] ?? []).entries()) {
      for (const found of containerViolations(container, volumes)) {
        problems.push({ keys: [list, index, ...found.keys], message: found.message });
      }
    }
  }
  return problems;
}

function containerViolations(container: Container, volumes: ReadonlyMap<string, Volume>): Violation[] {
  const mounted = new Set<string>();
  const paths = new Set<string>();
  const problems: Violation[] = [];
  for (const [index, { name, mountPath }] of (container.volumeMounts ?? []).entries()) {
    mounted.add(name);
    const keys = ['volumeMounts', index];
    if (!volumes.has(name)) problems.push({ keys: [...keys, 'name'], message: undeclared(name, volumes) });
    if (paths.has(mountPath)) {
      problems.push({ keys: [...keys, 'mountPath'], message: `${JSON.stringify(mountPath)} is mounted on already` });
    }
    paths.add(mountPath);
  }
  for (const [index, { name }] of (container.volumeDevices ?? []).entries()) {
    const message = deviceProblem(name, volumes, mounted);
    if (message !== undefined) problems.push({ keys: ['volumeDevices', index, 'name'], message });
  }
  return problems;
}

function deviceProblem(
  name: string,
  volumes: ReadonlyMap<string, Volume>,
  mounted: ReadonlySet<string>,
): string | undefined {
  const volume = volumes.get(name);
  if (volume === undefined) return undeclared(name, volumes);
  if (mounted.has(name)) return `volume "${name}" is in volumeMounts too: want it in one of them`;
  if (volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined) return undefined;
  return `volume "${name}" is no claim: only a claim of volumeMode Block can be a device`;
}

function undeclared(name: string, volumes: ReadonlyMap<string, Volume>): string {
  const declared = [...volumes.keys()];
  const nearest = nearestName(name, declared);
  if (nearest !== undefined) return `volume "${name}" is not declared in spec.volumes, did you mean "${nearest}"?`;
  const list = declared.length === 0 ? 'which is empty' : `which has ${declared.join(', ')}`;
  return `volume "${name}" is not declared in spec.volumes, ${list}`;
}
