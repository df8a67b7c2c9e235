import { describe, expect, it } from 'vitest';
import { SecretValue } from '../api/secret-value.ts';
import type { ChildProcesses } from '../ports/child-processes.ts';
import { isOurInterface, ourInterface } from './iscsi-interface.ts';
import { IscsiLogins, parseDiscovery, portalParts } from './iscsi-login.ts';
import { IscsiRecordFiles } from './iscsi-record-file.ts';
import { iscsiadmError } from './iscsiadm-exit.ts';

const iqn = 'iqn.2024-01.org.example:disks';
const way = { iqn, portal: '192.0.2.7:3260', interface: 'default' };

/** iscsiadm that answers by what its arguments contain, and remembers them. */
function scripted(answers: Readonly<Record<string, readonly [number, string?]>>) {
  const calls: string[] = [];
  const children: ChildProcesses = {
    run: (tool, args) => {
      const command = [tool, ...args].join(' ');
      calls.push(command);
      const known = Object.entries(answers).find(([part]) => command.includes(part))?.[1];
      const [exitCode, stdout = ''] = known ?? [0];
      return Promise.resolve({ exitCode, stdout, stderr: '', durationMs: 1 });
    },
  };
  return { calls, children };
}

/** Says what would be done to files, in the same list as the commands. */
class NoFiles extends IscsiRecordFiles {
  readonly #calls: string[];

  constructor(calls: string[] = []) {
    super();
    this.#calls = calls;
  }

  override changeNode(): void {
    this.#calls.push('change node');
  }

  override removeNode(): void {
    this.#calls.push('remove node');
  }

  override removeInterface(name: string): void {
    this.#calls.push(`remove interface ${name}`);
  }
}

const signal = new AbortController().signal;
const offered = [0, `192.0.2.7:3260,1 ${iqn}\n192.0.2.7:3260,1 ${iqn}10\n`] as const;

describe('login', () => {
  it('discovers, makes a record under our own interface, logs in, and takes the interface away again', async () => {
    const { calls, children } = scripted({ '--discover': offered });
    await new IscsiLogins(children, new NoFiles(calls)).login(way, signal);
    expect(calls).toEqual([
      'remove interface moored',
      'iscsiadm -m iface -I moored -o new',
      'iscsiadm -m discovery -t sendtargets -p 192.0.2.7:3260 -I moored -o nonpersistent --discover',
      `iscsiadm -m node -T ${iqn} -p 192.0.2.7:3260,1 -I moored -o new`,
      'change node',
      `iscsiadm -m node -T ${iqn} -p 192.0.2.7:3260 -I moored --login`,
      'remove interface moored',
    ]);
  });

  it('shares the interface with logins that run at the same time', async () => {
    const { calls, children } = scripted({ '--discover': offered });
    const logins = new IscsiLogins(children, new NoFiles(calls));
    await Promise.all([logins.login(way, signal), logins.login({ ...way, iqn: `${iqn}10` }, signal)]);
    expect(calls.filter((call) => call.endsWith('-I moored -o new') && call.includes('iface'))).toHaveLength(1);
    expect(calls.filter((call) => call === 'remove interface moored')).toHaveLength(2);
    expect(calls.at(-1)).toBe('remove interface moored');
  });

  it('takes a session that is there already for what was wanted', async () => {
    const { children } = scripted({ '--discover': offered, '--login': [15] });
    await expect(new IscsiLogins(children, new NoFiles()).login(way, signal)).resolves.toBeUndefined();
  });

  it('names a target that the portal does not offer, and does not log in', async () => {
    const { calls, children } = scripted({ '--discover': [0, `192.0.2.7:3260,1 ${iqn}10\n`] });
    const login = new IscsiLogins(children, new NoFiles()).login(way, signal);
    await expect(login).rejects.toThrow(`it offers "${iqn}10"`);
    expect(calls.some((call) => call.includes('--login'))).toBe(false);
  });

  it('keeps no record, nor the password in it, of a login that was refused', async () => {
    const { calls, children } = scripted({ '--discover': offered, '--login': [24] });
    const sessionChap = { username: new SecretValue('user'), password: new SecretValue('hunter2') };
    const login = new IscsiLogins(children, new NoFiles(calls)).login({ ...way, sessionChap }, signal);
    await expect(login).rejects.toMatchObject({ code: 'PermissionDenied', progress: 'final' });
    expect(calls.slice(-2)).toEqual(['remove node', 'remove interface moored']);
    expect(calls.join('\n')).not.toMatch(/hunter2|user/);
  });

  it('copies the interface that is asked for, with the initiator name that is asked for', async () => {
    const shown =
      '# BEGIN RECORD\niface.iscsi_ifacename = eth1\niface.net_ifacename = eth1\niface.initiatorname = a\niface.mtu = 0\niface.ipaddress = <empty>\n';
    const { calls, children } = scripted({ '--discover': offered, '-I eth1 -o show': [0, shown], '-o show': [21] });
    const named = { ...way, interface: 'eth1', initiatorName: 'iqn.2024-01.org.example:me' };
    await new IscsiLogins(children, new NoFiles()).login(named, signal);
    expect(calls.filter((call) => call.includes('update')).map((call) => call.split(' -n ')[1])).toEqual([
      'iface.net_ifacename -v eth1',
      'iface.initiatorname -v iqn.2024-01.org.example:me',
    ]);
    expect(ourInterface(named)).toMatch(/^moored-[0-9a-f]{8}$/);
  });
});

