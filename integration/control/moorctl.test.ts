import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type CliOptions,
  type CliResult,
  cliScript,
  eventually,
  freshSocketPath,
  moorctl,
  type RunningStub,
  removeDirectories,
  startStub,
} from './running-stub.ts';
import { created, dataPath, sick, stubState, volumeName, web } from './stub-state.ts';

/** Its volume has failed in a way that no attempt mends. */
const doomed: typeof sick = {
  ...sick,
  status: { ...sick.status, volumes: sick.status.volumes.map((one) => ({ ...one, needsChange: true })) },
};

let stub: RunningStub;

beforeAll(async () => {
  stub = await startStub();
});
afterAll(async () => {
  await stub[Symbol.asyncDispose]();
});
beforeEach(() => {
  stub.handlers.change(stubState);
});

function run(line: string, options: CliOptions = {}): Promise<CliResult> {
  return moorctl(line.split(' '), { ...options, env: { MOORED_SOCKET: stub.socketPath, ...options.env } });
}

function pods(...items: (typeof web)[]): { readonly replies: typeof stubState.replies } {
  return { replies: { ...stubState.replies, pods: { apiVersion: 'v1', kind: 'List', items } } };
}

function ok(...lines: readonly string[]): CliResult {
  return { code: 0, stdout: lines.map((line) => `${line}\n`).join(''), stderr: '' };
}

function failed(code: number, ...stderr: readonly string[]): CliResult {
  return { code, stdout: '', stderr: stderr.map((line) => `${line}\n`).join('') };
}

