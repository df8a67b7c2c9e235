import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GateResult } from './gate.ts';
import { projectRoot, runCommand } from './run-command.ts';

const unitPath = 'systemd/moored.service';

/** Each gives the service its own mount namespace (systemd.exec(5)): its mounts would not reach the host. */
const privateMountNamespace = [
  'ProtectSystem ProtectHome ProtectKernelTunables ProtectKernelModules ProtectKernelLogs ProtectControlGroups',
  'ProtectProc ProcSubset PrivateTmp PrivateDevices PrivateMounts PrivateIPC PrivateUsers DynamicUser MountFlags',
  'ReadOnlyPaths ReadWritePaths InaccessiblePaths BindPaths BindReadOnlyPaths TemporaryFileSystem ExecPaths',
  'NoExecPaths RootDirectory RootImage MountImages ExtensionImages MountAPIVFS',
].flatMap((line) => line.split(' '));

/** Each makes a thing fail that the daemon does; the unit file says which. */
const breaking = [
  'RestrictSUIDSGID',
  'MemoryDenyWriteExecute',
  'DevicePolicy',
  'DeviceAllow',
  'ProtectClock',
  'SystemCallFilter',
  'User',
];

/** Without these the daemon is not watched, or its stop cuts a running mkfs. */
const required = {
  Type: 'notify',
  NotifyAccess: 'main',
  KillMode: 'mixed',
  Restart: 'always',
  WatchdogSec: '60',
  StateDirectory: 'moored',
  RuntimeDirectory: 'moored',
};

function directivesOf(unit: string): ReadonlyMap<string, string> {
  const lines = unit.split('\n').filter((line) => !line.startsWith('#') && line.includes('='));
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1).trim()]),
  );
}

function ownFindings(directives: ReadonlyMap<string, string>): readonly string[] {
  return [
    ...privateMountNamespace.filter((name) => directives.has(name)).map((name) => `${name}= makes a mount namespace`),
    ...breaking.filter((name) => directives.has(name)).map((name) => `${name}= breaks the daemon`),
    ...Object.entries(required)
      .filter(([name, value]) => directives.get(name) !== value)
      .map(([name, value]) => `${name}=${value} expected, found "${directives.get(name) ?? ''}"`),
  ];
}

/** systemd wants the program to exist, which it does on no build machine: the copy that it judges starts /bin/true. */
async function verify(unit: string): Promise<GateResult> {
  const directory = mkdtempSync(join(tmpdir(), 'moored-unit-'));
  const copy = join(directory, 'moored.service');
  try {
    writeFileSync(copy, unit.replaceAll(/^ExecStart=\S+/gm, 'ExecStart=/bin/true'));
    const { code, stderr } = await runCommand(['systemd-analyze', 'verify', '--man=no', '--recursive-errors=no', copy]);
    if (code === 127) return { state: 'skipped', detail: 'systemd-analyze is not installed; own rules passed' };
    const findings = stderr.split('\n').filter((line) => line.includes('moored.service'));
    return code === 0 && findings.length === 0 ? { state: 'passed' } : { state: 'failed', detail: stderr };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The unit file against our own rules and against systemd's. */
export async function checkUnit(): Promise<GateResult> {
  const unit = readFileSync(join(projectRoot, unitPath), 'utf8');
  const findings = ownFindings(directivesOf(unit));
  if (findings.length > 0)
    return { state: 'failed', detail: findings.map((text) => `${unitPath}: ${text}`).join('\n') };
  return verify(unit);
}
