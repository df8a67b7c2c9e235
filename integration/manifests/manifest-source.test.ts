import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChokidarManifestSource } from '../../daemon/adapters/chokidar-manifest-source.ts';
import type { ManifestState } from '../../daemon/ports/manifest-source.ts';

function pod(name: string, version = 0): string {
  return `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\n  labels:\n    version: v${version}\nspec:\n  volumes:\n  - name: data\n    emptyDir: {}\n`;
}

/** "file: state name@version …", or why there is no listing. */
function linesOf(state: ManifestState | undefined): readonly string[] {
  if (state === undefined) return ['nothing yet'];
  if (state.kind === 'unreadable') return [state.problem.message];
  return state.listing.files.map(({ name, state: believed, objects }) =>
    [`${name}:`, believed, ...objects.map(({ metadata }) => `${metadata.name}@${metadata.labels?.['version']}`)].join(
      ' ',
    ),
  );
}

let top: string;
let directory: string;
let source: ChokidarManifestSource;
let states: ManifestState[];
let onChange: () => void;

function inDirectory(name: string): string {
  return join(directory, name);
}

/** As a careful writer does it: elsewhere first, then renamed over. */
function put(name: string, text: string): void {
  writeFileSync(inDirectory('.new'), text, { mode: 0o644 });
  renameSync(inDirectory('.new'), inDirectory(name));
}

function latest(): readonly string[] {
  return linesOf(states.at(-1));
}

async function start(times: { readonly quietMs?: number; readonly goneMs?: number } = {}): Promise<void> {
  source = new ChokidarManifestSource({ directory, ...times });
  await source.start((state) => {
    states.push(state);
    onChange();
  });
}

/** Waits for the state, not for a time; with what came instead when it does not come. */
async function until(holds: (lines: readonly string[]) => boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const deadline = setTimeout(() => reject(new Error(`still: ${JSON.stringify(latest())}`)), 10_000);
  onChange = () => {
    if (holds(latest())) resolve();
  };
  onChange();
  try {
    await promise;
  } finally {
    clearTimeout(deadline);
    onChange = () => {};
  }
}

async function untilListed(...lines: readonly string[]): Promise<void> {
  await until((listed) => JSON.stringify(listed) === JSON.stringify(lines));
}

/** A file that comes after what is to be looked at: when it is listed, a look has taken place. */
async function afterTheNextLook(): Promise<void> {
  put('zz-marker.yaml', pod('marker', states.length));
  const line = `zz-marker.yaml: good marker@v${states.length}`;
  await until((lines) => lines.includes(line));
}

function everListedWithout(line: string, since: number): boolean {
  return states.slice(since).some((state) => !linesOf(state).includes(line));
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'moored-manifests-')));
  directory = join(top, 'manifests');
  mkdirSync(directory, { mode: 0o755 });
  states = [];
  onChange = () => {};
});

afterEach(async () => {
  await source.stop();
  rmSync(top, { recursive: true });
});

