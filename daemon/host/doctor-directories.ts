import { lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import type { DoctorCheck } from '../ports/doctor.ts';
import type { MountInfo } from '../world/mount-info.ts';
import { MountTable } from '../world/mount-table.ts';
import { inCoverOrder } from './cover-order.ts';
import { check } from './doctor-check.ts';
import { parseMountInfoLine } from './mount-info-text.ts';

/** Filesystems of which another machine, a hypervisor or a program has the data: a loop device on one hangs with it. */
const foreign = /^(nfs4?|cifs|smb3|ceph|9p|virtiofs|afs|ocfs2|gfs2|fuse(blk|\..*)?|glusterfs)$/;
/** Gone at the next boot, or with the container. */
const volatile = new Set(['tmpfs', 'ramfs', 'overlay']);

/** Where images lie and volumes are mounted. */
export function rootDirectoryChecks(rootDir: string): readonly DoctorCheck[] {
  const nearest = (): { readonly mount: MountInfo; readonly isShared: boolean } => mountOf(nearestExisting(rootDir));
  return [
    check('root directory', true, () => {
      const { fsType, mountPoint } = nearest().mount;
      if (!foreign.test(fsType)) return { detail: `"${rootDir}" is on ${fsType} at "${mountPoint}"` };
      return {
        detail: `"${rootDir}" is on ${fsType} at "${mountPoint}", which can hang`,
        fix: '--root-dir on a local filesystem',
      };
    }),
    check('root directory is kept', false, () => {
      const { fsType } = nearest().mount;
      if (!volatile.has(fsType)) return { detail: `${fsType} outlives a reboot` };
      return { detail: `on ${fsType}, data is lost with it`, fix: '--root-dir on a disk' };
    }),
    check('mount propagation', false, () => {
      const { isShared, mount } = nearest();
      if (isShared) return { detail: `"${mount.mountPoint}" is shared` };
      return {
        detail: `"${mount.mountPoint}" is private: services with a mount namespace of their own miss later mounts`,
        fix: `mount --make-rshared ${mount.mountPoint}`,
      };
    }),
  ];
}

/** The directory itself, or the lowest above it that is there already. */
function nearestExisting(path: string): string {
  for (let at = path; ; at = dirname(at)) {
    try {
      return realpathSync(at);
    } catch (error) {
      if (at === '/' || !(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
}

function mountOf(path: string): { readonly mount: MountInfo; readonly isShared: boolean } {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').slice(0, -1);
  const isSharedOf = new Map<bigint, boolean>();
  const mounts = lines.map((line) => {
    const mount = parseMountInfoLine(line);
    isSharedOf.set(
      mount.id,
      optionalFields(line).some((field) => field.startsWith('shared:')),
    );
    return mount;
  });
  const mount = new MountTable(inCoverOrder(mounts)).holding(path);
  if (mount === undefined) throw new Error(`no mount holds "${path}"`);
  return { mount, isShared: isSharedOf.get(mount.id) === true };
}

/** "shared:1", "master:2", … between the sixth field and the first lone hyphen (proc_pid_mountinfo(5)). */
function optionalFields(line: string): readonly string[] {
  const fields = line.split(' ');
  return fields.slice(6, fields.indexOf('-', 6));
}

/** Whoever may write a manifest may mount as root: only root may, here and in each directory above. */
export function manifestDirectoryCheck(manifestDir: string): DoctorCheck {
  return check('manifest directory', true, () => {
    const fix = `chown root:root and chmod go-w what is named, or: install -d -m 0755 ${manifestDir}`;
    const real = realpathIfThere(manifestDir);
    if (real === undefined) {
      return { detail: `"${manifestDir}" is missing`, fix: `install -d -m 0755 ${manifestDir}` };
    }
    const files = readdirSync(real).filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('.'));
    const untrusted = [...withParents(real), ...files.map((name) => join(real, name))].flatMap(distrust);
    if (untrusted.length > 0) return { detail: untrusted.join('; '), fix };
    return { detail: `"${manifestDir}" with ${files.length} files, writable by root alone` };
  });
}

function realpathIfThere(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function withParents(path: string): readonly string[] {
  return path === '/' ? ['/'] : [...withParents(dirname(path)), path];
}

/** Why somebody else could change what is there; a symlink, whose own mode says nothing, is judged by its owner. */
function distrust(path: string): readonly string[] {
  const status = lstatSync(path, { throwIfNoEntry: false });
  // A file that was removed meanwhile.
  if (status === undefined) return [];
  const { uid, mode } = status;
  const isWritable = !status.isSymbolicLink() && (mode & 0o022) !== 0;
  return [
    ...(uid === 0 ? [] : [`"${path}" belongs to user ${uid}`]),
    ...(isWritable ? [`"${path}" is writable by others (mode ${(mode & 0o7777).toString(8)})`] : []),
  ];
}
