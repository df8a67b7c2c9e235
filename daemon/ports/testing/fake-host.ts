/** A whole machine in memory, behind the ports; see FakeKernel for how it behaves and what it refuses. */
import type { Host } from '../host.ts';
import {
  fakeAttachmentObserver,
  fakeBlockProbe,
  fakeFilesystemHealth,
  fakeFilesystems,
  fakeLoopDevices,
} from './fake-block-devices.ts';
import { fakeDirectories, fakeImages, fakeRecycler } from './fake-files.ts';
import { fakeImageCopies } from './fake-image-copies.ts';
import { FakeIscsiInitiator } from './fake-iscsi-initiator.ts';
import { FakeKernel } from './fake-kernel.ts';
import { fakeMounter, fakeMountHolders, fakeMountTable } from './fake-mounts.ts';
import { fakeNfs } from './fake-nfs.ts';

export { finalError, transientError, uncertainError } from './fake-effects.ts';

export class FakeHost extends FakeKernel implements Host {
  readonly mounter = fakeMounter(this);
  readonly nfs = fakeNfs(this);
  readonly mountTable = fakeMountTable(this);
  readonly loopDevices = fakeLoopDevices(this);
  readonly attachments = fakeAttachmentObserver(this);
  readonly holders = fakeMountHolders(this);
  readonly blockProbe = fakeBlockProbe(this);
  readonly filesystems = fakeFilesystems(this);
  readonly filesystemHealth = fakeFilesystemHealth(this);
  readonly directories = fakeDirectories(this);
  readonly images = fakeImages(this);
  readonly recycler = fakeRecycler(this);
  readonly imageCopies = fakeImageCopies(this);
  readonly iscsi = new FakeIscsiInitiator(this);

  override revive(): void {
    super.revive();
    this.iscsi.forgetWaiting();
  }

  override reboot(): void {
    super.reboot();
    this.iscsi.reboot();
  }
}