describe('a directory of manifests', () => {
  it('is listed whole at the start, without what editors leave', async () => {
    put('b.yaml', pod('b'));
    put('a.yml', pod('a'));
    put('c.json', JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'c' }, spec: {} }));
    for (const name of [
      '.hidden.yaml',
      '.b.yaml.swp',
      'b.yaml~',
      'b.yaml.tmp',
      '4913',
      '#b.yaml#',
      'README.md',
      'b.yaml.bak',
    ]) {
      writeFileSync(inDirectory(name), 'not: [yaml');
    }
    mkdirSync(inDirectory('..data'));
    await start();
    expect(states).toHaveLength(1);
    expect(latest()).toEqual(['a.yml: good a@v0', 'b.yaml: good b@v0', 'c.json: good c@undefined']);
  });

  it('is listed whole at the start also when it is read in slices, and files are renamed and removed meanwhile', async () => {
    const names = Array.from({ length: 500 }, (_, index) => `pod-${String(index).padStart(3, '0')}`);
    for (const name of names) put(`${name}.yaml`, pod(name));
    const started = start({ quietMs: 0, goneMs: 0 });
    expect(states).toEqual([]);
    let turns = 0;
    const count = () => {
      turns += 1;
      if (states.length === 0) setImmediate(count);
    };
    setImmediate(count);
    // The directory was listed by now. These would be read last, and one of them now has a name before all others.
    renameSync(inDirectory('pod-498.yaml'), inDirectory('a.yaml'));
    unlinkSync(inDirectory('pod-499.yaml'));
    await started;
    expect(turns).toBeGreaterThan(names.length / 100);
    expect(states).toHaveLength(1);
    const kept = names.slice(0, 498).map((name) => `${name}.yaml: good ${name}@v0`);
    expect(latest()).toEqual(['a.yaml: good pod-498@v0', ...kept]);
  });

  it('tells nothing when it is stopped while it reads', async () => {
    for (let index = 0; index < 500; index += 1) put(`pod-${index}.yaml`, pod(`pod-${index}`));
    void start();
    await source.stop();
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    expect(states).toEqual([]);
  });

  it('tells of what is added, changed and removed, and of nothing else', async () => {
    await start();
    expect(latest()).toEqual([]);
    put('a.yaml', pod('a'));
    await untilListed('a.yaml: good a@v0');
    put('a.yaml', pod('a', 1));
    await untilListed('a.yaml: good a@v1');
    const count = states.length;
    put('a.yaml', `# the same\n${pod('a', 1)}`);
    writeFileSync(inDirectory('notes.txt'), 'x');
    await afterTheNextLook();
    expect(states).toHaveLength(count + 1);
    unlinkSync(inDirectory('a.yaml'));
    await until((lines) => lines.length === 1 && lines[0]?.startsWith('zz-marker') === true);
  });

  it('never misses the last of two renames that follow each other in 5 ms', async () => {
    await start();
    for (let round = 1; round <= 30; round += 1) {
      put('a.yaml', pod('a', round * 2));
      await pause(5);
      put('a.yaml', pod('a', round * 2 + 1));
      await untilListed(`a.yaml: good a@v${round * 2 + 1}`);
    }
  });

  it('never misses the last of a storm of writes and renames without a pause', async () => {
    await start();
    for (let round = 1; round <= 30; round += 1) {
      for (let step = 0; step < 7; step += 1) put('a.yaml', pod('a', round * 100 + step));
      writeFileSync(inDirectory('a.yaml'), pod('a', round * 100 + 99));
      await untilListed(`a.yaml: good a@v${round * 100 + 99}`);
    }
  });

  it('takes 200 files at once, and their removal', async () => {
    await start();
    const names = Array.from({ length: 200 }, (_, index) => `pod-${String(index).padStart(3, '0')}`);
    for (const name of names) put(`${name}.yaml`, pod(name));
    await untilListed(...names.map((name) => `${name}.yaml: good ${name}@v0`));
    for (const name of names) unlinkSync(inDirectory(`${name}.yaml`));
    await untilListed();
  });
});

describe('editors', () => {
  const listed = 'a.yaml: good a@v1';
  const goneMs = 1500;

  beforeEach(async () => {
    put('a.yaml', pod('a', 1));
    // Longer than any pause below can become on a busy machine.
    await start({ quietMs: 1500, goneMs });
    await untilListed(listed);
  });

  it('that delete and create cause no deletion', async () => {
    const since = states.length;
    for (let round = 0; round < 5; round += 1) {
      unlinkSync(inDirectory('a.yaml'));
      await pause(50);
      put('a.yaml', pod('a', 1));
      await pause(20);
    }
    await pause(goneMs + 100);
    await afterTheNextLook();
    expect(everListedWithout(listed, since)).toBe(false);
  });

  it('that keep a backup by renaming the file away cause no deletion', async () => {
    const since = states.length;
    renameSync(inDirectory('a.yaml'), inDirectory('a.yaml~'));
    writeFileSync(inDirectory('4913'), '');
    unlinkSync(inDirectory('4913'));
    await pause(100);
    writeFileSync(inDirectory('a.yaml'), pod('a', 2));
    await untilListed('a.yaml: good a@v2');
    expect(states.slice(since).map(linesOf)).toEqual([['a.yaml: good a@v2']]);
  });

  it('that truncate and write in pieces show no piece', async () => {
    const since = states.length;
    const text = `${pod('a', 2)}---\n${pod('b', 2)}`;
    writeFileSync(inDirectory('a.yaml'), '');
    for (let length = 20; length < text.length; length += 40) {
      await pause(10);
      writeFileSync(inDirectory('a.yaml'), text.slice(0, length));
    }
    await pause(10);
    writeFileSync(inDirectory('a.yaml'), text);
    await untilListed('a.yaml: good a@v2 b@v2');
    for (const lines of states.slice(since).map(linesOf)) expect(lines[0]).toMatch(/^a\.yaml: good a@v[12]( b@v2)?$/);
  });

  it('that leave the file broken cause a problem with its line, and the last good version stays', async () => {
    put('a.yaml', pod('a', 2).replace('emptyDir: {}', 'emptydir: {}'));
    await untilListed('a.yaml: bad a@v1');
    expect(states.at(-1)).toMatchObject({
      listing: {
        files: [
          {
            problems: [
              {
                file: 'a.yaml',
                document: 1,
                line: 10,
                path: 'spec.volumes[0].emptydir',
                message: 'unknown field, did you mean "emptyDir"?',
              },
            ],
          },
        ],
      },
    });
    put('a.yaml', pod('a', 3));
    await untilListed('a.yaml: good a@v3');
  });

  it('that rename a manifest move its objects without a moment in which two files have them', async () => {
    const since = states.length;
    renameSync(inDirectory('a.yaml'), inDirectory('b.yaml'));
    await untilListed('b.yaml: good a@v1');
    expect(states.slice(since)).toHaveLength(1);
  });
});

