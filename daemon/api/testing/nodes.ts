/** Nodes for unit tests, in few words. */
import type { NodeSpec, StoredNode } from '../node.ts';

export interface NodeWords {
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: NodeSpec;
}

export function storedNode(name: string, { labels = {}, spec = {} }: NodeWords = {}): StoredNode {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      namespace: '',
      uid: `uid-${name}`,
      resourceVersion: '0',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels,
    },
    spec,
  };
}
