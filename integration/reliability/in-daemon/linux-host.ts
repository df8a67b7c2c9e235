/** Takes the place of daemon/host/linux-host.ts in the bundle of the crash matrix. */
import { type LinuxHost, openLinuxHost as openRealHost } from '../../../daemon/host/linux-host.ts';
import type { Logger } from '../../../daemon/ports/logger.ts';
import { wrapPorts } from '../../support/port-calls.ts';
import { around } from './crash-point.ts';

export function openLinuxHost(rootDir: string, logger: Logger): LinuxHost {
  return wrapPorts(openRealHost(rootDir, logger), (name) => name !== 'features', around);
}
