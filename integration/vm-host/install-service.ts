/** Runs in a guest: moored is installed, enabled and started. */
import { MooredService } from '../support/moored-service.ts';

const service = new MooredService();
service.install();
service.systemctl('enable', '--now');
