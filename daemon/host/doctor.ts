import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { release } from 'node:os';
import type { DoctorCheck } from '../ports/doctor.ts';
import type { ConfinementLevel } from './confined-command.ts';
import { confinementLevel } from './confinement.ts';
import { check, type Finding, messageOf } from './doctor-check.ts';
import { manifestDirectoryCheck, rootDirectoryChecks } from './doctor-directories.ts';
import { filesystemChecks } from './doctor-filesystems.ts';
import { findTool, installCommand } from './find-tool.ts';
import { type KernelFeatures, probeKernelFeatures } from './kernel-features.ts';

export interface DoctorPaths {
  readonly rootDir: string;
  readonly manifestDir: string;
}

/** Everything that moored needs of this machine. Looks only: no device is read, nothing is changed. */
export async function doctorChecks({ rootDir, manifestDir }: DoctorPaths): Promise<readonly DoctorCheck[]> {
  const level = await confinementLevel();
  return [
    rootCheck(),
    mountNamespaceCheck(),
    loopControlCheck(),
    ...toolChecks(),
    check('confinement', false, () => confinements[level]),
    ...filesystemChecks(release()),
    kernelCheck(),
    ...rootDirectoryChecks(rootDir),
    manifestDirectoryCheck(manifestDir),
    inotifyCheck(),
  ];
}

/** Of the children that read what is on a device. */
const confinements: Readonly<Record<ConfinementLevel, Finding>> = {
  landlock: { detail: 'probes, checks and mkfs have no privileges and write to their own device only' },
  privileges: {
    detail: 'probes, checks and mkfs have no privileges; Landlock (util-linux 2.40, Linux 5.13) is not there',
  },
  none: {
    detail: 'probes, checks and mkfs may do whatever root may: setpriv is missing or refused',
    fix: 'apt install util-linux; in the unit: CAP_SETPCAP must be in CapabilityBoundingSet=',
  },
};

/** CAP_SYS_ADMIN is capability 21 (linux/capability.h); mount(2) and the loop ioctls ask for it. */
function rootCheck(): DoctorCheck {
  return check('root', true, () => {
    const uid = process.geteuid?.();
    if (uid !== 0) return { detail: `runs as user ${uid}`, fix: 'run it as root: systemctl start moored' };
    const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
    if ((BigInt(`0x${effective}`) & (1n << 21n)) === 0n) {
      return {
        detail: 'root without CAP_SYS_ADMIN',
        fix: 'CapabilityBoundingSet= in the unit, or a privileged container',
      };
    }
    return { detail: 'root with CAP_SYS_ADMIN' };
  });
}

function mountNamespaceCheck(): DoctorCheck {
  return check('mount namespace', true, () => {
    const ours = readlinkSync('/proc/self/ns/mnt');
    let host: string;
    try {
      host = readlinkSync('/proc/1/ns/mnt');
    } catch (error) {
      // Not a finding: without root, or in some containers, nobody may look at process 1.
      return { detail: `unknown, the one of process 1 cannot be read: ${messageOf(error)}` };
    }
    if (ours === host) return { detail: `the one of process 1, ${ours}` };
    const fix =
      'in the unit: no ProtectSystem=, PrivateTmp=, PrivateMounts= or other option that makes a mount namespace';
    return { detail: `${ours}, process 1 has ${host}: the machine does not see what is mounted here`, fix };
  });
}

function loopControlCheck(): DoctorCheck {
  return check('loop devices', true, () => {
    const path = '/dev/loop-control';
    const status = statSync(path, { throwIfNoEntry: false });
    if (status === undefined) return { detail: `${path} is missing`, fix: 'modprobe loop' };
    return status.isCharacterDevice()
      ? { detail: path }
      : { detail: `${path} is not a device`, fix: `rm ${path}; modprobe loop` };
  });
}

const requiredTools = ['mkfs.ext4', 'e2fsck', 'mount', 'umount', 'blkid', 'cmp'];
const optionalTools = ['mkfs.xfs', 'mkfs.btrfs', 'iscsiadm', 'iscsid', 'mount.nfs'];

function toolChecks(): readonly DoctorCheck[] {
  return [...requiredTools, ...optionalTools].map((tool) =>
    check(tool, requiredTools.includes(tool), () => {
      const path = findTool(tool);
      return path === undefined
        ? { detail: 'missing', fix: installCommand(tool) ?? `install ${tool}` }
        : { detail: path };
    }),
  );
}

/** The release that brought what moored does without on older ones, each at a price. */
const sinceOf: Readonly<Record<keyof KernelFeatures, string>> = {
  statmount: '6.13',
  listmount: '6.8',
  mountSetattr: '5.12',
  openat2: '5.6',
  tmpfsNoswap: '6.4',
};

/** Kernels before 5.8 may leave lines out of mountinfo while others unmount (mended by 9f6c61f96f2d). */
function kernelCheck(): DoctorCheck {
  return check('kernel', false, () => {
    const version = release();
    const features = probeKernelFeatures();
    const names = Object.keys(sinceOf) as (keyof KernelFeatures)[];
    const absent = names.filter((name) => !features[name]).map((name) => `${name} (${sinceOf[name]})`);
    const detail = absent.length === 0 ? version : `${version}, older ways are used for ${absent.join(', ')}`;
    if (isOlderThan(version, 5, 8)) return { detail, fix: 'upgrade to 5.8 or later: its mount table may lack lines' };
    return { detail };
  });
}

function isOlderThan(version: string, major: number, minor: number): boolean {
  const [ourMajor = 0, ourMinor = 0] = version.split(/[.-]/).map(Number);
  return ourMajor < major || (ourMajor === major && ourMinor < minor);
}

/** The manifest directory is watched; the limits are shared by all programs of root. */
const inotifyMinima = { max_user_instances: 128, max_user_watches: 8192 };

function inotifyCheck(): DoctorCheck {
  return check('inotify', false, () => {
    const limits = Object.entries(inotifyMinima).map(([name, minimum]) => {
      const value = Number(readFileSync(`/proc/sys/fs/inotify/${name}`, 'utf8'));
      return { name, minimum, value };
    });
    const detail = limits.map(({ name, value }) => `${name}=${value}`).join(' ');
    const fix = limits
      .filter(({ value, minimum }) => value < minimum)
      .map(({ name, minimum }) => `sysctl -w fs.inotify.${name}=${minimum}`)
      .join('; ');
    return fix === '' ? { detail } : { detail, fix };
  });
}