describe('get prints tables as kubectl does', () => {
  test.each([
    ['get pods', ['NAME   READY   STATUS   AGE', 'web    1/1     Ready    4d2h']],
    [
      'get vs',
      [
        'NAME     READYTOUSE   SOURCEPVC   SOURCESNAPSHOTCONTENT   RESTORESIZE   SNAPSHOTCLASS   SNAPSHOTCONTENT      CREATIONTIME   AGE',
        'data-1   true         data        <none>                  64Mi          nightly         snapcontent-uid-vs   <none>         4d2h',
      ],
    ],
    [
      'get vsclass',
      ['NAME      DRIVER            DELETIONPOLICY   AGE', 'nightly   loop.moored.dev   Delete           4d2h'],
    ],
    [
      'get vsc',
      [
        'NAME                 READYTOUSE   RESTORESIZE   DELETIONPOLICY   DRIVER            VOLUMESNAPSHOTCLASS   VOLUMESNAPSHOT   VOLUMESNAPSHOTNAMESPACE   AGE',
        'snapcontent-uid-vs   true         67108864      Delete           loop.moored.dev   nightly               data-1           default                   4d2h',
      ],
    ],
    ['get po -n other --no-headers', ['sick   1/2   Pending   4d2h']],
    [
      'get pod -A',
      [
        'NAMESPACE   NAME   READY   STATUS    AGE',
        'default     web    1/1     Ready     4d2h',
        'other       sick   1/2     Pending   4d2h',
      ],
    ],
    [
      'get pods -A -l app=db',
      ['NAMESPACE   NAME   READY   STATUS    AGE', 'other       sick   1/2     Pending   4d2h'],
    ],
    [
      'get pod/web -o wide',
      ['NAME   READY   STATUS   AGE    REASON    UID', 'web    1/1     Ready    4d2h   Mounted   uid-web'],
    ],
    [
      'get pvc',
      [
        'NAME    STATUS    VOLUME   CAPACITY   ACCESS MODES   STORAGECLASS   AGE',
        'data    Bound     pvc-1    64Mi       RWO            fast           4d2h',
        'extra   Pending   <none>   <none>     <none>         <none>         4d2h',
      ],
    ],
    [
      'get pv',
      [
        'NAME    CAPACITY   ACCESS MODES   RECLAIM POLICY   STATUS   CLAIM          STORAGECLASS   REASON   AGE',
        'pvc-1   64Mi       RWO,ROX        Delete           Bound    default/data   fast           <none>   4d2h',
      ],
    ],
    [
      'get sc',
      [
        'NAME             PROVISIONER       RECLAIMPOLICY   VOLUMEBINDINGMODE   ALLOWVOLUMEEXPANSION   AGE',
        'fast (default)   loop.moored.dev   Delete          Immediate           false                  4d2h',
      ],
    ],
    [
      'get volumes',
      [
        'NAME                                      PLUGIN            STATE     DEVICE       CLAIM          PODS',
        `${volumeName}   loop.moored.dev   Mounted   /dev/loop7   default/data   default/web`,
      ],
    ],
    [
      'get ops',
      [
        'OPERATION     VOLUME   POD          STATE     ATTEMPTS   NEXT   AGE    PROGRESS         LAST ERROR',
        'mountVolume   b        other/sick   waiting   3          14s    4d2h   <none>           Cannot mount "/dev/loop3": wrong fs type',
        'copyImage     c        <none>       running   1          now    4d2h   120Mi of 400Mi   <none>',
      ],
    ],
    [
      'get events -A',
      [
        'LAST SEEN   TYPE      REASON                  OBJECT              MESSAGE',
        '4d2h        Normal    SuccessfulMountVolume   Pod/default/web     Mounted "data"',
        '4d2h        Warning   BadManifest             Manifest/bad.yaml   refused',
        '3d1h        Warning   FailedMount             Pod/other/sick      Cannot mount "/dev/loop3": wrong fs type',
      ],
    ],
    [
      'get mf',
      [
        'NAME       STATE   OBJECTS   IGNORED   PROBLEM',
        'bad.yaml   bad     0         1         document 1, line 14, spec.volumes[0]: unknown key "emptydir" (and 1 more)',
        'web.yaml   good    0         0         <none>',
      ],
    ],
    [
      'get pods,pvc',
      [
        'NAME      READY   STATUS   AGE',
        'pod/web   1/1     Ready    4d2h',
        '',
        'NAME                          STATUS    VOLUME   CAPACITY   ACCESS MODES   STORAGECLASS   AGE',
        'persistentvolumeclaim/data    Bound     pvc-1    64Mi       RWO            fast           4d2h',
        'persistentvolumeclaim/extra   Pending   <none>   <none>     <none>         <none>         4d2h',
      ],
    ],
    ['get pods,sc -o name', ['pod/web', 'storageclass.storage.k8s.io/fast']],
    [
      'get vs,vsclass -o name',
      ['volumesnapshot.snapshot.storage.k8s.io/data-1', 'volumesnapshotclass.snapshot.storage.k8s.io/nightly'],
    ],
  ])('%s', async (line, lines) => {
    expect(await run(line)).toEqual(ok(...lines));
  });

  test('nothing found is a message and no failure; what is missing by name is', async () => {
    expect(await run('get pods -n empty')).toEqual(failed(0, 'No resources found in empty namespace.'));
    stub.handlers.change({ replies: { ...stubState.replies, asw: { volumes: [] } } });
    expect(await run('get asw')).toEqual(failed(0, 'No resources found'));
    expect(await run('get pods nope')).toEqual(
      failed(3, 'error: Cannot get pod "nope" in namespace "default": not found'),
    );
    expect(await run('get pod nope -o json')).toEqual(
      failed(3, 'error: Cannot get pod "nope" in namespace "default": not found'),
    );
    expect(await run('get pv nope')).toEqual(failed(3, 'error: Cannot get persistentvolume "nope": not found'));
  });

  test('a manifest directory that cannot be read is said on stderr', async () => {
    const problem = { file: '/etc/moored/manifests', message: 'permission denied' };
    stub.handlers.change({ replies: { ...stubState.replies, manifests: { manifests: [], problem } } });
    const { code, stderr } = await run('get mf');
    expect({ code, stderr: stderr.split('\n')[0] }).toEqual({
      code: 0,
      stderr: 'warning: /etc/moored/manifests: permission denied',
    });
  });
});

