/** Why a claim has no volume: its class, the pods it waits for, and each volume with the rules that exclude it. */
import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import { isTerminated } from '../api/pod.ts';
import { claimNamesOf } from '../api/pod-claims.ts';
import type { StoredStorageClass } from '../api/storage-class.ts';
import type { ExplainNode } from '../control/protocol.ts';
import type { ControlWait } from '../controllers/control-waits.ts';
import { type Exclusion, exclusionsOf } from '../plan/claim-exclusion.ts';
import { classOfClaim } from '../plan/claim-matching.ts';
import { matchesTopology } from '../plan/node-affinity.ts';
import type { DaemonSnapshot } from './daemon-snapshot.ts';
import { explainGrowth } from './explain-growth.ts';
import { waitObstacle } from './obstacle.ts';

export function explainClaim(claim: StoredPersistentVolumeClaim, snapshot: DaemonSnapshot): ExplainNode {
  const { namespace, name, creationTimestamp } = claim.metadata;
  const wait = snapshot.waits.get(`PersistentVolumeClaim/${namespace}/${name}`);
  const phase = claim.status?.phase ?? 'Pending';
  const subject = `claim ${namespace}/${name}`;
  const since = wait?.since ?? creationTimestamp;
  if (phase === 'Bound') {
    const detail = `bound to volume ${claim.spec.volumeName ?? ''}`;
    return { subject, state: phase, detail, since, causes: explainGrowth(claim, snapshot) };
  }
  const retryMs = wait?.retryAt === undefined ? undefined : Math.max(Math.round(wait.retryAt - snapshot.now), 0);
  return {
    ...{ subject, state: phase, detail: wait?.message ?? 'not processed yet', since },
    ...(retryMs === undefined ? {} : { nextRetryMs: retryMs }),
    ...(wait === undefined ? {} : reasonAndHelp(wait)),
    causes: [
      ...explainClass(claim, snapshot),
      ...explainConsumers(claim, snapshot),
      ...explainVolumes(claim, snapshot),
    ],
  };
}

function reasonAndHelp(wait: ControlWait): Partial<ExplainNode> {
  const { reason, help } = waitObstacle(wait);
  return help === undefined ? { reason } : { reason, help };
}

function explainClass(claim: StoredPersistentVolumeClaim, { objects, nodes }: DaemonSnapshot): readonly ExplainNode[] {
  const name = classOfClaim(claim) ?? '';
  if (name === '') return [];
  const subject = `class ${name}`;
  const found = objects.list('StorageClass').find(({ metadata }) => metadata.name === name);
  if (found === undefined) {
    const known = objects.list('StorageClass').map(({ metadata }) => metadata.name);
    const detail = known.length === 0 ? 'there is no class at all' : `there are ${known.sort().join(', ')}`;
    return [line(subject, 'Missing', detail)];
  }
  return [line(subject, found.spec.volumeBindingMode ?? 'Immediate', classFacts(found, nodes.own.labels))];
}

function classFacts({ spec }: StoredStorageClass, labels: Readonly<Record<string, string>>): string {
  if (spec.provisioner === 'kubernetes.io/no-provisioner') return 'it makes no volumes: one that fits must be declared';
  const made = `volumes are made by ${spec.provisioner}`;
  if (matchesTopology(spec.allowedTopologies, labels)) return made;
  return `${made}, and not on this node: allowedTopologies do not match its labels (moorctl describe node)`;
}

/** Pods that the claim is for, and why they have no node. */
function explainConsumers(
  claim: StoredPersistentVolumeClaim,
  { objects, waits }: DaemonSnapshot,
): readonly ExplainNode[] {
  const { namespace, name } = claim.metadata;
  return objects.list('Pod').flatMap((pod): readonly ExplainNode[] => {
    const uses = claimNamesOf(pod).includes(name);
    const wait = waits.get(`Pod/${pod.metadata.namespace}/${pod.metadata.name}`);
    // That a claim of the pod is not bound is what is being explained.
    const isCircular = wait === undefined || wait.message.includes('unbound immediate');
    if (!uses || isCircular || pod.metadata.namespace !== namespace || isTerminated(pod)) return [];
    return [{ ...line(`pod ${namespace}/${pod.metadata.name}`, 'Unscheduled', wait.message), reason: wait.reason }];
  });
}

/** So many volumes have a line of their own; more go together by the rules that exclude them. */
const mostLines = 12;
const mostNames = 20;

function explainVolumes(
  claim: StoredPersistentVolumeClaim,
  { objects, nodes }: DaemonSnapshot,
): readonly ExplainNode[] {
  const volumes = objects.list('PersistentVolume').map((volume) => ({
    volume,
    exclusions: exclusionsOf(claim, volume, nodes.own),
  }));
  if (volumes.length <= mostLines) return volumes.map(volumeLine);
  const groups = new Map<string, (typeof volumes)[number][]>();
  for (const entry of volumes) {
    const key = entry.exclusions.map(({ rule }) => rule).join(', ');
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [entry]);
    else known.push(entry);
  }
  return [...groups]
    .sort(([a, one], [b, other]) => Number(b === '') - Number(a === '') || other.length - one.length)
    .flatMap(([rules, entries]) => (entries.length === 1 ? entries.map(volumeLine) : [groupLine(rules, entries)]));
}

interface ExcludedVolume {
  readonly volume: StoredPersistentVolume;
  readonly exclusions: readonly Exclusion[];
}

function volumeLine({ volume, exclusions }: ExcludedVolume): ExplainNode {
  const why = exclusions.map(({ detail }) => detail).join('; ');
  return line(`volume ${volume.metadata.name}`, volume.status?.phase ?? 'Pending', why || 'it fits');
}

function groupLine(rules: string, entries: readonly ExcludedVolume[]): ExplainNode {
  const names = entries.map(({ volume }) => volume.metadata.name).sort();
  const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : '';
  const details = [...new Set(entries.map(({ exclusions }) => exclusions.map(({ detail }) => detail).join('; ')))];
  const [detail = ''] = details;
  const why = details.length > 1 ? `${detail}, or alike` : detail;
  const list = `${names.slice(0, mostNames).join(', ')}${more}`;
  return line(`${names.length} volumes`, rules === '' ? 'Fits' : rules, why === '' ? list : `${why}: ${list}`);
}

function line(subject: string, state: string, detail: string): ExplainNode {
  return { subject, state, detail, since: '', causes: [] };
}
