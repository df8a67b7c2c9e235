/** Prints what a manifest source tells: run in a process of its own, with limits of its own. */
import { ChokidarManifestSource } from '../../daemon/adapters/chokidar-manifest-source.ts';

const source = new ChokidarManifestSource({
  directory: process.argv[2] ?? '',
  onProblem: ({ message }) => process.stdout.write(`problem: ${message}\n`),
});
await source.start((state) => {
  const shown =
    state.kind === 'listing' ? state.listing.files.map(({ name }) => name).join(' ') : state.problem.message;
  process.stdout.write(`listed: ${shown}\n`);
});
