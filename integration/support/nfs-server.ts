/** NFS servers in a guest: the system's own, and one that is another machine as far as its network is concerned. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './kernel-facts.ts';

const script = fileURLToPath(new URL('../vm/nfs-server.sh', import.meta.url));
const namespace = 'moored-filer';

/** The first line is our end of the cable, the second the server's. */
const addresses = { ours: '10.99.0.1/24', theirs: '10.99.0.2/24' };

/** A server behind a cable that can be pulled: then nothing comes back from it, not even a refusal. */
export class NfsServer {
  readonly address = '10.99.0.2';
  readonly exports: string;
  readonly #directory: string;

  constructor() {
    this.#directory = mkdtempSync(join(process.env['MOORED_TEST_DIR'] ?? '', 'nfs-server-'));
    this.exports = join(this.#directory, 'exports');
    mkdirSync(this.exports);
    mkdirSync(join(this.#directory, 'state'));
    run('ip', 'netns', 'add', namespace);
    run('ip', 'link', 'add', 'filer0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    run('ip', 'address', 'add', addresses.ours, 'dev', 'filer0');
    run('ip', 'link', 'set', 'filer0', 'up');
    run('ip', '-n', namespace, 'address', 'add', addresses.theirs, 'dev', 'eth0');
    run('ip', '-n', namespace, 'link', 'set', 'lo', 'up');
    this.plugIn();
    this.#step('start');
  }

  pullCable(): void {
    run('ip', '-n', namespace, 'link', 'set', 'eth0', 'down');
  }

  plugIn(): void {
    run('ip', '-n', namespace, 'link', 'set', 'eth0', 'up');
  }

  /** The machine is there, and nobody listens. */
  refuse(): void {
    this.#step('refuse');
  }

  serve(): void {
    this.#step('serve');
  }

  dispose(): void {
    this.plugIn();
    this.#step('refuse');
    for (const pid of run('ip', 'netns', 'pids', namespace).trim().split('\n')) if (pid !== '') run('kill', pid);
    // With the namespace its end of the cable goes, and ours with that.
    run('ip', 'netns', 'delete', namespace);
    rmSync(this.#directory, { recursive: true });
  }

  #step(step: 'start' | 'serve' | 'refuse'): void {
    const where = [`--net=/run/netns/${namespace}`, 'unshare', '--mount', '--uts'];
    // Its daemons outlive the step: with pipes we would wait for them.
    execFileSync('nsenter', [...where, script, this.#directory, step], { stdio: ['ignore', 'ignore', 'inherit'] });
  }
}

/** The system's own server: versions 3 and 4 on every address of this machine. */
export class SystemNfsServer {
  readonly exports: string;

  constructor() {
    this.exports = mkdtempSync(join(process.env['MOORED_TEST_DIR'] ?? '', 'exports-'));
    writeFileSync('/etc/exports', `${this.exports} *(rw,no_root_squash,no_subtree_check)\n`);
    run('systemctl', 'start', 'nfs-server');
  }

  dispose(): void {
    run('systemctl', 'stop', 'nfs-server');
    rmSync('/etc/exports');
    rmSync(this.exports, { recursive: true });
  }
}
