import type { SecretValue } from '../api/secret-value.ts';

/** One way to a target: what makes two logins the same session. */
export interface IscsiWay {
  readonly iqn: string;
  /** "192.0.2.7:3260" or "[2001:db8::7]:3260" */
  readonly portal: string;
  readonly interface: string;
  readonly initiatorName?: string;
}

/** CHAP (RFC 1994): we prove to know `password`; with `passwordIn` the target must prove to know that. */
export interface ChapCredentials {
  readonly username: SecretValue;
  readonly password: SecretValue;
  readonly usernameIn?: SecretValue;
  readonly passwordIn?: SecretValue;
}

export interface IscsiLogin extends IscsiWay {
  readonly discoveryChap?: ChapCredentials;
  readonly sessionChap?: ChapCredentials;
}

export interface IscsiSession {
  /** Never given twice: the kernel's number with the boot that it counts in. */
  readonly id: string;
  /** As the kernel says: "LOGGED_IN", "FAILED" (it tries to come back), "FREE". */
  readonly state: string;
  /** True when it goes through an interface record of ours: only moored logs in under that. */
  readonly hasOurInterface: boolean;
}

/** A block device, from sysfs. */
export interface IscsiDisk {
  /** Its own node: "/dev/sdb", "/dev/dm-0". */
  readonly devicePath: string;
  /** "major:minor" */
  readonly deviceNumber: string;
  /** Who it is, by VPD page 0x83, e.g. "naa.6001405…"; '' when it does not say. */
  readonly wwid: string;
}

/**
 * The iSCSI initiator of this machine. What asks the target runs in killable children; what is read comes from sysfs and
 * cannot hang. Nothing here decides whose a session is: the caller's records do.
 */
export interface IscsiInitiator {
  /** One at a time for a target: nobody logs out while another is about to use the session. */
  exclusive<T>(iqn: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  /** The session on this way, ours or one that somebody opened through the interface that is asked for. */
  session(way: IscsiWay): IscsiSession | undefined;
  /**
   * Discovery, then login, with no scan of LUNs; a session that is there already is fine. Rejects with a StorageError:
   * PermissionDenied (CHAP), NotFound (no such target at this portal), Unavailable, DeadlineExceeded (uncertain).
   */
  login(login: IscsiLogin, signal: AbortSignal): Promise<void>;
  /** Logs out and forgets our record of the target; refuses a session with another interface than ours. */
  logout(way: IscsiWay, session: IscsiSession, signal: AbortSignal): Promise<void>;
  /** Forgets our record of the target, and the CHAP password in it, after the session went by itself. */
  forget(way: IscsiWay): void;
  /** The device of a LUN in a session; undefined when the kernel has none. */
  disk(session: IscsiSession, lun: number): IscsiDisk | undefined;
  /** Devices of all LUNs in a session, other people's too. */
  disks(session: IscsiSession): readonly IscsiDisk[];
  /** Looks for this one LUN and waits for its device. NotFound when the target has no such LUN. */
  scan(session: IscsiSession, lun: number, signal: AbortSignal): Promise<IscsiDisk>;
  /** Asks the LUN anew who it is (and how large); `disk` then tells. */
  rescan(session: IscsiSession, lun: number, signal: AbortSignal): Promise<void>;
  /** The dm-multipath device over a disk, if there is one. */
  multipath(disk: IscsiDisk): IscsiDisk | undefined;
  /** Waits for it a while, where this machine has dm-multipath. */
  waitForMultipath(disk: IscsiDisk, signal: AbortSignal): Promise<IscsiDisk | undefined>;
  /** Who has it mounted (in any mount namespace), on top of it or as swap, in words; dm-multipath is not named. */
  usersOf(disk: IscsiDisk): readonly string[];
  /** A block device refuses writes from now on. */
  setReadOnly(disk: IscsiDisk, signal: AbortSignal): Promise<void>;
  removeMultipath(device: IscsiDisk, signal: AbortSignal): Promise<void>;
  /** Writes back what is cached, deletes the device, confirms that it is gone. */
  removeDisk(session: IscsiSession, lun: number, signal: AbortSignal): Promise<void>;
}
