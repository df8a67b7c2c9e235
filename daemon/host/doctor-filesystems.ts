import { readFileSync } from 'node:fs';
import type { DoctorCheck } from '../ports/doctor.ts';
import { type FilesystemType, filesystemTypes } from '../world/filesystem-type.ts';
import { check } from './doctor-check.ts';

/** Whether the kernel has each filesystem, or a module of it that mount(2) loads by itself. */
export function filesystemChecks(kernelRelease: string): readonly DoctorCheck[] {
  return [...filesystemTypes, 'nfs' as const].map((fsType) =>
    check(`${fsType} in the kernel`, fsType === 'ext4', () => look(fsType, kernelRelease)),
  );
}

function look(
  fsType: FilesystemType | 'nfs',
  kernelRelease: string,
): { readonly detail: string; readonly fix?: string } {
  if (isRegistered(readFileSync('/proc/filesystems', 'utf8'), fsType)) return { detail: 'registered' };
  const modules = `/lib/modules/${kernelRelease}`;
  // The built-in ones are registered; one that is listed here could not start.
  const text = readIfThere(`${modules}/modules.dep`);
  if (text === undefined) {
    return {
      detail: `not registered, and "${modules}" is not readable`,
      fix: `apt install linux-image-${kernelRelease}`,
    };
  }
  return hasModule(text, fsType)
    ? { detail: 'a module, loaded by the first mount' }
    : { detail: 'the kernel does not have it', fix: `a kernel with CONFIG_${fsType.toUpperCase()}_FS` };
}

/** /proc/filesystems: "nodev\ttmpfs" or "\text4" a line. */
export function isRegistered(procFilesystems: string, fsType: string): boolean {
  return procFilesystems.split('\n').some((line) => line.split('\t')[1] === fsType);
}

/** modules.dep: "kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko.xz …" a line. */
export function hasModule(modulesDep: string, name: string): boolean {
  return modulesDep.split('\n').some((line) => /\/([^/]+)\.ko(\.\w+)?:/.exec(line)?.[1] === name);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