describe('get -o json and yaml', () => {
  test.each(['asw', 'dsw', 'volumes'] as const)('%s is exactly {"volumes": […]}', async (kind) => {
    const { code, stdout, stderr } = await run(`get ${kind} -o json`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual(stubState.replies[kind]);
    const [volume] = stubState.replies[kind].volumes;
    expect(JSON.parse((await run(`get ${kind} ${volumeName} -o json`)).stdout)).toEqual(volume);
  });

  test('objects are a List; one by name is itself', async () => {
    expect(JSON.parse((await run('get pods -A -o json')).stdout)).toEqual({
      apiVersion: 'v1',
      kind: 'List',
      items: [web, sick],
    });
    expect(JSON.parse((await run('get pods -o json')).stdout)).toEqual({
      apiVersion: 'v1',
      kind: 'List',
      items: [web],
    });
    expect(JSON.parse((await run('get pods web -o json')).stdout)).toEqual(web);
    const both = JSON.parse((await run('get pod/web sc/fast -ojson')).stdout) as { items: { kind: string }[] };
    expect(both.items.map(({ kind }) => kind)).toEqual(['Pod', 'StorageClass']);
    expect(JSON.parse((await run('get pods -n empty -o=json')).stdout)).toEqual({
      apiVersion: 'v1',
      kind: 'List',
      items: [],
    });
  });

  test('yaml', async () => {
    expect(await run('get dsw -o yaml')).toEqual(
      ok(
        'volumes:',
        `- name: ${volumeName}`,
        '  plugin: loop.moored.dev',
        '  globalMountPath: /var/lib/moored/plugins/kubernetes.io/csi/loop.moored.dev/x/globalmount',
        '  pods:',
        '  - namespace: default',
        '    name: web',
        '    uid: uid-web',
        `    targetPath: ${dataPath}`,
        '    readOnly: false',
      ),
    );
  });
});

describe('get -w', () => {
  test('prints the list, then every item that changes, then what is gone', async () => {
    const steps = [
      // The second pod is new, the first one is as it was.
      () => stub.handlers.change(pods(web, { ...sick, metadata: { ...sick.metadata, namespace: 'default' } })),
      () => stub.handlers.change(pods(web)),
    ];
    const { stdout, stderr } = await run('get pods -w', {
      onStdout: (text, kill) => {
        const next = text.split('\n').length - 3;
        if (next >= 0 && next < steps.length) steps[next]?.();
        if (next === steps.length) kill();
      },
    });
    expect(stderr).toBe('');
    expect(stdout.split('\n')).toEqual([
      'NAME   READY   STATUS   AGE',
      'web    1/1     Ready    4d2h',
      'sick   1/2     Pending   4d2h',
      'sick   1/2     Deleted   4d2h',
      '',
    ]);
  });

  test('ends quietly when nobody reads any more', async () => {
    const env = { MOORED_SOCKET: stub.socketPath };
    const child = spawn(process.execPath, [cliScript, 'get', 'po', '-w'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.stdout.destroy();
    // A change makes it write again, into the closed pipe.
    await eventually(() => stub.handlers.waiting === 1);
    stub.handlers.change(pods({ ...web, metadata: { ...web.metadata, generation: 2 } }));
    expect(await ended).toBe(0);
    expect(stderr).toBe('');
  });

  test('output that cannot be written is an error', () => {
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, [cliScript, 'version', '--client'], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    closeSync(full);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'error: Cannot write to stdout: ENOSPC: no space left on device, write\n',
    });
  });

  test('ends with exit code 4 when the daemon goes away', async () => {
    const own = await startStub();
    const result = moorctl(['--socket', own.socketPath, 'get', 'pods', '-w', '-o', 'name']);
    await eventually(() => own.handlers.waiting === 1);
    await own.server.close();
    expect(await result).toEqual({
      code: 4,
      stdout: 'pod/web\n',
      stderr: `error: Cannot reach moored at "${own.socketPath}": no such file; see: systemctl status moored\n`,
    });
    removeDirectories(own.socketPath);
  });
});

describe('describe', () => {
  test('a pod with its conditions, volumes and events', async () => {
    expect(await run('describe pod sick -n other')).toEqual(
      ok(
        'Name:         sick',
        'Namespace:    other',
        'UID:          uid-sick',
        'Labels:       app=db',
        'Annotations:  <none>',
        `Created:      ${created} (4d2h ago)`,
        'Finalizers:   <none>',
        'Status:       Pending',
        'Ready:        1/2',
        'Conditions:',
        '  Type           Status   Reason        Since   Message',
        '  VolumesReady   False    FailedMount   4d2h    1 of 2 volumes is not mounted',
        'Volumes:',
        '  Name   State     Path   Volume   Message',
        '  a      Mounted   /p/a   a        <none>',
        '  b      Failed    /p/b   b        Cannot mount "/dev/loop3": wrong fs type',
        'What To Do:',
        '  About      Reason        Advice',
        '  volume b   FailedMount   blkid /dev/loop3',
        '  volume b   FailedMount   dmesg | tail',
        'Events:',
        '  Type      Reason        Age                   Message',
        '  Warning   FailedMount   3d1h (x3 over 4d2h)   Cannot mount "/dev/loop3": wrong fs type',
      ),
    );
  });

  test('a volume with its mounts and operations', async () => {
    const { code, stdout } = await run(`describe vol/${volumeName}`);
    expect(code).toBe(0);
    expect(stdout).toContain('Device State:  DeviceGloballyMounted\n');
    expect(stdout).toContain(`  default/web   VolumeMounted   uid-web   false      ${dataPath}\n`);
    expect(stdout).toContain('Operations:    <none>\n');
  });

  test.each([
    ['pvc/data', 'Used By:       web\n'],
    [
      'pvc/extra',
      'What To Do:\n  About                 Reason          Advice\n  claim default/extra   FailedBinding   moorctl get pv\n',
    ],
    [
      'mf/bad.yaml',
      'What To Do:\n  About               Reason        Advice\n  Manifest/bad.yaml   BadManifest   mend the file',
    ],
    ['pv/pvc-1', 'VolumeAttributes:  path=/var/lib/moored/images/x.img\n'],
    ['sc/fast', 'Is Default:        Yes\n'],
    [`asw/${volumeName}`, 'Device:             /dev/loop7\n'],
    [`dsw/${volumeName}`, `  default/web   uid-web   false      ${dataPath}\n`],
    ['op/b', 'Next Attempt:  in 14s\n'],
    ['op/c', 'Copied:        120Mi of 400Mi\n'],
    ['mf/bad.yaml', '           and more\n'],
  ])('%s', async (reference, expected) => {
    const { code, stdout, stderr } = await run(`describe ${reference}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(expected);
  });

  test('what is not there', async () => {
    expect(await run('describe pod/nope')).toEqual(
      failed(3, 'error: Cannot describe pod "nope" in namespace "default": not found'),
    );
    expect((await run('describe events')).code).toBe(2);
  });
});

describe('hold', () => {
  const line = 'hold default-web --unit web.service';

  test('a pod that is mounted: asks with the instance as given', async () => {
    expect(await run(line)).toEqual(ok('default-web held by web.service'));
    expect(stub.handlers.holds.at(-1)).toEqual({ instance: 'default-web', unit: 'web.service' });
  });

  test('waits for the pod, and through a daemon that is not there yet', async () => {
    const socketPath = freshSocketPath();
    const result = run(`${line} --timeout 1m`, { env: { MOORED_SOCKET: socketPath } });
    await using late = await startStub({ socketPath });
    late.handlers.change({ hold: { held: false, pod: '', message: 'no such pod: default/web' } });
    await eventually(() => late.handlers.waiting === 1);
    late.handlers.change({ hold: stubState.hold });
    expect(await result).toEqual(ok('default-web held by web.service'));
  });

  test('takes no answer from a daemon that has not read the manifests', async () => {
    stub.handlers.change({ ready: false });
    const { code, stderr } = await run(`${line} --timeout 50ms`);
    expect(code).toBe(1);
    expect(stderr).toContain('timed out after 50ms: the daemon is still rebuilding its worlds');
  });

  test('exits 1 with the last reason when the time is over, 4 without a daemon, 2 without a unit', async () => {
    stub.handlers.change({ hold: { held: false, pod: 'default/web', message: 'data: claim "data" is Pending' } });
    expect(await run(`${line} --timeout 50ms`)).toEqual(
      failed(1, 'error: Cannot hold "default-web": timed out after 50ms: data: claim "data" is Pending'),
    );
    expect((await run(`${line} --timeout 0`, { env: { MOORED_SOCKET: '/nonexistent/moored.sock' } })).code).toBe(4);
    expect((await run('hold default-web')).code).toBe(2);
  });
});

describe('wait', () => {
  test('a pod that is mounted', async () => {
    expect(await run('wait pod/web --for=mounted')).toEqual(ok('pod/web mounted'));
  });

  test('a pod that is not: exit 1 with the reason word for word', async () => {
    expect(await run('wait pod/sick -n other --timeout 50ms')).toEqual(
      failed(
        1,
        'error: Cannot wait for pod "sick" in namespace "other" to be mounted: timed out after 50ms: 1 of 2 volumes is not mounted',
        '  volume "b" Failed (FailedMount): Cannot mount "/dev/loop3": wrong fs type',
        '    -> blkid /dev/loop3',
        '    -> dmesg | tail',
      ),
    );
    expect(await run('wait pod/nope --timeout 0')).toEqual(
      failed(
        1,
        'error: Cannot wait for pod "nope" in namespace "default" to be mounted: timed out after 0: no such pod',
        '  manifest "bad.yaml" is not understood: document 1, line 14, spec.volumes[0]: unknown key "emptydir"',
      ),
    );
  });

  test('a pod that only a change will help: exit 1 long before the time is over, with what to do', async () => {
    stub.handlers.change(pods(doomed));
    const { code, stderr } = await run('wait pod/sick -n other --timeout 10m');
    expect(code).toBe(1);
    expect(stderr.split('\n')).toEqual([
      'error: Cannot wait for pod "sick" in namespace "other" to be mounted: waiting will not mend it: 1 of 2 volumes is not mounted',
      '  volume "b" Failed (FailedMount): Cannot mount "/dev/loop3": wrong fs type',
      '    -> blkid /dev/loop3',
      '    -> dmesg | tail',
      '',
    ]);
  });

  test.each(['--keep-waiting --timeout 3s', '--timeout 50ms'])('%s waits its time even then', async (options) => {
    stub.handlers.change(pods(doomed));
    const { code, stderr } = await run(`wait pod/sick -n other ${options}`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/timed out after \S+: 1 of 2 volumes is not mounted/);
  });

  test('what the daemon does not go on saying was old news: waits on', async () => {
    stub.handlers.change(pods(doomed));
    const looks = stub.handlers.looks('pods');
    const result = run('wait pod/sick -n other --timeout 10m');
    await eventually(() => stub.handlers.looks('pods') > looks);
    // Its manifest was mended, and it is mounted some time later.
    stub.handlers.change(pods(sick));
    await eventually(() => stub.handlers.waiting === 1);
    stub.handlers.change(pods({ ...web, metadata: sick.metadata }));
    expect(await result).toEqual(ok('pod/sick mounted'));
  });

  test('wakes up when a pod that did not exist appears and is mounted', async () => {
    stub.handlers.change(pods());
    const result = run('wait web --timeout 1m');
    await eventually(() => stub.handlers.waiting === 1);
    stub.handlers.change(pods(web));
    expect(await result).toEqual(ok('pod/web mounted'));
  });

  test('unmounted: wakes up when the last entry in the actual state of world is gone', async () => {
    const result = run('wait pod/web --for=unmounted --timeout 1m');
    await eventually(() => stub.handlers.waiting === 1);
    stub.handlers.change({ replies: { ...stubState.replies, asw: { volumes: [] } } });
    expect(await result).toEqual(ok('pod/web unmounted'));
  });

  test('unmounted is not believed before the daemon has rebuilt its worlds', async () => {
    stub.handlers.change({ ready: false, replies: { ...stubState.replies, asw: { volumes: [] } } });
    const { code, stderr } = await run('wait pod/web --for=unmounted --timeout 50ms');
    expect(code).toBe(1);
    expect(stderr).toContain('timed out after 50ms: the daemon is still rebuilding its worlds');
  });

  test('a daemon that restarts meanwhile is waited for', async () => {
    const first = await startStub();
    first.handlers.change(pods());
    const result = moorctl(['--socket', first.socketPath, 'wait', 'pod/web', '--timeout', '1m']);
    await eventually(() => first.handlers.waiting === 1);
    await first.server.close();
    await using _second = await startStub({ socketPath: first.socketPath });
    expect(await result).toEqual(ok('pod/web mounted'));
  });

  test('a daemon that was never there is an error at once', async () => {
    const { code } = await moorctl(['--socket', '/nowhere/s', 'wait', 'pod/web', '--timeout', '1h']);
    expect(code).toBe(4);
  });

  test.each(['wait pod/web --timeout 30', 'wait pvc/data', 'wait pod/web --for=bound', 'wait'])(
    '%s: exit 2',
    async (line) => {
      expect((await run(line)).code).toBe(2);
    },
  );
});

describe('path', () => {
  test('prints the path and nothing else', async () => {
    expect(await run('path pod/web data')).toEqual(ok(dataPath));
  });

  test('says when it is not mounted, and what there is', async () => {
    expect(await run('path pod/sick b -n other')).toEqual({
      ...ok('/p/b'),
      stderr: 'warning: volume "b" is Failed, not mounted\n',
    });
    expect(await run('path pod/sick c -n other')).toEqual(
      failed(
        3,
        'error: Cannot print the path of volume "c" of pod "sick" in namespace "other": its volumes are "a", "b"',
      ),
    );
    expect(await run('path pod/nope c')).toEqual(
      failed(3, 'error: Cannot print the path of volume "c" of pod "nope" in namespace "default": no such pod'),
    );
  });
});

describe('plan', () => {
  test('prints the steps, and marks what cannot be taken back', async () => {
    expect(await run('plan')).toEqual({
      ...ok(
        '    STEP           SUBJECT        REASON',
        '    provision      default/data   claim is not bound',
        '!   formatDevice   /dev/loop7     proven blank',
      ),
      stderr: '2 steps, 1 of them cannot be taken back; nothing was executed.\n',
    });
  });

  test('sends files by their name, and stdin', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'moored-plan-'));
    const file = join(directory, 'web.yaml');
    writeFileSync(file, 'kind: Pod\n');
    stub.handlers.planned.length = 0;
    expect((await run(`plan -f ${file} -f -`, { input: 'kind: X\n' })).code).toBe(0);
    expect(stub.handlers.planned).toEqual([
      {
        files: [
          { name: 'web.yaml', text: 'kind: Pod\n' },
          { name: 'stdin.yaml', text: 'kind: X\n' },
        ],
      },
    ]);
    unlinkSync(file);
    rmdirSync(directory);
    expect(await run(`plan -f ${file}`)).toEqual(
      failed(1, `error: Cannot read "${file}": ENOENT: no such file or directory, open '${file}'`),
    );
  });

  test('problems of a file are on stderr and exit 1', async () => {
    stub.handlers.change({ plan: { steps: [], problems: [{ file: 'a.yaml', line: 3, message: 'unknown key "x"' }] } });
    expect(await run('plan')).toEqual(failed(1, 'Nothing to do.', 'error: a.yaml: line 3: unknown key "x"'));
    expect((await run('plan -o json')).stdout).toContain('"unknown key \\"x\\""');
  });
});

describe('explain', () => {
  test('is a tree of causes, in ASCII where the locale is not UTF-8', async () => {
    expect(await run('explain pod/sick -n other')).toEqual(
      ok(
        'pod other/sick   NotReady   4d2h',
        '|- volume b   Failed   FailedMount',
        '|  `- Cannot mount "/dev/loop3": wrong fs type (next attempt in 14s)',
        '|     -> blkid /dev/loop3',
        '|     -> dmesg | tail',
        '`- volume a   Mounted',
      ),
    );
    expect(await run('explain pod sick -n other', { env: { LANG: 'C.UTF-8' } })).toEqual(
      ok(
        'pod other/sick   NotReady   4d2h',
        '├─ volume b   Failed   FailedMount',
        '│  └─ Cannot mount "/dev/loop3": wrong fs type (next attempt in 14s)',
        '│     → blkid /dev/loop3',
        '│     → dmesg | tail',
        '└─ volume a   Mounted',
      ),
    );
  });

  test('of what is not there exits 3, of what cannot be explained 2', async () => {
    expect(await run('explain pod/nope')).toEqual(failed(3, 'error: Cannot explain "default/nope": no such object'));
    expect((await run('explain sc/fast')).code).toBe(2);
  });
});

