import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nfsPlugin } from '../../plugins/nfs/plugin.ts';
import { parseManifest } from '../adapters/manifest-parser.ts';
import { MemoryStateStore } from '../adapters/memory-state-store.ts';
import { Core } from '../core.ts';
import type { Logger } from '../ports/logger.ts';
import { FakeClock } from '../ports/testing/fake-clock.ts';
import { FakeHost, finalError, transientError, uncertainError } from '../ports/testing/fake-host.ts';
import { FakeUnits } from '../ports/testing/fake-units.ts';
import { explainPod } from '../status/explain.ts';
import { podViews } from '../status/pod-views.ts';
import { volumeViews } from '../status/volume-views.ts';
import { diskLayout } from '../world/disk-layout.ts';

const ignore = (): void => {};
const silent: Logger = { info: ignore, warn: ignore, error: ignore, debug: ignore };
const second = 1_000;

let host: FakeHost;
let clock: FakeClock;
let core: Core;
let state: MemoryStateStore;

beforeEach(async () => {
  host = new FakeHost();
  clock = new FakeClock();
  state = new MemoryStateStore();
  await start();
});

afterEach(async () => {
  await core.stop(0);
  expect(host.violations).toEqual([]);
});

async function start(): Promise<void> {
  const units = new FakeUnits();
  core = new Core({
    ...{
      state,
      host,
      clock,
      logger: silent,
      leases: units,
      services: units,
      limits: { pool: {} },
      heavyLimit: 2,
      copyLimit: 2,
    },
    layout: diskLayout('/r'),
    plugins: [nfsPlugin],
    machine: { name: 'node1', labels: {} },
    chance: { newUid: () => randomUUID(), random: () => 0, soon: setImmediate },
  });
  await core.reconstruct();
  core.start();
}

const share = (pod: string, path = '/srv', server = 'filer') => `
apiVersion: v1
kind: Pod
metadata: { name: ${pod}, uid: uid-${pod} }
spec:
  containers: [{ name: c, volumeMounts: [{ name: data, mountPath: /data }] }]
  volumes: [{ name: data, nfs: { server: ${server}, path: ${path} } }]
`;

async function want(...pods: readonly string[]): Promise<void> {
  core.takeManifests({
    kind: 'listing',
    listing: { directoryId: '1:1', files: [parseManifest('pods.yaml', pods.join('---\n'))] },
  });
  await settle();
}

async function settle(): Promise<void> {
  for (let turn = 0, quiet = 0, before = ''; quiet < 20; turn++) {
    expect(turn, 'the daemon does not come to rest').toBeLessThan(5000);
    clock.advance(0);
    await new Promise(setImmediate);
    const now = `${host.log.length} ${core.revision.value}`;
    quiet = now === before ? quiet + 1 : 0;
    before = now;
  }
}

/** In steps, so that what answers does so before the next timer. */
async function after(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 5 * second) {
    clock.advance(Math.min(left, 5 * second));
    await settle();
  }
}

/** "web:Mounted, api:Stalled" */
function states(): string {
  const views = podViews(core.snapshot());
  return views.map(({ metadata, status }) => `${metadata.name}:${status.volumes[0]?.state}`).join(', ');
}

const targetOf = (pod: string) => {
  const view = podViews(core.snapshot()).find(({ metadata }) => metadata.name === pod);
  return view?.status.volumes[0]?.path ?? '';
};

const events = () => core.events.list().map(({ reason, regarding }) => `${reason} ${regarding}`);
const messages = (reason: string) =>
  core.events.list().flatMap((event) => (event.reason === reason ? event.message : []));
const calls = (effect: Parameters<FakeHost['next']>[0]) => host.calls.get(effect) ?? 0;

/** Probes do not come back until `answer` is called. */
function hang(): () => void {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  host.always('probeNfs', { kind: 'hang', until: promise.then(ignore) });
  return () => {
    host.heal('probeNfs');
    resolve(undefined);
  };
}

describe('a server that answers', () => {
  it('gives each pod a mount of its own, nosuid and nodev, and takes it away', async () => {
    await want(share('web'), share('api'));
    expect(states()).toBe('web:Mounted, api:Mounted');
    expect(host.mountsAt(targetOf('web'))).toMatchObject([
      { source: 'filer:/srv', fsType: 'nfs4', options: ['rw', 'nosuid', 'nodev'] },
    ]);
    await want(share('api'));
    expect(host.mountPoints).toEqual([targetOf('api')]);
    await want();
    expect(host.mountPoints).toEqual([]);
    expect([...host.entries.keys()].filter((path) => path.startsWith('/r/pods/'))).toEqual([]);
  });

  it('is asked once for all its mounts, then every 20 s, and no longer than it has one', async () => {
    await want(share('web'), share('api', '/other'), share('alone', '/srv', 'second'));
    const before = calls('probeNfs');
    await after(20 * second);
    expect(calls('probeNfs')).toBe(before + 2);
    await after(19 * second);
    expect(calls('probeNfs')).toBe(before + 2);
    await want();
    await after(60 * second);
    expect(calls('probeNfs')).toBe(before + 2);
    expect(clock.waiting).toBe(0);
  });

  it('is not called stalled because a probe could not run', async () => {
    await want(share('web'));
    host.always('probeNfs', { kind: 'fail', error: finalError('no such tool', 'Unimplemented') });
    await after(60 * second);
    expect(states()).toBe('web:Mounted');
    expect(events()).toEqual([]);
  });

  it('mends flags without touching the mount itself', async () => {
    await want(share('web'));
    host.remountFromOutside(targetOf('web'), ['rw', 'nodev']);
    await settle();
    expect(host.mountsAt(targetOf('web'))).toMatchObject([{ options: ['rw', 'nosuid', 'nodev'] }]);
    expect(calls('setNfsFlags')).toBe(1);
  });
});

