import { describe, expect, it } from 'vitest';
import { instanceOf, podsNamedBy } from './pod-instance.ts';

const read = (instance: string) => podsNamedBy(instance).map(({ namespace, name }) => `${namespace}/${name}`);

describe('the pods that an instance may mean', () => {
  it.each([
    ['default-web', ['default/web']],
    ['my-ns-my-app', ['my/ns-my-app', 'my-ns/my-app', 'my-ns-my/app']],
    // The first pod of a StatefulSet "web", or a pod "0" of another namespace.
    ['default-web-0', ['default/web-0', 'default-web/0']],
    ['default-web\\x2d0', ['default/web-0']],
    ['my\\x2dns-my\\x2dapp', ['my-ns/my-app']],
    ['default-my\\x2dapp', ['default/my-app']],
    ['my-ns/my-app', ['my-ns/my-app']],
    ['default-web.v2', ['default/web.v2']],
  ])('%s: %j', (instance, pods) => {
    expect(read(instance)).toEqual(pods);
  });

  it.each(['', 'web', '-web', 'default-', 'a/b/c', '/web', 'my\\x2dapp', 'a-b-\\x2dc'])('%j: none', (instance) => {
    expect(read(instance)).toEqual([]);
  });

  it('is one for the instance made of a pod, whatever its dashes', () => {
    for (const pod of ['default/web', 'my-ns/my-app', 'a-b-c/d.e-f']) {
      const [namespace = '', name = ''] = pod.split('/');
      expect(read(instanceOf({ namespace, name }))).toEqual([pod]);
    }
  });
});
