import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './run-command.ts';

interface LockFile {
  readonly packages: Readonly<
    Record<string, { readonly dev?: boolean; readonly license?: string; readonly version?: string }>
  >;
}

/** The licenses of what is bundled or copied: every installed package of the lock file that is not for development. */
export function thirdPartyLicenses(): string {
  const { packages } = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8')) as LockFile;
  const parts = Object.entries(packages).flatMap(([path, { dev, license, version }]) => {
    if (path === '' || dev === true) return [];
    const directory = join(projectRoot, path);
    const installed = globSync('{package.json,LICEN[CS]E*,licen[cs]e*}', { cwd: directory }).sort();
    // An optional package of another platform is in the lock file and not on the disk.
    if (!installed.includes('package.json')) return [];
    const texts = installed
      .filter((name) => name !== 'package.json')
      .map((name) => readFileSync(join(directory, name), 'utf8'));
    const title = `${path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)} ${version ?? ''}`;
    return [['-'.repeat(80), `${title}: ${license ?? 'see below'}`, '', ...texts].join('\n')];
  });
  return `This package has parts of these packages in it, under their own licenses.\n\n${parts.join('\n')}`;
}
