import type { Area } from '../row.ts';

export const statefulSets: Area = {
  title: 'StatefulSets',
  rows: [
    { id: 'E01', says: 'Stateless, stateful, and clustered services.', tests: [] },
    { id: 'E02', says: 'A pod is named after its set and ordinal, and its storage follows the name.', tests: [] },
    { id: 'E03', says: 'Pods come in order, and go in the reverse.', tests: [] },
    { id: 'E04', says: 'Names of pods in DNS are not of storage: moored makes none.', tests: [] },
    { id: 'E05', says: 'volumeClaimTemplates make a claim for each pod.', tests: [] },
    { id: 'E06', says: 'Claims stay when the set is deleted or scaled down, unless it says otherwise.', tests: [] },
    { id: 'E07', says: 'Volumes come of a class or were there before.', tests: [] },
    { id: 'E08', says: 'A pod that comes back finds its storage.', tests: [] },
    { id: 'E09', says: 'Init containers share the volumes of the pod.', tests: [] },
    { id: 'E10', says: 'The directory of a volume is what is backed up.', tests: [] },
  ],
};
