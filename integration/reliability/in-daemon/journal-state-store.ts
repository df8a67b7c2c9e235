/** Takes the place of daemon/adapters/journal-state-store.ts in the bundle of the crash matrix. */
import { JournalStateStore as RealStore } from '../../../daemon/adapters/journal-state-store.ts';
import { wrapPort } from '../../support/port-calls.ts';
import { around } from './crash-point.ts';

export const JournalStateStore = {
  open: async (directory: string): Promise<RealStore> => wrapPort('state', await RealStore.open(directory), around),
};
