import { describe, expect, it } from 'vitest';
import { ActualStateOfWorld, type ActualVolume } from './actual-state-of-world.ts';
import { type AttachedFacts, findAttachmentDrift } from './attachment-drift.ts';
import { recordOf, volumeToMount } from './testing/volumes.ts';

const path = '/images/data.img';

function attached(loopBacking: { device: string; inode: string; path: string } | undefined): ActualVolume {
  const asw = new ActualStateOfWorld();
  const volume = volumeToMount('device', 'data', ['web']);
  asw.addVolume(recordOf(volume));
  const device = { devicePath: '/dev/loop3', deviceNumber: '7:3' };
  asw.markVolumeAsAttached(volume.name, loopBacking === undefined ? device : { ...device, loopBacking });
  return asw.get(volume.name)!;
}

const loop = attached({ device: '1', inode: '2', path });
const backing = (now: string, isAutoclear = false): AttachedFacts => ({ backing: { path: now, isAutoclear } });

describe('findAttachmentDrift', () => {
  it.each<[string, AttachedFacts | undefined, string | undefined, RegExp]>([
    ['as attached', backing(path), undefined, /^$/],
    ['a path that cannot be read', backing(''), undefined, /^$/],
    ['no device of that number', undefined, 'deviceGone', /dmesg/],
    ['no backing file', {}, 'loopDetached', /^$/],
    ['a detach that waits', backing(path, true), 'detachPending', /^$/],
    [
      'removed or replaced',
      backing(`${path} (deleted)`),
      'imageGone',
      /^fsfreeze -f .*; cp --sparse=always \/dev\/loop3 /,
    ],
    ['moved', backing('/images/old name.img'), 'imageMoved', /^mv '\/images\/old name.img' \/images\/data.img$/],
    ['moved, then removed', backing('/images/b.img (deleted)'), 'imageGone', /cp --sparse/],
  ])('%s', (_what, facts, kind, help) => {
    const drift = findAttachmentDrift(loop, facts);
    expect(drift?.kind).toBe(kind);
    expect(drift?.help ?? '').toMatch(help);
  });

  it('asks of a disk only whether it is there', () => {
    expect(findAttachmentDrift(attached(undefined), {})).toBeUndefined();
    expect(findAttachmentDrift(attached(undefined), undefined)?.kind).toBe('deviceGone');
  });
});