describe('files that are not trusted', () => {
  const cases: readonly (readonly [title: string, make: (path: string) => void, message: RegExp])[] = [
    ['a symbolic link', (path) => symlinkSync('/etc/hostname', path), /is a symbolic link/],
    ['a FIFO', (path) => execFileSync('/usr/bin/mkfifo', [path]), /is not a regular file/],
    ['a directory', (path) => mkdirSync(path), /is not a regular file/],
    [
      'a world-writable file',
      (path) => {
        writeFileSync(path, pod('evil'));
        chmodSync(path, 0o646);
      },
      /has mode 0646.*chmod go-w/,
    ],
    [
      'a file of another user',
      (path) => {
        writeFileSync(path, pod('evil'));
        chownSync(path, 1000, 0);
      },
      /belongs to user 1000/,
    ],
    [
      'a file with a second name',
      (path) => {
        writeFileSync(join(top, 'outside.yaml'), pod('evil'));
        linkSync(join(top, 'outside.yaml'), path);
      },
      /has 2 hard links/,
    ],
    ['a file of 2 MB', (path) => writeFileSync(path, 'a: &a [x]\n'.repeat(200_000)), /is longer than 1048576 bytes/],
    [
      'a file that is not UTF-8',
      (path) => writeFileSync(path, Buffer.from([0x61, 0x3a, 0x20, 0xff, 0x0a])),
      /is not UTF-8/,
    ],
  ];

  it.each(cases)('%s is refused and declares nothing', async (_title, make, message) => {
    await start();
    put('good.yaml', pod('good'));
    make(inDirectory('evil.yaml'));
    await untilListed('evil.yaml: bad', 'good.yaml: good good@v0');
    expect(states.at(-1)).toMatchObject({
      listing: { files: [{ problems: [{ file: 'evil.yaml', message: expect.stringMatching(message) }] }, {}] },
    });
  });

  it('a good file that becomes untrusted keeps its last version', async () => {
    put('a.yaml', pod('a'));
    await start();
    chmodSync(inDirectory('a.yaml'), 0o666);
    await untilListed('a.yaml: bad a@v0');
    chmodSync(inDirectory('a.yaml'), 0o644);
    await untilListed('a.yaml: good a@v0');
  });
});

