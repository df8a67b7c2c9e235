import type { CommandSpec } from './command.ts';
import { completionCommand } from './commands/completion.ts';
import { createCommand } from './commands/create.ts';
import { describeCommand } from './commands/describe.ts';
import { doctorCommand } from './commands/doctor.ts';
import { drainCommand } from './commands/drain.ts';
import { explainCommand } from './commands/explain.ts';
import { exportCommand } from './commands/export.ts';
import { gcCommand } from './commands/gc.ts';
import { getCommand } from './commands/get.ts';
import { holdCommand } from './commands/hold.ts';
import { orphansCommand } from './commands/orphans.ts';
import { pathCommand } from './commands/path.ts';
import { planCommand } from './commands/plan.ts';
import { versionCommand } from './commands/version.ts';
import { adoptCommand, recoverCommand, releaseCommand, undeleteCommand } from './commands/volume-commands.ts';
import { waitCommand } from './commands/wait.ts';

const listed: readonly CommandSpec[] = [
  getCommand,
  describeCommand,
  waitCommand,
  holdCommand,
  pathCommand,
  planCommand,
  createCommand,
  explainCommand,
  drainCommand,
  orphansCommand,
  gcCommand,
  undeleteCommand,
  releaseCommand,
  adoptCommand,
  recoverCommand,
  exportCommand,
  doctorCommand,
  versionCommand,
];

/** In the order of the help. */
export const commands: readonly CommandSpec[] = [...listed, completionCommand(listed)];
