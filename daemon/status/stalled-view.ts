import type { StalledServer } from '../ports/nfs-servers.ts';
import { type PodMount, serverOf } from '../world/volume-recipe.ts';
import type { DaemonSnapshot } from './daemon-snapshot.ts';

/** The server that a mount waits for, when it does not answer. */
export function stalledServerOf(
  mount: PodMount | undefined,
  { stalledServers }: Pick<DaemonSnapshot, 'stalledServers'>,
): StalledServer | undefined {
  const server = mount && serverOf(mount);
  return server === undefined ? undefined : stalledServers.get(server);
}