describe('logout', () => {
  it.each([0, 2, 21])('forgets the record after exit code %i', async (exitCode) => {
    const { calls, children } = scripted({ '--logout': [exitCode] });
    await new IscsiLogins(children, new NoFiles(calls)).logout(way, '3', signal);
    expect(calls.slice(2)).toEqual(['iscsiadm -m session -r 3 --logout', 'remove interface moored', 'remove node']);
  });

  it('keeps the record while the session stays', async () => {
    const { calls, children } = scripted({ '--logout': [28] });
    const logout = new IscsiLogins(children, new NoFiles(calls)).logout(way, '3', signal);
    await expect(logout).rejects.toMatchObject({ code: 'Busy' });
    expect(calls).not.toContain('remove node');
  });
});

it('gives each pair of interface and initiator name an interface of its own, known as ours', () => {
  const ways = [way, { ...way, interface: 'eth1' }, { ...way, initiatorName: 'iqn.2024-01.org.example:me' }];
  const names = ways.map(ourInterface);
  expect(new Set(names).size).toBe(3);
  expect(names.every(isOurInterface)).toBe(true);
  expect(isOurInterface('moorings')).toBe(false);
});

it('reads portals and what a discovery prints', () => {
  expect(portalParts('[2001:db8::7]:3260')).toEqual({ address: '2001:db8::7', port: '3260' });
  expect(parseDiscovery(`[2001:db8::7]:3260,2 ${iqn}\nnoise\n`)).toEqual([
    { portal: '[2001:db8::7]:3260', group: '2', iqn },
  ]);
});

it.each([
  [24, 'PermissionDenied', 'final', 'the target refused the CHAP name or password'],
  [8, 'DeadlineExceeded', 'transient', 'the portal did not answer in time'],
  [4, 'Unavailable', 'transient', 'the portal cannot be reached'],
  [20, 'Unavailable', 'transient', 'iscsid is not running'],
  [18, 'Unavailable', 'uncertain', 'iscsid does not answer'],
  [99, 'Internal', 'uncertain', 'odd'],
] as const)('exit code %i is %s, %s: %s', (exitCode, code, progress, text) => {
  const error = iscsiadmError('Cannot log in to "x"', exitCode, 'odd\nmore');
  expect(error).toMatchObject({ code, progress, message: `Cannot log in to "x": ${text}` });
});
