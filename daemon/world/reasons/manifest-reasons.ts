import type { Reason } from './reason.ts';

/** About the files of the manifest directory. */
export const manifestReasons = {
  ManifestRejected: {
    type: 'Warning',
    means: 'A file is not understood; what it declared before stays in force.',
    help: ['mend the file at the place that is named; try it with: moorctl plan -f FILE'],
  },
  FieldNotBelieved: {
    type: 'Warning',
    means: 'The file was taken without a status, a uid or an annotation that only moored itself can know.',
    help: ['take the fields out of the file; claimRef without its uid reserves a volume for a claim'],
  },
  Conflict: {
    type: 'Warning',
    means: 'Another file, or moored itself, has an object of this kind and name already; this declaration is not used.',
    help: ['moorctl get manifests', 'remove one of the two declarations, or give the object another name'],
  },
  Forbidden: {
    type: 'Warning',
    means: 'The file changes a field that cannot be changed; the object stays as it is.',
    help: ['take the change back, or remove the object and declare it anew'],
  },
  DeletionHeld: {
    type: 'Warning',
    means: 'An object is declared no more, but a file that is not understood has its name in it: the object is kept.',
    help: ['mend or remove the file that is not understood: moorctl get manifests'],
  },
  ManifestsUnreadable: {
    type: 'Warning',
    means: 'The manifest directory cannot be read or trusted; everything stays as it is.',
    help: ['it, its parents and its files must be owned by root and writable by root alone: namei -l DIRECTORY'],
  },
  SourceMissing: {
    type: 'Warning',
    means: 'The manifest directory is another one than before, and empty; what was declared stays in force.',
    help: ['is its filesystem mounted? findmnt -T DIRECTORY', 'if it is meant: put one manifest into it'],
  },
  ManifestsNotWatched: {
    type: 'Warning',
    means: 'The kernel has no inotify watch left: changes are noticed by a timer, later.',
    help: ['sysctl fs.inotify.max_user_instances fs.inotify.max_user_watches, and raise the lower one'],
  },
} as const satisfies Readonly<Record<string, Reason>>;