describe('a server that stops answering', () => {
  it('stalls its own volumes after 10 s, by name, and nobody else', async () => {
    await want(share('web'), share('other', '/srv', 'second'));
    await after(20 * second);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    host.next('probeNfs', { kind: 'hang', until: promise.then(ignore) });
    await after(29 * second);
    expect(states()).toBe('web:Mounted, other:Mounted');
    await after(second);
    expect(states()).toBe('web:Stalled, other:Mounted');
    const [web, other] = podViews(core.snapshot());
    expect(web?.status.phase).toBe('Stalled');
    expect(web?.status.conditions[0]).toMatchObject({ status: 'False', reason: 'ServerStalled' });
    expect(web?.status.volumes[0]?.message).toBe(
      'NFS server "filer" does not answer since 2026-01-01T00:00:50.000Z: no answer for 10 s',
    );
    expect(other?.status.phase).toBe('Ready');
    expect(volumeViews(core.snapshot()).filter(({ state: shown }) => shown === 'Stalled')).toMatchObject([
      { pods: ['default/web'], message: expect.stringContaining('"filer"') },
    ]);
    expect(events()).toEqual(['ServerStalled Pod/default/web']);
    const pod = core.objects.list('Pod').find(({ metadata }) => metadata.name === 'web');
    expect(pod && explainPod(pod, core.snapshot())).toMatchObject({
      state: 'Stalled',
      causes: [{ state: 'Stalled', detail: expect.stringContaining('"filer"'), since: '2026-01-01T00:00:50.000Z' }],
    });
    resolve(undefined);
    await settle();
  });

  it('has one probe waiting for it, whose return is the recovery', async () => {
    await want(share('web'), share('api'));
    const answer = hang();
    await after(20 * second);
    const probes = calls('probeNfs');
    await after(40 * second);
    expect(states()).toBe('web:Stalled, api:Stalled');
    expect(calls('probeNfs')).toBe(probes);
    answer();
    await settle();
    expect(states()).toBe('web:Mounted, api:Mounted');
    expect(events()).toEqual([
      'ServerStalled Pod/default/web',
      'ServerStalled Pod/default/api',
      'ServerAnswers Pod/default/web',
      'ServerAnswers Pod/default/api',
    ]);
    expect(calls('unmountNfs')).toBe(0);
  });

  it('is asked again 5 s after a probe ran into its deadline', async () => {
    await want(share('web'));
    host.always('probeNfs', { kind: 'fail', error: uncertainError() });
    await after(20 * second);
    expect(states()).toBe('web:Stalled');
    host.heal('probeNfs');
    await after(5 * second);
    expect(states()).toBe('web:Mounted');
  });

  it('is known soon after a restart, which itself does not wait for it', async () => {
    await want(share('web'));
    await core.stop(0);
    const answer = hang();
    await start();
    await want(share('web'));
    expect(states()).toBe('web:Mounted');
    await after(10 * second);
    expect(states()).toBe('web:Stalled');
    answer();
    await settle();
  });
});

describe('a server that is down when its pods start', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const all = names.map((name) => share(name, `/srv/${name}`));

  it('is tried with one mount at a time, and all are mounted at once when it is back', async () => {
    host.always('mountNfs', { kind: 'fail', error: uncertainError() });
    await want(...all);
    expect(states()).toBe(names.map((name) => `${name}:Stalled`).join(', '));
    const first = calls('mountNfs');
    expect(first).toBeLessThanOrEqual(names.length);
    for (let round = 0; round < 8; round++) await after(122 * second);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    host.always('mountNfs', { kind: 'hang', until: promise.then(ignore) });
    await after(122 * second);
    expect(core.executor.running).toHaveLength(1);
    host.heal('mountNfs');
    resolve(undefined);
    await settle();
    expect(states()).toBe(names.map((name) => `${name}:Mounted`).join(', '));
  });

  it('leaves the mounts of other servers alone, however many wait for it', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    host.next('mountNfs', ...names.slice(0, 4).map(() => ({ kind: 'hang', until: promise.then(ignore) }) as const));
    await want(...all, share('z', '/srv', 'second'));
    expect(core.executor.running).toHaveLength(4);
    expect(states()).toContain('z:Mounted');
    resolve(undefined);
    await settle();
  });

  it('that refuses is one that answers', async () => {
    host.always('mountNfs', { kind: 'fail', error: finalError('access denied', 'PermissionDenied') });
    await want(share('web'));
    expect(states()).toBe('web:Failed');
    host.always('mountNfs', { kind: 'fail', error: transientError('Connection refused') });
    await after(122 * second);
    expect(states()).toBe('web:Stalled');
    host.always('mountNfs', { kind: 'fail', error: finalError('access denied', 'PermissionDenied') });
    await after(122 * second);
    expect(states()).toBe('web:Failed');
  });

  it('is forgotten with the last pod that wanted it', async () => {
    host.always('mountNfs', { kind: 'fail', error: uncertainError() });
    await want(share('web'));
    expect(core.servers.stalled.size).toBe(1);
    await want();
    expect(core.servers.stalled.size).toBe(0);
    expect(host.mountPoints).toEqual([]);
  });
});

