/** Operations as if each had succeeded: what lets a plan be shown to its end without doing any of it. Pure. */
import type { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import type { Operation } from './operation.ts';

const nowhere = { device: '', root: '/', fsType: '' } as const;

export function simulate(asw: ActualStateOfWorld, operation: Operation): void {
  const { volumeName: name } = operation;
  switch (operation.kind) {
    case 'attachVolume': {
      const { plugin, recipe } = operation.volume;
      const known = asw.get(name)?.record;
      asw.addVolume(known === undefined ? { name, plugin, recipe, pods: {} } : { ...known, recipe });
      asw.markVolumeAsAttached(name, { devicePath: '', deviceNumber: '' });
      return;
    }
    case 'mountDevice':
      asw.markDeviceAsMounted(name, nowhere);
      return;
    case 'expandVolume':
      asw.markVolumeAsExpanded(name, operation.size.persistentVolume, operation.size.desiredBytes);
      return;
    case 'mountVolume': {
      const { plugin, recipe } = operation.volume;
      if (asw.get(name) === undefined) asw.addVolume({ name, plugin, recipe, pods: {} });
      asw.addPodToVolume(name, operation.pod);
      asw.markVolumeAsMounted(name, operation.pod.pod.uid, { observed: undefined, at: '' });
      return;
    }
    case 'unmountVolume':
      asw.removePodFromVolume(name, operation.podUid);
      return;
    case 'unmountDevice':
      asw.markDeviceAsUnmounted(name);
      return;
    case 'detachVolume':
      asw.markVolumeAsDetached(name);
      return;
    case 'forgetVolume':
      asw.forgetVolume(name);
  }
}
