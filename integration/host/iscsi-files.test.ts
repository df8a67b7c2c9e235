/** The files of open-iscsi and of sysfs, as trees of real files. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { SecretValue } from '../../daemon/api/secret-value.ts';
import { isOurInterface } from '../../daemon/host/iscsi-interface.ts';
import { chapSettings, IscsiRecordFiles } from '../../daemon/host/iscsi-record-file.ts';
import { IscsiSysfs } from '../../daemon/host/iscsi-sysfs.ts';

const iqn = 'iqn.2024-01.org.example:disks';
const node = { iqn, address: '192.0.2.7', port: '3260', interface: 'moored' };
const chap = { username: new SecretValue('user'), password: new SecretValue('hunter2') };

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(process.env['MOORED_TEST_DIR'] ?? '/tmp', 'iscsi-'));
});

function put(path: string, text: string): string {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
  return full;
}

describe('records of open-iscsi', () => {
  const portal = `nodes/${iqn}/192.0.2.7,3260,1`;
  const record = '# BEGIN RECORD 2.1.8\nnode.session.scan = auto\n# END RECORD\n';

  it('changes our node record alone, and nobody else can read it', () => {
    const theirs = put(`${portal}/default`, record);
    const ours = put(`${portal}/moored`, record);
    new IscsiRecordFiles([join(root, 'absent'), root]).changeNode(node, chapSettings('node.session.auth', chap));
    expect(readFileSync(ours, 'utf8')).toContain('node.session.auth.password = hunter2\n# END RECORD');
    expect(statSync(ours).mode & 0o777).toBe(0o600);
    expect(readFileSync(theirs, 'utf8')).toBe(record);
    expect(readdirSync(join(root, portal)).toSorted()).toEqual(['default', 'moored']);
  });

  it('says so when open-iscsi made no record', () => {
    expect(() => new IscsiRecordFiles([root]).changeNode(node, new Map())).toThrow('open-iscsi keeps none in');
  });

  it('removes our node record with its link, and the directories that are empty then', () => {
    const theirs = put(`nodes/${iqn}/192.0.2.8,3260,1/default`, record);
    put(`${portal}/moored`, record);
    mkdirSync(join(root, 'static'));
    symlinkSync(join(root, portal), join(root, `static/${iqn},192.0.2.7,3260,1,moored`));
    const records = new IscsiRecordFiles([root]);
    records.removeNode(node);
    records.removeNode(node);
    expect(existsSync(join(root, portal))).toBe(false);
    expect(readdirSync(join(root, 'static'))).toEqual([]);
    expect(readFileSync(theirs, 'utf8')).toBe(record);
  });

  it('removes interfaces of ours and nobody else’s', () => {
    const names = ['default', 'moored', 'moored-0a1b2c3d', 'moorings'];
    for (const name of names) put(`ifaces/${name}`, 'iface.transport_name = tcp\n');
    const records = new IscsiRecordFiles([join(root, 'absent'), root]);
    records.removeInterface('moored-0a1b2c3d');
    expect(readdirSync(join(root, 'ifaces')).toSorted()).toEqual(['default', 'moored', 'moorings']);
    records.removeInterfaces(isOurInterface);
    expect(readdirSync(join(root, 'ifaces')).toSorted()).toEqual(['default', 'moorings']);
  });

  it('lends a discovery record and takes it back, however the discovery ends', async () => {
    mkdirSync(join(root, 'ifaces'));
    const path = join(root, 'send_targets/192.0.2.7,3260/st_config');
    const records = new IscsiRecordFiles([root]);
    const discovery = records.withDiscovery('192.0.2.7', '3260', chap, () => {
      expect(readFileSync(path, 'utf8')).toContain('discovery.sendtargets.auth.password = hunter2');
      expect(statSync(path).mode & 0o777).toBe(0o600);
      return Promise.reject(new Error('no answer'));
    });
    await expect(discovery).rejects.toThrow('no answer');
    expect(existsSync(dirname(path))).toBe(false);
  });

  describe('with an administrator’s discovery record', () => {
    const theirs = 'discovery.startup = manual\n# mine\n';
    const lend = async (records: IscsiRecordFiles, work: () => void = () => undefined): Promise<void> =>
      records.withDiscovery('192.0.2.7', '3260', chap, () => Promise.resolve(work()));
    let path: string;

    beforeEach(() => {
      mkdirSync(join(root, 'ifaces'));
      path = put('send_targets/192.0.2.7,3260/st_config', theirs);
    });

    it('puts it back byte for byte', async () => {
      await lend(new IscsiRecordFiles([root]), () => expect(readFileSync(path, 'utf8')).toContain('hunter2'));
      expect(readFileSync(path, 'utf8')).toBe(theirs);
    });

    it.each(['the next start', 'the next discovery'])('and a crash meanwhile, has it back by %s', async (when) => {
      // What a crash would have left: all of it is put back into its place from within.
      let left: readonly (readonly [string, string])[] = [];
      await lend(new IscsiRecordFiles([root]), () => {
        const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
        left = files.map(({ parentPath, name }) => [
          join(parentPath, name),
          readFileSync(join(parentPath, name), 'utf8'),
        ]);
      });
      for (const [file, text] of left) writeFileSync(file, text);
      writeFileSync(join(root, '.moored-0b2d6a5e-8d5c-4c7e-9d0f-1f2e3d4c5b6a'), 'hunter2');
      const records = new IscsiRecordFiles([root]);
      if (when === 'the next start') records.removeLeftovers(isOurInterface);
      else await lend(records);
      expect(readFileSync(path, 'utf8')).toBe(theirs);
      records.removeLeftovers(isOurInterface);
      expect(readdirSync(root).toSorted()).toEqual(['ifaces', 'send_targets']);
    });
  });

  it('takes a discovery record of ours away that a crash left', () => {
    const path = put('send_targets/192.0.2.7,3260/st_config', '# made by moored, removed after the discovery\n');
    put('send_targets/192.0.2.8,3260/st_config', '# BEGIN RECORD 2.1.8\n');
    new IscsiRecordFiles([root]).removeLeftovers(isOurInterface);
    expect(existsSync(dirname(path))).toBe(false);
    expect(readdirSync(join(root, 'send_targets'))).toEqual(['192.0.2.8,3260']);
  });
});

describe('sysfs', () => {
  const session = 'devices/platform/host2/session3';

  beforeEach(() => {
    const facts = { targetname: iqn, ifacename: 'moored', initiatorname: 'iqn.me', state: 'LOGGED_IN', target_id: '0' };
    for (const [name, text] of Object.entries(facts)) put(`${session}/iscsi_session/session3/${name}`, `${text}\n`);
    symlinkSync('../..', join(root, session, 'iscsi_session/session3/device'));
    put(`${session}/connection3:0/iscsi_connection/connection3:0/persistent_address`, '2001:db8::7\n');
    put(`${session}/connection3:0/iscsi_connection/connection3:0/persistent_port`, '3260\n');
    mkdirSync(join(root, 'class/iscsi_session'), { recursive: true });
    symlinkSync(`../../${session}/iscsi_session/session3`, join(root, 'class/iscsi_session/session3'));
    put(`${session}/target2:0:0/2:0:0:1/wwid`, 'naa.1\n');
    put(`${session}/target2:0:0/2:0:0:1/block/sdb/dev`, '8:16\n');
    put(`${session}/target2:0:0/2:0:0:11/type`, '12\n');
  });

  it('finds the session of a target, its LUNs and the device of one of them', () => {
    const sysfs = new IscsiSysfs(root);
    expect(sysfs.sessions(`${iqn}1`)).toEqual([]);
    const [found] = sysfs.sessions(iqn);
    expect(found).toMatchObject({ name: 'session3', interface: 'moored', state: 'LOGGED_IN', scsiHost: 'host2' });
    expect(found).toMatchObject({ address: '2001:db8::7', port: '3260', targetId: '0' });
    if (found === undefined) return;
    expect(sysfs.lunDirectories(found)).toHaveLength(2);
    const directory = sysfs.lunDirectory(found, 1) ?? '';
    expect(sysfs.diskIn(directory)).toEqual({ devicePath: '/dev/sdb', deviceNumber: '8:16', wwid: 'naa.1' });
    expect(sysfs.diskIn(sysfs.lunDirectory(found, 11) ?? '')).toBeUndefined();
    expect(sysfs.lunDirectory(found, 2)).toBeUndefined();
  });

  it('tells dm-multipath over a disk from other holders', () => {
    mkdirSync(join(root, 'dev/block/8:16/holders/dm-0'), { recursive: true });
    mkdirSync(join(root, 'dev/block/8:16/holders/dm-1'));
    put('class/block/dm-0/dm/uuid', 'LVM-abc\n');
    put('class/block/dm-1/dm/uuid', 'mpath-naa.1\n');
    put('class/block/dm-1/dm/name', 'mpatha\n');
    put('class/block/dm-1/dev', '253:1\n');
    const sysfs = new IscsiSysfs(root);
    const multipath = sysfs.multipathOver({ devicePath: '/dev/sdb', deviceNumber: '8:16', wwid: 'naa.1' });
    expect(multipath).toEqual({ devicePath: '/dev/dm-1', deviceNumber: '253:1', wwid: 'naa.1' });
    expect(sysfs.otherHolders('8:16')).toEqual(['dm-0']);
    expect(multipath && sysfs.multipathName(multipath)).toBe('mpatha');
  });
});
