/**
 * What every volume plugin must hold to, whatever it serves. A plugin's test calls this with specs of its own; the same
 * specs on real mounts are integration/volume-kinds.test.ts.
 */
import { describe, expect, it } from 'vitest';
import type { VolumePlugin, VolumeSpec } from '../../daemon/ports/volume-plugin.ts';
import { diskLayout } from '../../daemon/world/disk-layout.ts';
import { StorageError } from '../../daemon/world/storage-error.ts';
import type { PodReference } from '../../daemon/world/volume-record.ts';

export const podA: PodReference = { namespace: 'default', name: 'a', uid: '00000000-0000-4000-8000-00000000000a' };
const podB: PodReference = { namespace: 'default', name: 'b', uid: '00000000-0000-4000-8000-00000000000b' };

export interface ContractCase {
  readonly name: string;
  /** The same volume as this pod would name it. */
  readonly specFor: (pod: PodReference) => VolumeSpec;
  /** True when two pods that name it get one volume, false when each gets its own. */
  readonly isShared: boolean;
}

export interface PluginContract {
  readonly plugin: VolumePlugin;
  readonly cases: readonly ContractCase[];
  /** Specs of other plugins: not supported. */
  readonly foreign: readonly VolumeSpec[];
  /** Specs of this plugin that can never work: refused with a typed, final error. */
  readonly illegal: readonly VolumeSpec[];
}

const layout = diskLayout('/var/lib/moored');

export function volumePluginContract({ plugin, cases, foreign, illegal }: PluginContract): void {
  describe.each(cases)('$name', ({ specFor, isShared }) => {
    const a = () => plugin.resolve(specFor(podA), layout);
    const b = () => plugin.resolve(specFor(podB), layout);

    it('is supported, and resolved to the same values each time', () => {
      expect(plugin.canSupport(specFor(podA))).toBe(true);
      expect(a()).toEqual(a());
    });

    it(`is ${isShared ? 'one volume' : 'a volume of its own'} for each pod that names it`, () => {
      expect(a().name === b().name).toBe(isShared);
      if (isShared) expect(a().recipe).toEqual(b().recipe);
    });

    it('survives the state dir: recipe and mount are JSON', () => {
      const { recipe, mount } = a();
      expect(JSON.parse(JSON.stringify({ recipe, mount }))).toEqual({ recipe, mount });
    });

    it('lies below the pod it is for, at a path of its own', () => {
      const { targetPath, specName } = a();
      expect(targetPath).toMatch(new RegExp(`^/var/lib/moored/pods/${podA.uid}/(volumes|volumeDevices)/[^/]+/`));
      expect(targetPath).toContain(`/${specName}`);
      expect(b().targetPath).not.toBe(targetPath);
    });

    it('has a global mount path exactly when it has a device to mount', () => {
      const { recipe, mount } = a();
      expect(recipe.globalMountPath !== '').toBe(recipe.deviceMount !== undefined);
      if (recipe.deviceMount !== undefined) expect(recipe.attachment).toBeDefined();
      expect(mount.kind === 'bind').toBe(recipe.deviceMount !== undefined);
      if (recipe.globalMountPath !== '') expect(recipe.globalMountPath).toMatch(/^\/var\/lib\/moored\/plugins\//);
    });
  });

  it('leaves other plugins’ volumes to them', () => {
    for (const spec of foreign) expect(plugin.canSupport(spec)).toBe(false);
  });

  it('refuses what can never work with a typed, final error', () => {
    for (const spec of illegal) {
      const refusal = caught(() => plugin.resolve(spec, layout));
      expect(refusal).toBeInstanceOf(StorageError);
      expect(refusal).toMatchObject({ code: 'InvalidArgument', progress: 'final' });
      expect((refusal as StorageError).message).toMatch(/^Cannot .*".*": /);
    }
  });
}

function caught(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