describe('drain, doctor, version', () => {
  test('drain says what is left and exits 1', async () => {
    expect(await run('drain')).toEqual(
      failed(0, 'Drained: nothing is mounted, and nothing will be until moored is restarted.'),
    );
    stub.handlers.change({
      drain: { drained: false, remaining: [{ volume: 'v', pod: 'default/web', message: 'target is busy' }] },
    });
    expect(await run('drain')).toEqual({
      code: 1,
      stdout: 'VOLUME   POD           MESSAGE\nv        default/web   target is busy\n',
      stderr: 'error: Cannot drain: 1 mount is left\n',
    });
  });

  test('doctor exits 1 when something required is missing', async () => {
    expect(await run('doctor')).toEqual(
      ok(
        'CHECK        STATE      DETAIL              FIX',
        'loop         ok         /dev/loop-control   <none>',
        'mkfs.btrfs   optional   not found           apt-get install btrfs-progs',
      ),
    );
    const broken = { name: 'loop', ok: false, required: true, detail: 'no /dev/loop-control', fix: 'modprobe loop' };
    stub.handlers.change({ doctor: { checks: [broken] } });
    expect(await run('doctor')).toEqual({
      code: 1,
      stdout: 'CHECK   STATE     DETAIL                 FIX\nloop    missing   no /dev/loop-control   modprobe loop\n',
      stderr: '1 required check fails.\n',
    });
  });

  test('orphans lists them with their age and what gc would do', async () => {
    const { code, stdout, stderr } = await run('orphans');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [head, first, second] = stdout.split('\n').map((line) => line.split(/ {3,}/));
    expect(head).toEqual(['KIND', 'AGE', 'ACTION', 'PATH', 'REASON']);
    expect(first?.slice(0, 4)).toEqual(['PodDirectory', '4d2h', 'quarantine', '/var/lib/moored/pods/uid-old']);
    // Not due yet: nothing would be done.
    expect([second?.[0], second?.[2]]).toEqual(['Trashed', 'none']);
    expect(second?.[4]).toBe('in the trash; made for claim default/old (kept until 2026-01-08T00:00:00.000Z)');
  });

  test('gc asks for nothing to be done without --yes, and for nothing at all without names', async () => {
    const { code, stdout, stderr } = await run('gc');
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'Nothing was executed: add --yes.\n' });
    expect(stdout).toContain('planned   /var/lib/moored/pods/uid-old');
    expect((await run('gc --yes')).code).toBe(2);
    expect((await run('gc --all /x')).code).toBe(2);
    stub.handlers.collected.length = 0;
    await run('gc --yes /a /b --older-than 1h');
    expect(stub.handlers.collected).toEqual([
      { names: ['/a', '/b'], all: false, execute: true, olderThanMs: 3_600_000 },
    ]);
    stub.handlers.change({ gc: { held: 'a.yaml is not understood', results: [], unknown: [] } });
    expect(await run('gc --yes --all')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('error: Cannot collect anything now: a.yaml is not understood'),
    });
  });

  test('version of both, or of the client without a daemon', async () => {
    const { code, stdout } = await run('version');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Client Version: \S+\nServer Version: \S+ \(protocol v1, pid 4242, up \w+, ready\)\n$/);
    const alone = await moorctl(['--socket', '/nowhere/s', 'version']);
    expect(alone.code).toBe(4);
    expect(alone.stdout).toMatch(/^Client Version: \S+\n$/);
    expect((await moorctl(['version', '--client'])).code).toBe(0);
    expect((await moorctl(['--version'])).stdout).toBe(alone.stdout);
  });
});

