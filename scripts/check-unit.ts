import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { GateResult } from './gate.ts';
import { projectRoot, runCommand } from './run-command.ts';

/** Each gives the service its own mount namespace (systemd.exec(5)): its mounts would not reach the host. */
const privateMountNamespace = [
  'ProtectSystem ProtectHome ProtectKernelTunables ProtectKernelModules ProtectKernelLogs ProtectControlGroups',
  'ProtectProc ProcSubset PrivateTmp PrivateDevices PrivateMounts PrivateIPC PrivateUsers DynamicUser MountFlags',
  'ReadOnlyPaths ReadWritePaths InaccessiblePaths BindPaths BindReadOnlyPaths TemporaryFileSystem ExecPaths',
  'NoExecPaths RootDirectory RootImage MountImages ExtensionImages MountAPIVFS',
].flatMap((line) => line.split(' '));

interface UnitRules {
  readonly path: string;
  readonly forbidden: Readonly<Record<string, string>>;
  readonly required: Readonly<Record<string, string>>;
}

const because = (reason: string, names: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(names.map((name) => [name, reason]));

const service: UnitRules = {
  path: 'systemd/moored.service',
  forbidden: {
    ...because('makes a mount namespace', privateMountNamespace),
    // The unit file says what each of these breaks.
    ...because('breaks the daemon', ['RestrictSUIDSGID', 'MemoryDenyWriteExecute', 'DevicePolicy', 'DeviceAllow']),
    ...because('breaks the daemon', ['ProtectClock', 'SystemCallFilter', 'User']),
  },
  // Without these the daemon is not watched, its stop cuts a running mkfs, or a stop ends the leases of active units.
  required: {
    Type: 'notify',
    NotifyAccess: 'main',
    KillMode: 'mixed',
    Restart: 'always',
    WatchdogSec: '60',
    StateDirectory: 'moored',
    RuntimeDirectory: 'moored',
    RuntimeDirectoryPreserve: 'yes',
  },
};

const podService: UnitRules = {
  path: 'systemd/moored-pod@.service',
  forbidden: because('stops the workloads when the daemon is restarted', [
    'Requires',
    'BindsTo',
    'PartOf',
    'Requisite',
  ]),
  // Without these nobody is stopped before an unmount, a lease outlives its unit, or nobody hears what is waited for.
  required: {
    Wants: 'moored.service',
    After: 'moored.service',
    Type: 'oneshot',
    RemainAfterExit: 'yes',
    NotifyAccess: 'all',
    ExecStopPost: '/usr/bin/rm -f -- /run/moored/leases/%n',
  },
};

function directivesOf(unit: string): ReadonlyMap<string, string> {
  const lines = unit.split('\n').filter((line) => !line.startsWith('#') && line.includes('='));
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1).trim()]),
  );
}

function ownFindings({ path, forbidden, required }: UnitRules, unit: string): readonly string[] {
  const directives = directivesOf(unit);
  const findings = [
    ...Object.entries(forbidden)
      .filter(([name]) => directives.has(name))
      .map(([name, reason]) => `${name}= ${reason}`),
    ...Object.entries(required)
      .filter(([name, value]) => directives.get(name) !== value)
      .map(([name, value]) => `${name}=${value} expected, found "${directives.get(name) ?? ''}"`),
  ];
  return findings.map((text) => `${path}: ${text}`);
}

/** systemd wants the program to exist, which it does on no build machine: the copies that it judges start /bin/true. */
async function verify(units: ReadonlyMap<string, string>): Promise<GateResult> {
  const directory = mkdtempSync(join(tmpdir(), 'moored-unit-'));
  const copies = [...units.keys()].map((path) => join(directory, basename(path)));
  try {
    for (const [path, text] of units) {
      writeFileSync(join(directory, basename(path)), text.replaceAll(/^ExecStart=\S+/gm, 'ExecStart=/bin/true'));
    }
    const { code, stderr } = await runCommand([
      'systemd-analyze',
      'verify',
      '--man=no',
      '--recursive-errors=no',
      ...copies,
    ]);
    if (code === 127) return { state: 'skipped', detail: 'systemd-analyze is not installed; own rules passed' };
    const findings = stderr.split('\n').filter((line) => line.includes('moored'));
    return code === 0 && findings.length === 0 ? { state: 'passed' } : { state: 'failed', detail: stderr };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The unit files against our own rules and against systemd's. */
export async function checkUnit(): Promise<GateResult> {
  const rules = [service, podService];
  const units = new Map(rules.map(({ path }) => [path, readFileSync(join(projectRoot, path), 'utf8')]));
  const findings = rules.flatMap((rule) => ownFindings(rule, units.get(rule.path) ?? ''));
  return findings.length > 0 ? { state: 'failed', detail: findings.join('\n') } : verify(units);
}
