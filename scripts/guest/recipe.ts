/** All that decides what a guest is made of; its hash is the name of the image. */
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const suite = 'trixie';
export const diskSize = '8G';

/** Files that are put over the guest's own. */
export const overlay = join(import.meta.dirname, 'root');

/** A minimal Debian with systemd, what the tests call in it, and the kernel that it runs on. */
export const packages: readonly string[] = [
  'btrfs-progs cryptsetup-bin dbus dmsetup e2fsprogs fdisk iproute2 kmod libstdc++6 lsof mount multipath-tools',
  'nfs-common nfs-kernel-server open-iscsi procps psmisc systemd systemd-sysv targetcli-fb tgt udev user-mode-linux',
  'util-linux xfsprogs',
].flatMap((line) => line.split(' '));

export const excludedPaths = ['doc', 'info', 'locale', 'man'].map((name) => `/usr/share/${name}/*`);

/** NFS mounts rpc_pipefs by a generator; every other generator costs a process a boot and finds nothing. */
export const wantedGenerators = ['systemd-fstab-generator', 'nfs-server-generator', 'rpc-pipefs-generator'];

/** Units that a guest of some seconds has no use for: a boot takes a third of the time without them. */
export const maskedUnits: readonly string[] = [
  'dev-hugepages.mount dev-mqueue.mount getty.target ldconfig.service modprobe@fuse.service',
  'proc-sys-fs-binfmt_misc.automount sys-kernel-debug.mount sys-kernel-tracing.mount systemd-ask-password-console.path',
  'systemd-ask-password-wall.path systemd-binfmt.service systemd-creds.socket systemd-firstboot.service',
  'systemd-hibernate-clear.service systemd-hostnamed.socket systemd-hwdb-update.service systemd-initctl.socket',
  'systemd-journal-catalog-update.service systemd-journal-flush.service systemd-logind.service',
  'systemd-machine-id-commit.service systemd-pcrextend.socket systemd-pcrlock.socket systemd-pcrmachine.service',
  'systemd-pcrphase-sysinit.service systemd-pcrphase.service systemd-random-seed.service systemd-remount-fs.service',
  'systemd-sysctl.service systemd-sysext.socket systemd-sysusers.service systemd-tmpfiles-clean.timer',
  'systemd-tpm2-setup-early.service systemd-tpm2-setup.service systemd-udev-load-credentials.service',
  'systemd-update-done.service systemd-user-sessions.service',
].flatMap((line) => line.split(' '));

/** Names an image by its inputs. Debian's own updates within the suite are not among them. */
export function recipeHash(): string {
  const hash = createHash('sha256');
  for (const file of ['recipe.ts', 'image.ts']) hash.update(readFileSync(join(import.meta.dirname, file)));
  const files = globSync('**/*', { cwd: overlay, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const path of files.map((entry) => join(entry.parentPath, entry.name)).toSorted()) {
    hash.update(`\0${path.slice(overlay.length)}\0`).update(readFileSync(path));
  }
  return hash.digest('hex').slice(0, 12);
}
