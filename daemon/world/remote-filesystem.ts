/** What mountinfo calls filesystems of other machines: where a server that is gone would keep the daemon waiting. */
const remote = /^(nfs|cifs|smb|fuse|9p|ceph|afs|coda|lustre|beegfs|glusterfs)/;

export function isRemote(fsType: string): boolean {
  return remote.test(fsType);
}
