#!/bin/bash
# machine.sh DIR boots the Debian in DIR: its systemd becomes process 1. It is
# started with namespaces of its own for processes, mounts, host name and control
# groups, and the network that it is to have (live_test.go). As root.
set -euo pipefail
root=$1

mount --bind "$root" "$root"
# What belongs to the whole kernel is only to be read, as in any container:
# systemd would set it, for the machine that this runs on. The network is its own.
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount --bind "$root/proc/sys/net" "$root/proc/sys/net"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$root/sys/fs/cgroup"
for dir in run tmp dev; do mount -t tmpfs -o mode=755 tmpfs "$root/$dir"; done
chmod 1777 "$root/tmp"
for node in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
	IFS=: read -r name major minor <<<"$node"
	mknod -m 666 "$root/dev/$name" c "$major" "$minor"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"

# Nothing of the outside is left to be seen.
cd "$root"
mkdir -p mnt/outside
pivot_root . mnt/outside
umount -l /mnt/outside
rmdir /mnt/outside
# Modules and the clock are the whole kernel's as well: no process may touch them.
exec env -i container=bootstorm PATH=/usr/sbin:/usr/bin:/sbin:/bin setpriv --bounding-set=-sys_module,-sys_time \
	/lib/systemd/systemd --unit=multi-user.target
