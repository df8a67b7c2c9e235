/**
 * The package on a machine that knows nothing of this checkout: installed by apt, enabled, used by a service that must not
 * run without its data, upgraded, rebooted with storage that comes late, removed, purged.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../scripts/run-command.ts';
import { HeldGuest } from '../support/guest.ts';
import { claim, claimVolume, documents, pod, statefulSet, storageClass, web } from '../support/manifests.ts';

const guest = new HeldGuest();
let deb: string;

/** Seconds after which late storage is there. */
const late = 20;

function buildPackage(): string {
  const out = join(projectRoot, '.cache/package');
  mkdirSync(out, { recursive: true });
  const argv = [join(projectRoot, 'scripts/package.ts'), out];
  const env = { ...process.env, MOORED_DEB_LEVEL: '1' };
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', env });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

const heredoc = (path: string, text: string) => `cat > '${path}' << 'END-OF-FILE'\n${text}\nEND-OF-FILE`;
const manifest = (name: string, text: string) => guest.must(heredoc(`/etc/moored/manifests/${name}`, text));
const active = (unit: string) => guest.run(`systemctl is-active '${unit}'`).then(({ stdout }) => stdout.trim());
const property = (unit: string, name: string) => guest.must(`systemctl show --value --property=${name} '${unit}'`);
const mountIds = () => guest.must(`awk '$5 ~ "^/var/lib/moored/" {print $1, $5}' /proc/self/mountinfo`);
const ctl = (line: string) => guest.must(`/usr/bin/moorctl ${line}`);

/** Waits in the guest until a command succeeds. */
const until = (command: string) =>
  guest.must(`end=$((SECONDS + 120)); until ${command}; do ((SECONDS < end)) || exit 1; sleep 0.2; done`);

const apt = (line: string) => guest.must(`DEBIAN_FRONTEND=noninteractive apt-get -qq -y ${line} 2>&1`);

/**
 * A service that refuses an empty directory, keeps a file of the volume open, and takes its time to stop. What it was able
 * to write is in the volume.
 */
function service(name: string, podUnit: string, directory: string): string {
  const program = [
    '#!/bin/bash',
    `cd '${directory}' && [ -e seed ] || { echo "${name}: no data in ${directory}" >&2; exit 1; }`,
    'exec 3>> log',
    'echo started >&3',
    `trap 'sleep 2; echo stopped >&3; exit 0' TERM`,
    'while :; do sleep 1 & wait; done',
  ].join('\n');
  const unit = [
    '[Unit]',
    `BindsTo=${podUnit}`,
    `After=${podUnit}`,
    '[Service]',
    `ExecStart=/usr/local/sbin/${name}`,
    '[Install]',
    'WantedBy=multi-user.target',
  ].join('\n');
  const install = `chmod +x /usr/local/sbin/${name}; systemctl daemon-reload; systemctl enable --quiet ${name}`;
  return [
    heredoc(`/usr/local/sbin/${name}`, program),
    heredoc(`/etc/systemd/system/${name}.service`, unit),
    install,
  ].join('\n');
}

beforeAll(async () => {
  deb = buildPackage();
  await guest.boot();
  // A package obeys the presets of the machine, and those of the guest say: nothing but what a test starts.
  await guest.must('echo "enable moored.service" > /etc/systemd/system-preset/00-enabled.preset');
});

afterAll(async () => {
  await guest.dispose();
});

describe('the package', () => {
  it('is installed in three lines: the service is enabled and runs, and a pod gets its volume', async () => {
    expect((await guest.run('ls /usr/lib/moored /etc/moored')).code).not.toBe(0);
    await apt(`install '${deb}'`);
    await manifest('web.yaml', web());
    await ctl('wait pod/web --timeout 2m');
    expect(await active('moored')).toBe('active');
    expect(await guest.must('systemctl is-enabled moored')).toBe('enabled');
    expect(await guest.must('dpkg --verify moored | grep -v /usr/share/ || true')).toBe('');
    expect(await guest.must('stat -c "%a %U" /etc/moored/manifests /var/lib/moored')).toBe('755 root\n750 root');
  });

  it('starts a service of a pod once its data is there', async () => {
    const directory = await ctl('path pod/web data');
    await guest.must(`touch '${directory}/seed'`);
    await guest.must(service('web', 'moored-pod@default-web.service', directory));
    await guest.must('systemctl start web');
    await until(`grep -q started '${directory}/log'`);
    expect(await active('moored-pod@default-web')).toBe('active');
    expect(await property('moored-pod@default-web', 'StatusText')).toBe('1 of 1 volumes are mounted');
  });

  it('is upgraded over itself, restarted and killed without a mount or a service noticing', async () => {
    const before = await mountIds();
    const pid = await property('web', 'MainPID');
    for (const disturbance of [
      `apt-get -qq -y --reinstall install '${deb}' 2>&1`,
      'systemctl restart moored',
      'systemctl kill --signal=KILL moored',
      'systemctl stop moored; systemctl start moored',
    ]) {
      const daemon = await property('moored', 'MainPID');
      await guest.must(disturbance);
      await until(
        `moorctl wait pod/web --timeout 60s > /dev/null && [ "$(systemctl show --value -p MainPID moored)" != ${daemon} ]`,
      );
      expect(await mountIds(), disturbance).toBe(before);
      expect(await active('moored-pod@default-web'), disturbance).toBe('active');
      expect(await property('web', 'MainPID'), disturbance).toBe(pid);
    }
  });

  it('has the service stopped before its volume is unmounted when the manifest goes', async () => {
    await guest.must('rm /etc/moored/manifests/web.yaml');
    await ctl('wait pod/web --for=unmounted --timeout 2m');
    expect(await active('web')).toBe('inactive');
    expect(await active('moored-pod@default-web')).toBe('inactive');
    const events = await ctl('get events -A');
    expect(events).toContain('StoppingUnit');
    expect(events).not.toContain('FailedUnmount');
    expect(await guest.must('ls /run/moored/leases')).toBe('');
    // The service wrote its last word two seconds after it was asked to stop: into the volume.
    await manifest('web.yaml', web());
    await ctl('wait pod/web --timeout 2m');
    expect(await guest.must(`cat "$(moorctl path pod/web data)/log"`)).toBe('started\nstopped');
  });

  it('fails the unit of a pod that does not come, with the reason as its status text and in the journal', async () => {
    const unit = 'moored-pod@default-nowhere.service';
    await guest.must(
      `mkdir -p /run/systemd/system/${unit}.d; printf '[Service]\\nEnvironment=MOORED_HOLD_TIMEOUT=2s\\n' > /run/systemd/system/${unit}.d/t.conf; systemctl daemon-reload`,
    );
    expect((await guest.run(`systemctl start '${unit}'`)).code).toBe(1);
    expect(await active(unit)).toBe('failed');
    expect(await property(unit, 'StatusText')).toBe('no such pod: default/nowhere');
    expect(await guest.must(`journalctl --unit '${unit}' --output=cat`)).toContain(
      'Cannot hold "default-nowhere": timed out after 2s: no such pod: default/nowhere',
    );
    expect(await guest.must(`systemctl status '${unit}' || true`)).toContain('Status: "no such pod: default/nowhere"');
  });

  it('finds a pod whose names have dashes by its escaped instance', async () => {
    const text = pod('my-app', { scratch: 'emptyDir: { medium: Memory }' }).replace(
      'name: my-app',
      'name: my-app, namespace: my-ns',
    );
    await manifest('dashes.yaml', text);
    const unit = await guest.must('systemd-escape --template=moored-pod@.service my-ns/my-app');
    expect(unit).toBe('moored-pod@my\\x2dns-my\\x2dapp.service');
    await guest.must(`systemctl start '${unit}' moored-pod@my-ns-my-app`);
    expect(await active(unit)).toBe('active');
    await guest.must('rm /etc/moored/manifests/dashes.yaml');
    await ctl('wait -n my-ns pod/my-app --for=unmounted --timeout 2m');
    expect([await active(unit), await active('moored-pod@my-ns-my-app')]).toEqual(['inactive', 'inactive']);
  });

  it('starts the units of the pods of a StatefulSet, and stops that of one that is scaled away', async () => {
    const units = ['moored-pod@default-set-0', 'moored-pod@default-set\\x2d1'] as const;
    const states = async () => [await active(units[0]), await active(units[1])];
    await guest.must(`systemctl start --no-block ${units.map((unit) => `'${unit}'`).join(' ')}`);
    await manifest('set.yaml', documents(storageClass('fast'), statefulSet('set', 2)));
    for (const unit of units) await until(`systemctl is-active --quiet '${unit}'`);
    await manifest('set.yaml', documents(storageClass('fast'), statefulSet('set', 1)));
    await until('! moorctl get pods set-1 > /dev/null 2>&1');
    expect(await states()).toEqual(['active', 'inactive']);
    await guest.must('rm /etc/moored/manifests/set.yaml');
    await ctl('wait pod/set-0 --for=unmounted --timeout 2m');
    expect(await states()).toEqual(['inactive', 'inactive']);
    expect(await guest.must('ls /run/moored/leases')).not.toContain('default-set');
  });
});

describe('after a reboot', () => {
  it(`a service is started although its storage comes ${late} s late, and was stopped before its volume went`, async () => {
    const volume = [
      'apiVersion: v1',
      'kind: PersistentVolume',
      'metadata: { name: late }',
      'spec:',
      '  capacity: { storage: 64Mi }',
      '  accessModes: [ReadWriteOnce]',
      '  storageClassName: ""',
      '  csi: { driver: loop.moored.dev, volumeHandle: late, fsType: ext4, volumeAttributes: { path: /srv/late/disk.img } }',
    ].join('\n');
    await guest.must('mkdir -p /srv/late && truncate -s 64M /srv/late/disk.img');
    await manifest(
      'db.yaml',
      documents(
        volume,
        claim('late', { storageClass: '', volumeName: 'late' }),
        pod('db', { data: claimVolume('late') }),
      ),
    );
    await ctl('wait pod/db --timeout 2m');
    const directory = await ctl('path pod/db data');
    await guest.must(`touch '${directory}/seed'`);
    await guest.must(service('db', 'moored-pod@default-db.service', directory));
    await guest.must('systemctl start db');
    await until(`grep -q started '${directory}/log'`);
    const arrival = [
      '[Unit]',
      'DefaultDependencies=no',
      '[Service]',
      'Type=oneshot',
      'RemainAfterExit=yes',
      `ExecStart=/bin/sh -c "sleep ${late}; mv /srv/late/away.img /srv/late/disk.img"`,
      '[Install]',
      'WantedBy=sysinit.target',
    ].join('\n');
    await guest.must(`${heredoc('/etc/systemd/system/arrival.service', arrival)}\nsystemctl enable --quiet arrival`);
    // An attached loop device keeps its file under any name; at the next boot there is none under this one.
    await guest.must('mv /srv/late/disk.img /srv/late/away.img && sync');
    await guest.shutDown();

    await guest.boot();
    await until('systemctl is-active --quiet db');
    const at = async (unit: string) => Number(await property(unit, 'ActiveEnterTimestampMonotonic'));
    const [arrived, mounted, started] = [await at('arrival'), await at('moored-pod@default-db'), await at('db')];
    expect(arrived).toBeGreaterThan(late * 1_000_000);
    expect(mounted).toBeGreaterThan(arrived);
    expect(started).toBeGreaterThanOrEqual(mounted);
    expect(await active('moored')).toBe('active');
    await until(`[ "$(wc -l < '${directory}/log')" = 3 ]`);
    expect(await guest.must(`cat '${directory}/log'`)).toBe('started\nstopped\nstarted');
  });
});

describe('the end of the package', () => {
  it('unmounts nothing and keeps data and records; a purge does, too, and says where they are', async () => {
    const before = await mountIds();
    const images = await guest.must('ls /var/lib/moored/images/default');
    expect(before).not.toBe('');
    expect(images).toMatch(/^data-.*\.img$/m);
    const removed = await apt('remove moored');
    expect(removed).toMatch(/moored: \d+ mounts below \/var\/lib\/moored stay/);
    expect(removed).toContain('data and state are kept: /var/lib/moored/images');
    expect(await active('moored')).toBe('inactive');
    expect((await guest.run('test -e /usr/lib/moored')).code).toBe(1);
    expect(await guest.must('ls /etc/moored/moored.yaml /etc/moored/manifests')).toContain('web.yaml');
    const purged = await apt('purge moored');
    expect(purged).toContain('data and state are kept: /var/lib/moored/images');
    expect(await guest.must('ls /etc/moored')).toBe('manifests');
    expect(await mountIds()).toBe(before);
    expect(await guest.must('ls /var/lib/moored/images/default')).toBe(images);
    expect(await guest.must('systemctl is-enabled moored || true')).toBe('not-found');
  });

  it('is taken back by a later installation, with the mounts as they are', async () => {
    const before = await mountIds();
    await apt(`install '${deb}'`);
    await ctl('wait pod/web --timeout 2m');
    expect(await mountIds()).toBe(before);
    expect(await ctl('drain 2>&1')).toContain('Drained');
    expect(await mountIds()).toBe('');
    expect(await active('db')).toBe('inactive');
    await apt('purge moored');
  });
});

describe('scripts/install from a checkout', () => {
  it('starts the service, refuses to go while volumes are mounted, and then goes without the data', async () => {
    await guest.must('scripts/install');
    await ctl('wait pod/web --timeout 2m');
    expect(await guest.must('systemctl is-enabled moored')).toBe('enabled');
    const before = await mountIds();
    const refused = await guest.run('scripts/uninstall');
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain('would be left without a keeper: moorctl drain, or --leave-mounted');
    expect(await active('moored')).toBe('active');
    expect(await guest.must('scripts/uninstall --leave-mounted')).toContain(
      'data and state are kept in /var/lib/moored',
    );
    expect(await mountIds()).toBe(before);
    expect((await guest.run('test -e /usr/lib/moored || test -e /usr/lib/systemd/system/moored.service')).code).toBe(1);
    expect(await active('moored')).toBe('inactive');
    expect(await guest.must('ls /var/lib/moored/images/default')).toMatch(/^data-.*\.img$/m);
  });
});
