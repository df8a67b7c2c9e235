/** The process `moored`: command line, signals, watchdog. The only file of the daemon that touches `process`. */
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { winstonLogger } from './adapters/winston-logger.ts';
import { parseYamlDocuments } from './adapters/yaml-documents.ts';
import { startDaemon } from './compose.ts';
import { type Config, type ConfigSource, parseConfig } from './config.ts';
import { mooredVersion } from './control/protocol.ts';
import { doctorChecks } from './host/doctor.ts';
import { SdNotify, watchdogIntervalMs } from './host/sd-notify.ts';

const defaultConfigPath = '/etc/moored/moored.yaml';

const usage = `Usage: moored [options]

Makes Kubernetes volumes of the manifests in a directory real on this machine, and keeps them so.

  --config FILE         settings in YAML: the long options below, as manifestDir, rootDir, …
                        (default /etc/moored/moored.yaml, if it is there)
  --manifest-dir DIR    what is wanted                       (default /etc/moored/manifests)
  --root-dir DIR        mounts and images                    (default /var/lib/moored)
  --state-dir DIR       the daemon's own records             (default ROOT-DIR/state)
  --run-dir DIR         where moored.sock is made            (default /run/moored)
  --log-format FORMAT   json or human                        (default json)
  --log-level LEVEL     debug, info, warn or error           (default info)
  --doctor              check this machine, print JSON, exit
  --version, --help

SIGTERM and SIGINT stop the daemon and leave every mount in place; "moorctl drain" unmounts.
Exit codes: 0 stopped, 1 failed, 2 wrong usage.
`;

const options = {
  config: { type: 'string' },
  'manifest-dir': { type: 'string' },
  'root-dir': { type: 'string' },
  'state-dir': { type: 'string' },
  'run-dir': { type: 'string' },
  'log-format': { type: 'string' },
  'log-level': { type: 'string' },
  doctor: { type: 'boolean' },
  version: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

class UsageError extends Error {}

async function main(argv: readonly string[]): Promise<void> {
  const values = readArguments(argv);
  if (values.help === true) return void process.stdout.write(usage);
  if (values.version === true) return void process.stdout.write(`moored ${mooredVersion}\n`);
  const config = readConfig(values);
  if (values.doctor === true) {
    const checks = await doctorChecks(config);
    return void process.stdout.write(`${JSON.stringify({ checks })}\n`);
  }
  if (process.geteuid?.() !== 0) throw new Error('Cannot start moored: it mounts, so it has to run as root');
  await run(config);
}

function readArguments(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: false }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function readConfig(values: ReturnType<typeof readArguments>): Config {
  const path = values.config ?? (existsSync(defaultConfigPath) ? defaultConfigPath : undefined);
  const fromFile = path === undefined ? [] : [readConfigFile(path)];
  const commandLine = {
    manifestDir: values['manifest-dir'],
    rootDir: values['root-dir'],
    stateDir: values['state-dir'],
    runDir: values['run-dir'],
    logFormat: values['log-format'],
    logLevel: values['log-level'],
  };
  try {
    return parseConfig([...fromFile, { name: 'command line', values: commandLine }]);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function readConfigFile(path: string): ConfigSource {
  const { documents, problems } = parseYamlDocuments(path, readFileSync(path, 'utf8'));
  const [problem] = problems;
  if (problem !== undefined) throw new UsageError(`Cannot read "${path}": ${problem.message}`);
  const value = documents[0]?.value ?? {};
  if (typeof value !== 'object' || Array.isArray(value)) throw new UsageError(`Cannot read "${path}": not a mapping`);
  return { name: `"${path}"`, values: value as Record<string, unknown> };
}

async function run(config: Config): Promise<void> {
  const logger = winstonLogger(config.logFormat, config.logLevel);
  const systemd = new SdNotify(process.env['NOTIFY_SOCKET'], (error) =>
    logger.warn('cannot notify systemd', { error: String(error) }),
  );
  const stopped = Promise.withResolvers<string>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopped.resolve(signal));
  const daemon = await startDaemon(config, logger);
  systemd.ready();
  logger.info('moored is ready', { version: mooredVersion, pid: process.pid, rootDir: config.rootDir });
  const interval = watchdogIntervalMs(process.env, process.pid);
  const watchdog = interval === undefined ? undefined : setInterval(() => systemd.watchdog(), interval);
  const signal = await stopped.promise;
  logger.info('stopping, mounts stay', { signal });
  systemd.stopping();
  clearInterval(watchdog);
  await daemon.stop();
  logger.info('moored has stopped');
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`moored: ${message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
  // A failed start may leave a watcher or a thread behind that would keep the process.
  setImmediate(() => process.exit());
});
