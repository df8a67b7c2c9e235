#!/bin/bash
# What an administrator's script does for the same mounts: no manifest, no record, no probe, no check.
#   script-baseline.sh tmpfs|loop COUNT JOBS ROOT
# Prints times in microseconds: "volume INDEX START END", "mounted START END", what `times` says of CPU, with children. A line
# on stdin unmounts: "unmounted START END".
set -euo pipefail
kind=$1 count=$2 jobs=$3 root=$4

# The directories of the kubelet, as moored makes them.
mount_tmpfs() {
  local at="$root/pods/$1/volumes/kubernetes.io~empty-dir/data"
  mkdir -p "$at"
  mount -t tmpfs -o nosuid,nodev,size=16777216,mode=777 tmpfs "$at"
}

mount_loop() {
  local device at="$root/pods/$1/volumes/kubernetes.io~csi/volume/mount"
  local global="$root/plugins/kubernetes.io/csi/$1/globalmount"
  truncate -s 64M "$root/$1.img"
  device=$(losetup --find --show --direct-io=on "$root/$1.img")
  echo "$device" >"$root/$1.device"
  mkfs.ext4 -q -m 0 -E nodiscard,lazy_itable_init=1,lazy_journal_init=1 "$device"
  mkdir -p "$global" "$at"
  mount -t ext4 -o nosuid,nodev "$device" "$global"
  mount --bind "$global" "$at"
}

unmount_tmpfs() {
  umount "$root/pods/$1/volumes/kubernetes.io~empty-dir/data"
}

unmount_loop() {
  umount "$root/pods/$1/volumes/kubernetes.io~csi/volume/mount"
  umount "$root/plugins/kubernetes.io/csi/$1/globalmount"
  losetup --detach "$(<"$root/$1.device")"
}

# Every JOBS-th volume from the first one on.
share() {
  local step=$1 i
  for ((i = $2; i < count; i += jobs)); do
    local start=${EPOCHREALTIME/./}
    "${step}_$kind" "$i"
    echo "volume $i $start ${EPOCHREALTIME/./}"
  done
}

run() {
  local start=${EPOCHREALTIME/./} job others=()
  for ((job = 1; job < jobs; job++)); do
    share "$1" "$job" &
    others+=($!)
  done
  share "$1" 0
  for job in "${others[@]}"; do wait "$job"; done
  echo "${1}ed $start ${EPOCHREALTIME/./}"
}

LC_ALL=C
run mount
times
echo ready
read -r _
run unmount
