#!/bin/bash
# What an administrator's script does for the same mounts: no manifest, no record, no probe, no check.
#   script-baseline.sh tmpfs|loop COUNT JOBS ROOT
# Prints times in microseconds: "volume INDEX START END", "mounted START END", what `times` says of CPU, with children. A line
# on stdin unmounts: "unmounted START END".
set -euo pipefail
kind=$1 count=$2 jobs=$3 root=$4

mount_tmpfs() {
  mkdir "$root/pod-$1"
  mount -t tmpfs -o nosuid,nodev,size=16777216,mode=777 tmpfs "$root/pod-$1"
}

mount_loop() {
  truncate -s 64M "$root/image-$1"
  local device
  device=$(losetup --find --show --direct-io=on "$root/image-$1")
  echo "$device" >"$root/device-$1"
  mkfs.ext4 -q -m 0 -E nodiscard,lazy_itable_init=1,lazy_journal_init=1 "$device"
  mkdir "$root/global-$1" "$root/pod-$1"
  mount -t ext4 -o nosuid,nodev "$device" "$root/global-$1"
  mount --bind "$root/global-$1" "$root/pod-$1"
}

unmount_tmpfs() {
  umount "$root/pod-$1"
}

unmount_loop() {
  umount "$root/pod-$1"
  umount "$root/global-$1"
  losetup --detach "$(<"$root/device-$1")"
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
