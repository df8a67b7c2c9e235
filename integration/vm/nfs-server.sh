#!/usr/bin/env bash
# One step of an NFS server in a network namespace of its own (integration/support/nfs-server.ts). Run in mount and UTS
# namespaces that end with the step: the server's files lie in DIRECTORY, and the kernel's part belongs to the network.
#   nfs-server.sh DIRECTORY start|serve|refuse
set -euo pipefail
directory=$1
# A server is known by its host's name, among other things: two of one name could be taken for one with two addresses.
hostname moored-filer
mount --bind "$directory/state" /var/lib/nfs
mount -t nfsd nfsd /proc/fs/nfsd
case $2 in
  start)
    mkdir -p /var/lib/nfs/rpc_pipefs /var/lib/nfs/nfsdcld
    mount -t rpc_pipefs rpc_pipefs /var/lib/nfs/rpc_pipefs
    touch /var/lib/nfs/{etab,rmtab}
    # Ten seconds are the least; 90 would be the pause after each start in which nothing can be opened.
    echo 10 > /proc/fs/nfsd/nfsv4leasetime
    echo 10 > /proc/fs/nfsd/nfsv4gracetime
    # It remembers clients, and with none to wait for there is no pause at all.
    nfsdcld
    exportfs -i -o rw,no_root_squash,no_subtree_check "*:$directory/exports"
    rpc.mountd --no-nfs-version 3
    rpc.nfsd --no-nfs-version 3 2
    ;;
  serve) rpc.nfsd --no-nfs-version 3 2 ;;
  refuse) rpc.nfsd 0 ;;
esac
