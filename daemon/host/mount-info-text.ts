import type { MountInfo } from '../world/mount-info.ts';

/**
 * The text of /proc/self/mountinfo. proc_pid_mountinfo(5):
 *
 *     36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
 *     (1)(2)(3)   (4)   (5)      (6)      (7)   (8) (9)   (10)         (11)
 *
 * (1) mount id, (2) parent id, (3) major:minor of the superblock, (4) root of the mount inside the filesystem, (5) mount
 * point, (6) per-mount options, (7) zero or more optional fields "tag[:value]", (8) a single hyphen that ends them,
 * (9) filesystem type, (10) source, (11) superblock options. Fields are separated by exactly one space: white space and
 * backslash inside a field are written as \040, \011, \012 and \134. The source may be empty.
 *
 * @throws Error with the line, if one is not of this form: a table that was half understood is no table.
 */
export function parseMountInfo(text: string): readonly MountInfo[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map(parseMountInfoLine);
}

const FIELDS =
  /^(?<id>\d+) (?<parentId>\d+) (?<device>\d+:\d+) (?<root>[^ ]+) (?<mountPoint>\/[^ ]*) (?<options>[^ ]+)(?: (?!- )[^ ]+)* - (?<fsType>[^ ]+) (?<source>[^ ]*) (?<superOptions>[^ ]+)$/;

/** One line; see `parseMountInfo`. */
export function parseMountInfoLine(line: string): MountInfo {
  const fields = FIELDS.exec(line)?.groups;
  if (fields === undefined) {
    throw new Error(`Cannot parse mountinfo line "${line}": not in the form of proc_pid_mountinfo(5)`);
  }
  const field = (name: string) => unescapeOctal(fields[name] ?? '');
  return {
    id: BigInt(field('id')),
    parentId: BigInt(field('parentId')),
    device: field('device'),
    root: field('root'),
    mountPoint: field('mountPoint'),
    options: field('options').split(','),
    fsType: field('fsType'),
    source: field('source'),
    superOptions: (fields['superOptions'] ?? '').split(',').map(unescapeOctal),
  };
}

/** "\040" and its kin back to the character. The kernel escapes single ASCII bytes only; UTF-8 passes as it is. */
export function unescapeOctal(field: string): string {
  if (!field.includes('\\')) return field;
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
