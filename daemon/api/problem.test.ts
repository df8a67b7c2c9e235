import { expect, it } from 'vitest';
import { pathText } from './problem.ts';

it.each([
  [[], ''],
  [['spec', 'volumes', 0, 'emptyDir', 'medium'], 'spec.volumes[0].emptyDir.medium'],
  [['metadata', 'labels', 'app.kubernetes.io/name'], 'metadata.labels["app.kubernetes.io/name"]'],
  [['items', 2, 'kind'], 'items[2].kind'],
  [['a\nb'], '["a\\nb"]'],
])('%j is %s', (keys, text) => {
  expect(pathText(keys)).toBe(text);
});