describe('the directory itself', () => {
  async function expectUnreadable(message: RegExp): Promise<void> {
    await until(([line]) => message.test(line ?? ''));
    expect(states.at(-1)?.kind).toBe('unreadable');
  }

  it('is never taken for empty when it is removed, and is listed and watched again when it is back', async () => {
    put('a.yaml', pod('a'));
    await start();
    rmSync(directory, { recursive: true });
    await expectUnreadable(/Cannot read the manifest directory ".*": ENOENT/);
    expect(states.map(linesOf)).not.toContainEqual([]);
    mkdirSync(directory);
    put('a.yaml', pod('a', 1));
    await untilListed('a.yaml: good a@v1');
    put('a.yaml', pod('a', 2));
    await untilListed('a.yaml: good a@v2');
  });

  it('is watched when another one takes its place', async () => {
    put('a.yaml', pod('a'));
    await start();
    const first = states.at(-1);
    renameSync(directory, join(top, 'old'));
    mkdirSync(directory);
    put('a.yaml', pod('a', 1));
    await untilListed('a.yaml: good a@v1');
    put('a.yaml', pod('a', 2));
    await untilListed('a.yaml: good a@v2');
    const last = states.at(-1);
    if (first?.kind !== 'listing' || last?.kind !== 'listing') throw new Error('no listing');
    expect(last.listing.directoryId).not.toBe(first.listing.directoryId);
  });

  it('is not told as the one of files that another held, while these are still believed', async () => {
    put('a.yaml', pod('a'));
    await start();
    const idOf = (state: ManifestState | undefined) => (state?.kind === 'listing' ? state.listing.directoryId : '');
    const first = idOf(states.at(-1));
    renameSync(directory, join(top, 'old'));
    mkdirSync(directory);
    await until((lines) => lines.length === 0);
    const withFiles = states.filter((state) => state.kind === 'listing' && state.listing.files.length > 0);
    expect(new Set(withFiles.map(idOf))).toEqual(new Set([first]));
    expect(idOf(states.at(-1))).not.toBe(first);
  });

  it('is waited for as a whole, also when it could not be read at first', async () => {
    put('a.yaml', pod('a'));
    chmodSync(directory, 0o775);
    await start({ quietMs: 1500 });
    put('b.yaml', pod('b'));
    chmodSync(directory, 0o755);
    await until((lines) => lines.some((line) => line.startsWith('a.yaml')));
    expect(latest()).toEqual(['a.yaml: good a@v0', 'b.yaml: good b@v0']);
  });

  it('is waited for as a whole when another one takes its place', async () => {
    put('a.yaml', pod('a'));
    await start();
    renameSync(directory, join(top, 'old'));
    mkdirSync(directory);
    await until((lines) => lines.length === 0);
    const before = states.length;
    const other = join(top, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'a.yaml'), pod('b'));
    // Wrong, and written a moment ago: it may become anything, also what declares pod "a".
    writeFileSync(join(other, 'bad.yaml'), `{{{ ${pod('a')}`);
    renameSync(directory, join(top, 'empty'));
    renameSync(other, directory);
    await until((lines) => lines.length === 2);
    const sizes = states.slice(before).map((state) => (state.kind === 'listing' ? state.listing.files.length : -1));
    expect(sizes.filter((size) => size > 0)).toEqual([2]);
  });

  it.each([
    ['it is group-writable', () => chmodSync(directory, 0o775), /has mode 0775, .*chmod go-w/],
    ['it is sticky and world-writable', () => chmodSync(directory, 0o1777), /has mode 1777/],
    ['it belongs to another user', () => chownSync(directory, 1000, 0), /belongs to user 1000.*chown root/],
    ['a parent is world-writable', () => chmodSync(top, 0o777), /has mode 0777/],
    ['a parent belongs to another user', () => chownSync(top, 1000, 0), /belongs to user 1000/],
  ])('is refused while %s', async (_title, spoil, message) => {
    put('a.yaml', pod('a'));
    spoil();
    await start();
    await expectUnreadable(message);
    chmodSync(directory, 0o755);
    chmodSync(top, 0o700);
    chownSync(directory, 0, 0);
    chownSync(top, 0, 0);
    await untilListed('a.yaml: good a@v0');
  });

  it('is refused when it is a link, and taken below a parent that is a link of root', async () => {
    put('a.yaml', pod('a'));
    symlinkSync(top, join(top, 'link'));
    directory = join(top, 'link', 'manifests');
    await start();
    await untilListed('a.yaml: good a@v0');
    await source.stop();
    symlinkSync(join(top, 'manifests'), join(top, 'alias'));
    directory = join(top, 'alias');
    await start();
    await expectUnreadable(/it is a symbolic link/);
  });

  it('may be missing at the start', async () => {
    rmSync(directory, { recursive: true });
    await start();
    await expectUnreadable(/ENOENT/);
    mkdirSync(directory);
    put('a.yaml', pod('a'));
    await untilListed('a.yaml: good a@v0');
  });

  it('that is a file is not a directory', async () => {
    rmSync(directory, { recursive: true });
    writeFileSync(directory, '');
    await start();
    await expectUnreadable(/is not a directory/);
  });
});

describe('without inotify', () => {
  it('the directory is listed by timer, and a problem says so once', async () => {
    await start();
    const exhausted = spawn(
      '/usr/bin/unshare',
      [
        '--user',
        '--map-root-user',
        '/bin/sh',
        '-c',
        'echo 0 > /proc/sys/user/max_inotify_watches; exec "$0" "$@"',
        process.execPath,
        watcherScript,
        directory,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: '/usr/bin:/bin' } },
    );
    let output = '';
    exhausted.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      onChange();
    });
    try {
      await until(() => output.includes('problem: Cannot watch'));
      put('a.yaml', pod('a', 1));
      await until(() => output.includes('listed: a.yaml'));
      put('b.yaml', pod('b', 1));
      await until(() => output.includes('listed: a.yaml b.yaml'));
      expect(output.match(/problem:/g)).toHaveLength(1);
    } finally {
      exhausted.kill();
    }
  });
});

const watcherScript = fileURLToPath(new URL('print-manifests.ts', import.meta.url));
