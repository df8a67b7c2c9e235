import { describe, expect, it } from 'vitest';
import { ActualStateOfWorld } from './actual-state-of-world.ts';
import { nameOf, recordOf, volumeToMount } from './testing/volumes.ts';

describe('the volumes of a pod in the actual state of world', () => {
  const shared = recordOf(volumeToMount('device', 'shared', ['web', 'batch']));
  const own = recordOf(volumeToMount('tmpfs', 'own', ['web']));

  function namesOf(asw: ActualStateOfWorld, uid: string): readonly string[] {
    return asw.volumesOfPod(uid).map(({ record }) => record.name);
  }

  it('are those whose records have the pod', () => {
    const asw = new ActualStateOfWorld();
    asw.addVolume(shared);
    asw.addVolume(own);
    expect(namesOf(asw, 'uid-web')).toEqual([shared.name, own.name]);
    expect(namesOf(asw, 'uid-batch')).toEqual([shared.name]);
    expect(asw.hasPod('uid-web', own.name)).toBe(true);
    expect(asw.hasPod('uid-batch', own.name)).toBe(false);
  });

  it('are as they are now, whatever was marked', () => {
    const asw = new ActualStateOfWorld();
    asw.addVolume(shared);
    asw.markVolumeAsAttached(shared.name, { devicePath: '/dev/loop3', deviceNumber: '7:3' });
    expect(asw.volumesOfPod('uid-web')).toEqual([asw.get(nameOf('shared'))]);
    expect(asw.volumesOfPod('uid-web')[0]?.attachState).toBe('Attached');
  });

  it('go one by one, and with the volume', () => {
    const asw = new ActualStateOfWorld();
    asw.addVolume(shared);
    asw.addVolume(own);
    asw.removePodFromVolume(shared.name, 'uid-web');
    expect(namesOf(asw, 'uid-web')).toEqual([own.name]);
    asw.forgetVolume(own.name);
    expect(asw.hasPod('uid-web')).toBe(false);
    expect(asw.hasPod('uid-batch')).toBe(true);
    asw.addVolume({ ...shared, pods: {} });
    expect(asw.hasPod('uid-batch')).toBe(false);
  });

  it('come back with a record that is replaced or restored', () => {
    const asw = new ActualStateOfWorld();
    asw.addVolume({ ...shared, pods: {} });
    asw.addVolume(shared);
    expect(asw.hasPod('uid-web')).toBe(true);
    const restored = new ActualStateOfWorld();
    for (const volume of asw.volumes.values()) restored.restoreVolume(volume);
    expect(namesOf(restored, 'uid-web')).toEqual([shared.name]);
  });
});
