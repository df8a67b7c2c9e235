/** The crash matrix of what needs a server, inside a guest. */
import type { Backend, Surroundings } from './backends.ts';
import { type MatrixOptions, type MatrixRow, runMatrix } from './crash-matrix.ts';
import { IscsiSurroundings } from './iscsi-surroundings.ts';
import { NfsSurroundings } from './nfs-surroundings.ts';

type Server = Surroundings & { readonly backends: readonly Backend[] };

const servers: readonly (() => Promise<Server>)[] = [() => IscsiSurroundings.open(), () => NfsSurroundings.open()];

/** One server after the other: a guest has one processor. */
export async function runGuestMatrix(
  isWanted: (name: string) => boolean,
  options: MatrixOptions,
): Promise<readonly MatrixRow[]> {
  const rows: MatrixRow[] = [];
  for (const open of servers) {
    const server = await open();
    try {
      for (const backend of server.backends.filter(({ name }) => isWanted(name))) {
        rows.push(...(await runMatrix([backend], options)));
      }
    } finally {
      await server.close();
    }
  }
  return rows;
}
