/** What looks after images that no object has: orphans, trash, and the tools that bring volumes back. */
import { randomUUID } from 'node:crypto';
import { type UnclaimedImage, VolumeTools } from './controllers/volume-tools.ts';
import type { Core } from './core.ts';
import type { LinuxHost } from './host/linux-host.ts';
import { systemClock } from './host/system-clock.ts';
import { orphanHold } from './plan/orphan-hold.ts';
import type { Logger } from './ports/logger.ts';
import type { ManifestFile } from './ports/manifest-source.ts';
import { OrphanCollection } from './reconcile/orphan-collection.ts';
import { TrashEmptying } from './reconcile/trash-emptying.ts';
import type { DiskLayout } from './world/disk-layout.ts';

interface Parts {
  readonly host: LinuxHost;
  readonly layout: DiskLayout;
  readonly logger: Logger;
}

export interface LeftBehind {
  readonly orphans: OrphanCollection;
  readonly tools: VolumeTools;
  /** Undefined unless a grace is set: then nothing is ever removed by itself. */
  readonly emptying: TrashEmptying | undefined;
}

export function leftBehind(core: Core, { host, layout, logger }: Parts, trashGraceMs: number | undefined): LeftBehind {
  const { asw, objects, events, manifests, reconciler, trash } = core;
  const { images, inventory } = host;
  const common = { events, logger, clock: systemClock };
  const orphans = new OrphanCollection({
    ...{ ...common, asw, objects, host, layout, inventory },
    dsw: () => reconciler.dsw,
    hold: () => {
      const { state } = manifests;
      return orphanHold({
        directoryProblem: state?.kind === 'unreadable' ? state.problem.message : '',
        badFiles: state?.kind === 'listing' ? state.listing.files.flatMap(badName) : [],
        dsw: reconciler.dsw,
      });
    },
  });
  const tools = new VolumeTools({
    ...{ ...common, objects, images },
    newUid: () => randomUUID(),
    unclaimedImages: () => unclaimedImages(orphans),
    onRestored: (path) => trash.remove(path),
  });
  const look = () => orphans.look(0);
  const emptying =
    trashGraceMs === undefined
      ? undefined
      : new TrashEmptying({ ...common, images, inventory, records: trash, graceMs: trashGraceMs, look });
  return { orphans, tools, emptying };
}

async function unclaimedImages(orphans: OrphanCollection): Promise<readonly UnclaimedImage[]> {
  const { orphans: found } = await orphans.look(0);
  return found.flatMap(({ kind, path, sidecar, obstacle }): readonly UnclaimedImage[] =>
    kind === 'Image' || kind === 'Trashed' ? [{ path, isTrashed: kind === 'Trashed', sidecar, obstacle }] : [],
  );
}

function badName({ name, state }: ManifestFile): readonly string[] {
  return state === 'bad' ? [name] : [];
}
