/** Kubernetes users write kubectl's abbreviations; no edit distance finds what they stand for. */
const abbreviations: Readonly<Record<string, string>> = {
  rwo: 'ReadWriteOnce',
  rox: 'ReadOnlyMany',
  rwx: 'ReadWriteMany',
  rwop: 'ReadWriteOncePod',
  pvc: 'persistentVolumeClaim',
};

/** The legal name that was probably meant, or undefined when none is near. */
export function nearestName(name: string, legal: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  const spelledOut = abbreviations[wanted];
  if (spelledOut !== undefined && legal.includes(spelledOut)) return spelledOut;
  // The user knows the word and not what is around it: "reclaimPolicy" for "persistentVolumeReclaimPolicy".
  const around = wanted.length < 5 ? [] : legal.filter((candidate) => candidate.toLowerCase().includes(wanted));
  if (around.length === 1) return around[0];
  let nearest: string | undefined;
  // A third of the letters may be wrong, and at least two: "sizlimit", "Retian".
  let smallest = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  if (wanted.length > 64) return undefined;
  for (const candidate of legal) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < smallest && distance < candidate.length) {
      nearest = candidate;
      smallest = distance;
    }
  }
  return nearest;
}

/** Levenshtein, with two swapped neighbours counted as one edit. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      let best = Math.min((previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, substitution);
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped && row > 1 && column > 1) best = Math.min(best, (beforePrevious[column - 2] ?? 0) + 1);
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}
