/**
 * The slow look at filesystems that are mounted writable: has the kernel made one read-only or shut it down? No event tells
 * of that, and a workload sees it first. It only reports; what helps is the user's to do, since it ends the pod.
 */
import type { Clock } from '../ports/clock.ts';
import type { EventRecorder } from '../ports/events.ts';
import type { Host } from '../ports/host.ts';
import type { Logger } from '../ports/logger.ts';
import type { ActualStateOfWorld, ActualVolume } from '../world/actual-state-of-world.ts';
import { expectedDeviceMount } from '../world/expected-mounts.ts';
import { type Abnormality, decideHealth } from '../world/filesystem-health.ts';
import type { MountTable } from '../world/mount-table.ts';
import { findMount } from '../world/recorded-mount.ts';
import type { UniqueVolumeName } from '../world/unique-volume-name.ts';

/** Between two looks: a mount table, a file of sysfs for each ext4, a child for each xfs. */
const intervalMs = 30_000;

export interface VolumeCondition extends Abnormality {
  /** RFC 3339: when it was seen first. */
  readonly since: string;
}

export interface VolumeHealthOptions {
  readonly asw: ActualStateOfWorld;
  readonly host: Pick<Host, 'mountTable' | 'filesystemHealth'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventRecorder;
  /** Called at each slow look: for what else is worth one, so that there is one timer. */
  readonly onSlowLook: () => void;
  /** Called when a volume became abnormal, or is so no longer. */
  readonly onChange: () => void;
}

export class VolumeHealth {
  readonly #options: VolumeHealthOptions;
  readonly #conditions = new Map<UniqueVolumeName, VolumeCondition>();
  readonly #controller = new AbortController();
  /** What the table showed read-only, until it is known to be well. */
  readonly #readOnly = new Set<UniqueVolumeName>();
  #isLookingNow = false;
  #cancelTimer: (() => void) | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: VolumeHealthOptions) {
    this.#options = options;
  }

  /** The volumes with which something is wrong. */
  get conditions(): ReadonlyMap<UniqueVolumeName, VolumeCondition> {
    return this.#conditions;
  }

  /** From now on it looks every 30 s. */
  start(): void {
    this.#cancelTimer = this.#options.clock.after(intervalMs, () => {
      this.#options.onSlowLook();
      this.#looking = this.look().finally(() => {
        if (!this.#controller.signal.aborted) this.start();
      });
    });
  }

  async stop(): Promise<void> {
    this.#controller.abort();
    this.#cancelTimer?.();
    await this.#looking;
  }

  /** After each pass: a remount of a whole filesystem by somebody does raise an event; only the kernel's own does not. */
  update(table: MountTable): void {
    for (const { record } of this.#options.asw.volumes.values()) {
      const { name, recipe, deviceObserved } = record;
      const shown = recipe.deviceMount?.readOnly === false ? table.top(recipe.globalMountPath) : undefined;
      const isReadOnly = shown?.superOptions.includes('ro') === true && shown.device === deviceObserved?.device;
      const isKnown = this.#conditions.has(name);
      if (isReadOnly) this.#readOnly.add(name);
      else if (!isKnown) this.#readOnly.delete(name);
      if (isReadOnly !== isKnown && this.#readOnly.has(name)) this.#lookNow();
    }
  }

  #lookNow(): void {
    if (this.#isLookingNow) return;
    this.#isLookingNow = true;
    this.#looking = this.#looking.then(async () => {
      this.#isLookingNow = false;
      await this.look();
    });
  }

  /** One look at every volume; one that cannot be looked at keeps the condition that it had. */
  async look(): Promise<void> {
    const { asw, host, logger } = this.#options;
    try {
      const table = await host.mountTable.refresh();
      for (const volume of asw.volumes.values()) await this.#lookAt(volume, table);
    } catch (error) {
      if (!this.#controller.signal.aborted) logger.warn('volumes cannot be looked at', { error: String(error) });
    }
    for (const name of this.#conditions.keys()) if (asw.get(name) === undefined) this.#conditions.delete(name);
    for (const name of this.#readOnly) if (asw.get(name) === undefined) this.#readOnly.delete(name);
  }

  async #lookAt(volume: ActualVolume, table: MountTable): Promise<void> {
    const { name, recipe, attached } = volume.record;
    const expected = expectedDeviceMount(volume);
    const isMounted = volume.deviceMountState === 'DeviceGloballyMounted';
    if (recipe.deviceMount === undefined || expected === undefined || attached === undefined || !isMounted) {
      this.#set(volume, undefined);
      return;
    }
    const found = findMount(table, expected);
    // What is not there as it should be is drift: another's to tell.
    if (found.kind !== 'asExpected' || recipe.deviceMount.readOnly) return;
    const { fsType } = recipe.deviceMount;
    const filesystem = { fsType, deviceNumber: attached.deviceNumber, mountPoint: expected.path };
    const evidence = await this.#options.host.filesystemHealth.look(filesystem, this.#controller.signal);
    const now = this.#options.asw.get(name);
    if (now?.deviceMountState !== 'DeviceGloballyMounted') return;
    this.#set(
      now,
      decideHealth({ fsType, mountPoint: expected.path, superOptions: found.mount.superOptions, ...evidence }),
    );
  }

  #set(volume: ActualVolume, found: Abnormality | undefined): void {
    const { clock, onChange } = this.#options;
    const { name } = volume.record;
    const before = this.#conditions.get(name);
    if (before?.message === found?.message) return;
    if (found === undefined) this.#conditions.delete(name);
    else this.#conditions.set(name, { ...found, since: before?.since ?? clock.timestamp() });
    this.#tell(volume, found);
    onChange();
  }

  /** Upstream's reasons (external-health-monitor), told of each pod that has it. */
  #tell({ record }: ActualVolume, found: Abnormality | undefined): void {
    const { events, logger } = this.#options;
    const place = `volume "${record.name}" on "${record.attached?.devicePath ?? ''}"`;
    const message = found === undefined ? `${place} is well again` : `${place}: ${found.message}; ${found.advice}`;
    const reason = found === undefined ? 'VolumeConditionNormal' : 'VolumeConditionAbnormal';
    if (found !== undefined) logger.error('volume is abnormal', { volume: record.name, message: found.message });
    const pods = Object.values(record.pods).map(({ pod }) => `Pod/${pod.namespace}/${pod.name}`);
    for (const regarding of pods.length === 0 ? [`Volume/${record.name}`] : pods) {
      events.record({ reason, regarding, message });
    }
  }
}