describe('the command line', () => {
  test('a daemon that is not there: exit 4, for every command that needs it', async () => {
    const socket = freshSocketPath();
    const message = `error: Cannot reach moored at "${socket}": no such file; see: systemctl status moored\n`;
    for (const line of ['get pods', 'describe pod web', 'path pod/web data', 'plan', 'explain pod/web', 'drain']) {
      const result = await moorctl([...line.split(' '), '--socket', socket]);
      expect({ line, ...result }).toEqual({ line, code: 4, stdout: '', stderr: message });
    }
    rmdirSync(join(socket, '..', '..'));
  });

  test.each([
    ['get', "error: missing required argument 'KIND[,KIND]'"],
    ['get x', 'error: Cannot use the kind "x": unknown, known are pods (po), statefulsets (sts), '],
    [
      'get pods -o xml',
      "error: option '-o, --output <FORMAT>' argument 'xml' is invalid. Wanted one of wide, json, yaml, name.",
    ],
    ['get pods --frob', "error: unknown option '--frob'"],
    ['frob', "error: unknown command 'frob'"],
    ['get pods web -A', 'error: Cannot get one by name in all namespaces: use -n NAMESPACE'],
    ['get asw -l a=b', 'error: Cannot select asw by label: they have none'],
    ['get pods,asw -o json', 'error: Cannot print asw together with other kinds as json: ask for one kind a call'],
    ['get events x', 'error: Cannot get an event by name: events have none; describe what they are about'],
    ['get pods,pvc -w', 'error: Cannot watch several at once: name one kind'],
    [
      'completion fish',
      "error: command-argument value 'fish' is invalid for argument 'SHELL'. Allowed choices are bash, zsh.",
    ],
  ])('%s: exit 2', async (line, message) => {
    const { code, stdout, stderr } = await run(line);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.startsWith(message)).toBe(true);
  });

  test('--help and --version go to stdout and exit 0; no command at all is a usage error', async () => {
    const help = await moorctl(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain('  4  the daemon is not reachable\n');
    expect((await moorctl(['get', '--help'])).stdout).toContain('--all-namespaces');
    expect(await moorctl([])).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('a terminal', () => {
  /** Runs moorctl with a pseudo-terminal as stdout and stderr. */
  function onTerminal(line: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
    const command = `"${process.execPath}" "${cliScript}" ${line}`;
    const child = spawn('/usr/bin/script', ['-qec', command, '/dev/null'], {
      env: { PATH: '/usr/bin:/bin', TERM: 'xterm', MOORED_SOCKET: stub.socketPath, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    return new Promise((resolve) => child.once('close', () => resolve(output.replaceAll('\r\n', '\n'))));
  }

  test.runIf(spawnSync('/usr/bin/script', ['--version']).status === 0)(
    'gets color, unless NO_COLOR says otherwise',
    async () => {
      expect(await onTerminal('get pods --no-headers')).toBe('web   1/1   \u001b[32mReady\u001b[0m   4d2h\n');
      expect(await onTerminal('get pods --no-headers', { NO_COLOR: '1' })).toBe('web   1/1   Ready   4d2h\n');
      expect(await onTerminal('plan')).toContain('\u001b[31m!   formatDevice   /dev/loop7     proven blank\u001b[0m\n');
    },
  );

  const hostile = 'x\u001b]0;pwned\u0007\u009b2J\u202ey\nz\r';

  test.runIf(spawnSync('/usr/bin/script', ['--version']).status === 0)(
    'is never made to obey what the daemon sends',
    async () => {
      const condition = { ...sick.status.conditions[0]!, message: hostile };
      const volume = { name: 'b', path: `/p/${hostile}`, state: 'Failed', volume: hostile, message: hostile } as const;
      const pod = {
        ...web,
        metadata: { ...web.metadata, labels: { [hostile]: hostile } },
        status: { phase: hostile as 'Ready', conditions: [condition], volumes: [volume] },
      };
      const node = { subject: hostile, state: hostile, detail: hostile, since: '', help: hostile, causes: [] };
      const step = { kind: hostile, subject: hostile, reason: hostile, destructive: false };
      const orphan = { since: '', reason: hostile, action: 'none' } as const;
      const check = { name: hostile, ok: false, required: true, detail: hostile, fix: hostile };
      stub.handlers.change({
        ...pods(pod),
        explain: { 'pods/default/web': node },
        plan: { steps: [step], problems: [{ file: hostile, message: hostile }] },
        drain: { drained: false, remaining: [{ volume: hostile, pod: hostile, message: hostile }] },
        doctor: { checks: [check] },
        orphans: {
          orphans: [{ ...orphan, kind: hostile, path: hostile, obstacle: hostile }],
          held: hostile,
          incomplete: [],
        },
        gc: { held: '', results: [{ path: hostile, action: 'none', state: 'kept', message: hostile }], unknown: [] },
      });
      const lines = ['get pods -o wide', 'get pods -o json', 'get pods -o yaml', 'describe pod web', 'path pod/web b'];
      lines.push(
        'wait pod/web --timeout 0',
        'explain pod/web',
        'plan',
        'drain',
        'doctor',
        'plan -o yaml',
        'orphans',
        'gc',
      );
      for (const line of lines) {
        const output = await onTerminal(line, { NO_COLOR: '1' });
        expect(output).toContain('pwned');
        // The pseudo-terminal itself makes \r\n of \n, which onTerminal has undone.
        expect({ line, found: /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/.exec(output) }).toEqual({
          line,
          found: null,
        });
      }
    },
  );
});
