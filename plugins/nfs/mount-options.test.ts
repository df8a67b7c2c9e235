import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StorageError } from '../../daemon/world/storage-error.ts';
import { parseNfsMountOptions } from './mount-options.ts';

function refusal(options: readonly string[]): StorageError | undefined {
  try {
    parseNfsMountOptions(options);
    return undefined;
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
}

describe('parseNfsMountOptions', () => {
  it.each([
    [[]],
    [['hard', 'nfsvers=4.2', 'proto=tcp', 'port=2049', 'timeo=600', 'retrans=2']],
    [['soft', 'vers=3', 'nolock', 'noresvport', 'mountport=20048', 'mountproto=tcp']],
    [['rsize=1048576', 'wsize=1048576', 'nconnect=8', 'sec=krb5p', 'xprtsec=tls']],
    [['actimeo=3', 'acregmin=1', 'acdirmax=60', 'lookupcache=none', 'noac', 'nocto', 'noatime', 'noexec', 'intr']],
    [['proto=tcp6', 'local_lock=all', 'nordirplus', 'softreval', 'vers=4', 'minorversion=1']],
  ])('takes %j, sorted', (options) => {
    expect(parseNfsMountOptions(options)).toEqual({ options: options.toSorted(), readOnly: false });
  });

  it('keeps what is always so, and ro, out of the options', () => {
    expect(parseNfsMountOptions(['nosuid', 'nodev', 'defaults', 'ro'])).toEqual({ options: [], readOnly: true });
    expect(parseNfsMountOptions(['rw', 'hard', 'hard'])).toEqual({ options: ['hard'], readOnly: false });
  });

  it.each([
    ['suid', 'dev', 'exec', 'remount', 'bind', 'x-systemd.automount', 'user', 'context=system_u:object_r:tmp_t:s0'],
    ['addr=10.0.0.1', 'clientaddr=10.0.0.1', 'mountaddr=10.0.0.1', 'mounthost=evil', 'bg', 'retry=100', 'fsc'],
    ['vers=2', 'vers=4.9', 'nfsvers=', 'vers', 'sec=', 'sec=none:sys', 'port=1;x', 'timeo=-1', 'nconnect=17'],
    ['hard=1', 'ro=', 'ro,suid', 'timeo=5,suid', 'timeo=5=6', 'timeo=5\n', ' hard', 'HARD', '', '=', '__proto__=1'],
  ])('refuses %j and others of its kind', (...options) => {
    for (const option of options) {
      const error = refusal(['hard', option]);
      expect(error, option).toMatchObject({ code: 'InvalidArgument', progress: 'final' });
      expect(error?.message).toContain(`Cannot use NFS mount option "${option}": want hard, soft`);
      expect(error?.message).toContain('and with a value vers, nfsvers');
    }
  });

  it.each([
    [['hard', 'soft']],
    [['vers=3', 'nfsvers=4']],
    [['tcp', 'proto=udp']],
    [['ro', 'rw']],
    [['timeo=5', 'timeo=6']],
    [['lock', 'nolock']],
  ])('refuses %j, which contradict each other', ([first = '', second = '']) => {
    expect(refusal([first, second])?.message).toBe(
      `Cannot use NFS mount option "${second}": it contradicts "${first}"`,
    );
  });

  it('gives nothing back that could be read as two options', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom('ro', 'soft', 'timeo=5', 'vers=4'))), (options) => {
        if (refusal(options) !== undefined) return;
        for (const word of parseNfsMountOptions(options).options) expect(word).toMatch(/^[a-z0-9_]+(=[a-z0-9.]+)?$/);
      }),
    );
  });
});
