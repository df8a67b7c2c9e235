import type { ManifestFile, ManifestProblem, OperationView } from '../../control/protocol.ts';
import { ageOf, formatAge } from '../age.ts';
import type { Resource } from './resource.ts';

export const operations: Resource<'operations'> = {
  kind: 'operations',
  singular: 'operation',
  qualified: 'operation',
  aliases: ['op', 'ops', 'operation', 'operations'],
  isNamespaced: false,
  isObject: false,
  eventKind: '',
  items: (reply) => reply.operations,
  withItems: (_reply, items) => ({ operations: items }),
  nameOf: ({ volume }) => volume,
  identityOf: ({ kind, volume, pod, copy }) => [kind, volume, pod, copy?.for ?? ''].join(' '),
  namespaceOf: () => '',
  columns: [
    { header: 'OPERATION', cell: ({ kind }) => kind },
    { header: 'VOLUME', cell: ({ volume }) => volume },
    { header: 'POD', cell: ({ pod }) => pod },
    { header: 'STATE', cell: ({ state }) => state, state: true },
    { header: 'ATTEMPTS', cell: ({ attempts }) => String(attempts) },
    { header: 'NEXT', cell: formatNextRetry },
    { header: 'AGE', cell: ({ startedAt }, nowMs) => ageOf(startedAt, nowMs) },
    { header: 'PROGRESS', cell: ({ copy }) => (copy === undefined ? '' : formatProgress(copy)) },
    { header: 'LAST ERROR', cell: ({ lastError }) => lastError },
    { header: 'REASON', cell: ({ reason }) => reason, wide: true },
  ],
};

export const events: Resource<'events'> = {
  kind: 'events',
  singular: 'event',
  qualified: 'event',
  aliases: ['ev', 'event', 'events'],
  isNamespaced: false,
  isObject: false,
  eventKind: '',
  items: (reply) => reply.events.toSorted((a, b) => Date.parse(a.lastTimestamp) - Date.parse(b.lastTimestamp)),
  withItems: (_reply, items) => ({ events: items }),
  nameOf: ({ regarding }) => regarding,
  identityOf: ({ regarding, reason, message }) => [regarding, reason, message].join(' '),
  namespaceOf: () => '',
  columns: [
    { header: 'LAST SEEN', cell: ({ lastTimestamp }, nowMs) => ageOf(lastTimestamp, nowMs) },
    { header: 'TYPE', cell: ({ type }) => type, state: true },
    { header: 'REASON', cell: ({ reason }) => reason },
    { header: 'OBJECT', cell: ({ regarding }) => regarding },
    { header: 'COUNT', cell: ({ count }) => String(count), wide: true },
    { header: 'FIRST SEEN', cell: ({ firstTimestamp }, nowMs) => ageOf(firstTimestamp, nowMs), wide: true },
    { header: 'MESSAGE', cell: ({ message }) => message },
  ],
};

export const manifests: Resource<'manifests'> = {
  kind: 'manifests',
  singular: 'manifest',
  qualified: 'manifest',
  aliases: ['mf', 'manifest', 'manifests'],
  isNamespaced: false,
  isObject: false,
  eventKind: 'Manifest',
  items: (reply) => reply.manifests,
  withItems: (reply, items) => ({ ...reply, manifests: items }),
  warning: ({ problem }) => (problem === undefined ? '' : `${problem.file}: ${describeProblem(problem)}`),
  nameOf: ({ name }) => name,
  namespaceOf: () => '',
  columns: [
    { header: 'NAME', cell: ({ name }) => name },
    { header: 'STATE', cell: ({ state }) => state, state: true },
    { header: 'OBJECTS', cell: ({ objects }) => String(objects.length) },
    { header: 'IGNORED', cell: ({ ignored }) => String(ignored.length) },
    { header: 'PROBLEM', cell: firstProblem },
  ],
};

/** "now" while it runs; a copy that waits for its turn has no time. */
function formatNextRetry({ state, nextRetryMs, copy }: OperationView): string {
  if (copy !== undefined && state === 'waiting') return 'in turn';
  return state === 'running' ? 'now' : formatAge(nextRetryMs);
}

/** "120Mi of 400Mi"; '' before there is anything. */
export function formatProgress({ doneBytes, totalBytes }: NonNullable<OperationView['copy']>): string {
  const mebibytes = (bytes: number): string => `${Math.floor(bytes / 2 ** 20)}Mi`;
  return totalBytes === 0 ? '' : `${mebibytes(doneBytes)} of ${mebibytes(totalBytes)}`;
}

function firstProblem({ problems }: ManifestFile): string {
  const [first, ...more] = problems;
  if (first === undefined) return '';
  return more.length === 0 ? describeProblem(first) : `${describeProblem(first)} (and ${more.length} more)`;
}

/** "document 2, line 14, spec.volumes[0]: unknown key …", without the file's name. */
export function describeProblem({ document, line, path, message }: ManifestProblem): string {
  const place = [
    document === undefined ? '' : `document ${document}`,
    line === undefined ? '' : `line ${line}`,
    path ?? '',
  ].filter((part) => part !== '');
  return place.length === 0 ? message : `${place.join(', ')}: ${message}`;
}
