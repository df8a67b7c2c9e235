import type { TrashView } from '../../control/protocol.ts';
import { ageOf } from '../age.ts';
import type { Resource } from './resource.ts';

export const trash: Resource<'trash'> = {
  kind: 'trash',
  singular: 'trash',
  qualified: 'trash',
  aliases: ['trash'],
  isNamespaced: false,
  isObject: false,
  eventKind: 'Path',
  items: (reply) => reply.trash,
  withItems: (_reply, items) => ({ trash: items }),
  nameOf: ({ name }) => name,
  identityOf: ({ path }: TrashView) => path,
  namespaceOf: () => '',
  columns: [
    { header: 'NAME', cell: ({ name }) => name },
    { header: 'OWNER', cell: ({ owner }) => owner },
    { header: 'SIZE', cell: ({ size }) => size },
    { header: 'DELETED', cell: ({ deletedAt }, nowMs) => ageOf(deletedAt, nowMs) },
    { header: 'KEPT UNTIL', cell: ({ keptUntil }) => keptUntil },
    { header: 'PATH', cell: ({ path }) => path, wide: true },
  ],
};
