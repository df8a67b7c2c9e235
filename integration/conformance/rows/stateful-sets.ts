import type { Area } from '../row.ts';

export const statefulSets: Area = {
  title: 'StatefulSets',
  rows: [
    {
      id: 'E01',
      says: 'Stateless services share a directory of the pod, stateful ones have a claim, those of a cluster one each.',
      tests: [
        'integration/samples.test.ts > X16',
        'integration/samples.test.ts > X15',
        'integration/stateful-set.test.ts > mounts pod after pod, and finds the storage of each by its name',
      ],
    },
    {
      id: 'E02',
      says: 'A pod is named after its set and ordinal, and its storage follows the name.',
      tests: [
        'daemon/controllers/dependents-controller.test.ts > gives pods their identity',
        'integration/stateful-set.test.ts > mounts pod after pod, and finds the storage of each by its name',
      ],
    },
    {
      id: 'E03',
      says: 'Pods come in order, and go in the reverse.',
      tests: [
        'daemon/controllers/dependents-controller.test.ts > makes claim, then pod, one ordinal after the other',
        'daemon/controllers/dependents-controller.test.ts > scales down in reverse',
        'integration/stateful-set.test.ts > goes in reverse order',
      ],
    },
    {
      id: 'E04',
      says: 'Names of pods in DNS.',
      tests: [],
      why: 'They are not of storage: moored makes none, and reads no Service.',
    },
    {
      id: 'E05',
      says: 'volumeClaimTemplates make a claim for each pod.',
      tests: [
        'daemon/controllers/dependents-controller.test.ts > gives claims the labels of the selector',
        'integration/samples.test.ts > X15',
      ],
    },
    {
      id: 'E06',
      says: 'Claims stay when the set is deleted or scaled down, unless it says otherwise.',
      tests: [
        'ss/retain',
        'ss/delete with set',
        'ss/delete on scaledown, condemned',
        'ss/own-5',
        'integration/stateful-set.test.ts > keeps the claims when it is scaled down',
      ],
    },
    {
      id: 'E07',
      says: 'Volumes come of a class or were there before.',
      tests: [
        'daemon/controllers/dependents-controller.test.ts > uses a claim that is there as it is',
        'integration/samples.test.ts > X15',
      ],
    },
    {
      id: 'E08',
      says: 'A pod that comes back finds its storage.',
      tests: ['integration/stateful-set.test.ts > mounts pod after pod, and finds the storage of each by its name'],
    },
    {
      id: 'E09',
      says: 'Init containers share the volumes of the pod.',
      tests: ['integration/samples.test.ts > X16'],
    },
    {
      id: 'E10',
      says: 'What is backed up is a volume or its directory; which backup is restored is said when the new one is asked for.',
      tests: [
        'integration/docker-words.test.ts > E10: a tar of the directory of a volume',
        'integration/snapshots.test.ts > is whole, is restored',
        'integration/samples.test.ts > X08, X09, X10, X13',
      ],
    },
  ],
};