describe('a pod that goes while its server does not answer', () => {
  async function stalled(...pods: readonly string[]): Promise<void> {
    await want(...pods);
    host.always('probeNfs', { kind: 'fail', error: uncertainError() });
    await after(20 * second);
    expect(states()).toContain('Stalled');
  }

  it('is unmounted when nobody uses the mount: no force', async () => {
    await stalled(share('web'));
    await want();
    expect(host.mountPoints).toEqual([]);
    expect(host.log).not.toContainEqual(expect.stringContaining('by force'));
    expect(events()).not.toContain('ForcedUnmount Pod/default/web');
  });

  it('is done when the table is clear although umount hangs, and the unconfirmed writes are told', async () => {
    await stalled(share('web'));
    host.next('unmountNfs', { kind: 'failAfterSuccess', error: uncertainError() });
    await want();
    expect(states()).toBe('');
    expect(messages('UnmountedUnconfirmed')).toEqual([expect.stringContaining('lost if this machine restarts first')]);
  });

  it('is unmounted by force when its users hang, and the lost writes are told', async () => {
    await stalled(share('web'));
    host.usedNfs.add(targetOf('web'));
    await want();
    expect(host.mountPoints).toHaveLength(1);
    await after(second);
    expect(host.mountPoints).toEqual([]);
    expect(calls('unmountNfs')).toBe(3);
    expect(messages('ForcedUnmount')).toEqual([expect.stringMatching(/"filer" does not answer: writes .* are lost$/)]);
  });

  it('keeps its mount while force would lose the writes of another pod', async () => {
    await stalled(share('web'), share('api'));
    const target = targetOf('web');
    host.usedNfs.add(target);
    await want(share('api'));
    expect(host.mountPoints).toEqual([target, targetOf('api')]);
    expect(messages('FailedUnmount').at(-1)).toContain(`would lose the writes of "${targetOf('api')}" too`);
    host.usedNfs.delete(target);
    await after(122 * second);
    expect(host.mountPoints).toEqual([targetOf('api')]);
  });

  it('is never forced while the server answers', async () => {
    await want(share('web'));
    host.usedNfs.add(targetOf('web'));
    const target = targetOf('web');
    await want();
    await after(122 * second);
    expect(host.mountPoints).toEqual([target]);
    expect(messages('FailedUnmount')).toEqual([expect.stringContaining('busy')]);
  });
});

describe('a stale file handle', () => {
  it('is told and mended by a new mount', async () => {
    await want(share('web'), share('api', '/other'));
    const [old] = host.mountsAt(targetOf('web'));
    host.staleNfs.add(targetOf('web'));
    await after(20 * second);
    expect(states()).toBe('web:Mounted, api:Mounted');
    expect(host.mountsAt(targetOf('web'))[0]?.id).not.toBe(old?.id);
    expect(events()).toEqual(['StaleFileHandle Pod/default/web']);
    expect(calls('unmountNfs')).toBe(1);
  });

  it('waits for the users of the mount, says so, and never forces', async () => {
    await want(share('web'));
    const target = targetOf('web');
    host.staleNfs.add(target);
    host.usedNfs.add(target);
    await after(20 * second);
    const [pod] = podViews(core.snapshot());
    expect(pod?.status.volumes).toMatchObject([
      { state: 'Failed', message: `Cannot renew the stale mount at "${target}": it is in use` },
    ]);
    expect(host.mountPoints).toEqual([target]);
    host.usedNfs.delete(target);
    await after(122 * second);
    expect(states()).toBe('web:Mounted');
    expect(host.log).not.toContainEqual(expect.stringContaining('by force'));
  });

  it('that is well again is left as it is', async () => {
    await want(share('web'));
    const target = targetOf('web');
    const [old] = host.mountsAt(target);
    host.staleNfs.add(target);
    host.usedNfs.add(target);
    await after(20 * second);
    host.staleNfs.delete(target);
    await after(122 * second);
    expect(states()).toBe('web:Mounted');
    expect(host.mountsAt(target)[0]?.id).toBe(old?.id);
  });
});
