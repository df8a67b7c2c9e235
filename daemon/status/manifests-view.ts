import type { GetReplies } from '../control/protocol.ts';
import type { ManifestFile, ManifestProblem, ManifestState } from '../ports/manifest-source.ts';

export interface ManifestsView {
  readonly state: ManifestState | undefined;
  /** The files of the last listing, when the directory cannot be read now. */
  readonly lastFiles: readonly ManifestFile[];
  /** Declarations that were understood and not taken. */
  readonly refused: readonly ManifestProblem[];
}

/** Each file with all that stands against it; a file with a refused declaration shows that beside what was taken. */
export function manifestsView({ state, lastFiles, refused }: ManifestsView): GetReplies['manifests'] {
  const files = state?.kind === 'listing' ? state.listing.files : lastFiles;
  const manifests = files.map(({ words: _words, secrets: _secrets, ...file }) => {
    const problems = refused.filter((problem) => problem.file === file.name);
    return problems.length === 0 ? file : { ...file, problems: [...file.problems, ...problems] };
  });
  return state?.kind === 'unreadable' ? { manifests, problem: state.problem } : { manifests };
}
