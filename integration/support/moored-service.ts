/** moored as a unit of the systemd that runs here: for tests inside a guest, never for the host of a person. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DaemonClient } from './daemon-client.ts';
import { eventually } from './eventually.ts';
import { run } from './kernel-facts.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const units = '/etc/systemd/system';
/** The package's files are the checkout's, at every boot. */
const packageMount = `[Mount]
What=none
Where=/usr/lib/moored
Type=hostfs
Options=ro,hostfs=${checkout}
[Install]
WantedBy=local-fs.target
`;
const dropIn = '/run/systemd/system/moored.service.d';

export class MooredService extends DaemonClient {
  override readonly manifestDir = '/etc/moored/manifests';
  override readonly runDir = '/run/moored';
  readonly rootDir = '/var/lib/moored';

  override get log(): string {
    return run('journalctl', '--unit=moored', '--output=cat', '--no-pager');
  }

  /** Puts this checkout where the unit file expects the package, and the unit file, as it is, where systemd looks. */
  install(): void {
    if (!readFileSync('/proc/cmdline', 'utf8').includes('ubd0=')) throw new Error('Cannot install: this is no guest');
    writeFileSync(join(units, 'usr-lib-moored.mount'), packageMount);
    cpSync(join(checkout, 'systemd/moored.service'), join(units, 'moored.service'));
    this.systemctl('daemon-reload');
    run('systemctl', 'enable', '--now', 'usr-lib-moored.mount');
  }

  /** Adds lines to the unit until they are taken away with `configure()`. */
  configure(...lines: readonly string[]): void {
    rmSync(dropIn, { recursive: true, force: true });
    mkdirSync(dropIn, { recursive: true });
    if (lines.length > 0) writeFileSync(join(dropIn, 'test.conf'), `${lines.join('\n')}\n`);
    this.systemctl('daemon-reload');
  }

  systemctl(...args: readonly string[]): void {
    run('systemctl', ...args, ...(args[0] === 'daemon-reload' ? [] : ['moored.service']));
  }

  /** A property of the unit, as `systemctl show` has it. */
  property(name: string): string {
    return run('systemctl', 'show', `--property=${name}`, '--value', 'moored.service').trim();
  }

  get pid(): number {
    return Number(this.property('MainPID'));
  }

  /** Waits until another process than this is the service, and is ready. */
  async startedAgain(pid: number): Promise<void> {
    await eventually(() => {
      const state = `${this.property('ActiveState')}, pid ${this.pid}`;
      return (state.startsWith('active') && this.pid !== pid && this.pid !== 0) || state;
    }, 120_000);
  }
}
