import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface CPrograms {
  readonly mountWatch: string;
  readonly syscallBaseline: string;
}

/** Compiles what has to be cheaper than Node into `directory`; a string says why it cannot. */
export function compileCPrograms(directory: string): CPrograms | string {
  const programs = { mountWatch: `${directory}/mount-watch`, syscallBaseline: `${directory}/syscall-baseline` };
  for (const program of Object.values(programs)) {
    const source = fileURLToPath(new URL(`${program.slice(directory.length + 1)}.c`, import.meta.url));
    const { error, status, stderr } = spawnSync('cc', ['-O2', '-pthread', '-o', program, source], { encoding: 'utf8' });
    if (error !== undefined) return 'there is no C compiler (apt-get install gcc libc6-dev)';
    if (status !== 0) return `cc refuses "${source}": ${stderr.split('\n')[0] ?? ''}`;
  }
  return programs;
}
