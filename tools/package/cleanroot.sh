#!/bin/bash
# cleanroot.sh takes the package through its life in a clean Debian of its own:
# installed, upgraded, installed again, removed, purged. It leaves the package
# installed in build/package/root for the test that boots nodes from it. SUITE names
# another Debian than bookworm. As root.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly suite=${SUITE:-bookworm}
readonly base=build/package/base-$suite.tar root=build/package/root
deb=$(ls build/bootstorm_*.deb)
version=$(dpkg-deb -f "$deb" Version)

fail() { echo "cleanroot.sh: $*" >&2; exit 1; }
said() { grep -qF -- "$1" build/package/log || { cat build/package/log >&2; fail "dpkg did not say: $1"; }; }
in_root() { chroot "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }
dpkg_in_root() { in_root dpkg "$@" >build/package/log 2>&1 || { cat build/package/log >&2; fail "dpkg $*"; }; }
there() { local f; for f; do [ -e "$root$f" ] || fail "$f is missing"; done; }
gone() { local f; for f; do [ ! -e "$root$f" ] || fail "$f is still there"; done; }
calls() { cat "$root/run/calls" 2>/dev/null || true; }

[ "$(id -u)" = 0 ] || fail "a Debian of its own takes root's rights"
# Mounts of its own, which end with it.
[ "${1:-}" = inside ] || exec unshare --mount --propagation private "$0" inside
[ -e "$base" ] || { # once: it is the download that takes its time
	mmdebstrap --format=tar --variant=essential --include=systemd "$suite" "$base.new" 2>build/package/base.log || { tail -5 build/package/base.log; exit 1; }
	mv "$base.new" "$base"
}
rm -rf "$root"; mkdir -p "$root"
tar -xf "$base" -C "$root" --exclude './dev/*'
mknod -m 666 "$root/dev/null" c 1 3
mount -t proc proc "$root/proc"

# Two versions, the older from the same parts.
mkdir -p build/package/old "$root/packages"
VERSION=0.0.1 ARCH=$(dpkg-deb -f "$deb" Architecture) go tool -modfile=tools/tools.mod nfpm package -f tools/package/nfpm.yaml -p deb -t build/package/old/bootstorm.deb >/dev/null
cp "$deb" "$root/packages/new.deb"; cp build/package/old/bootstorm.deb "$root/packages/old.deb"

# No systemd runs in a root: what the scripts ask of it is written down. The
# first word that the list of units gives is a service that runs.
mkdir -p "$root/run/systemd/system" "$root/usr/local/sbin"
cat >"$root/usr/local/sbin/systemctl" <<'STUB'
#!/bin/sh
echo "systemctl $*" >>/run/calls
[ "$1" != list-units ] || echo "bootstorm@bond0.service loaded active running DHCP and TFTP boot server on bond0"
STUB
printf '#!/bin/sh\necho "deb-systemd-invoke $*" >>/run/calls\n' >"$root/usr/local/sbin/deb-systemd-invoke"
chmod 755 "$root"/usr/local/sbin/*
mkdir -p "$root/etc/dhcp" "$root/etc/systemd/system/multi-user.target.wants"
echo 'subnet 192.168.1.0 netmask 255.255.255.240 { }' >"$root/etc/dhcp/dhcpd.conf"
ln -s /lib/systemd/system/tftpd-hpa.service "$root/etc/systemd/system/multi-user.target.wants/"

# Installed: all is there, nothing is started, and who holds the ports is named.
dpkg_in_root -i /packages/old.deb
there /usr/sbin/bootstorm /usr/bin/bootstorm-bench /usr/lib/systemd/system/bootstorm@.service /etc/bootstorm/options \
	/usr/share/man/man8/bootstorm-serve.8.gz /usr/share/man/man1/bootstorm-bench.1.gz /usr/share/bash-completion/completions/bootstorm /usr/share/doc/bootstorm/copyright \
	/usr/share/doc/bootstorm/bootstorm.cdx.json /var/lib/bootstorm
gone /etc/bootstorm/dhcpd.conf
said "answer DHCP or TFTP: tftpd-hpa"
said "systemctl enable --now bootstorm@IF"
[ "$(in_root stat -c %U:%G:%a /var/lib/bootstorm)" = bootstorm:bootstorm:750 ] || fail "the lease directory is not the daemon's"
! calls | grep -E '(deb-systemd-invoke|enable|start).*bootstorm' || fail "something was started"
calls | grep -q 'systemctl daemon-reload' || fail "systemd was not told of the unit"
in_root bootstorm check 2>&1 | grep -q '^/etc/dhcp/dhcpd.conf: 0 errors' || fail "the operator's dhcpd.conf is not the one in use"
echo "installed: 0.0.1, not started, user and directories made"

# Upgraded: what the operator wrote stays, what runs gets the new program.
echo 'BOOTSTORM_OPTIONS="--log-level debug"' >"$root/etc/bootstorm/options"
echo 'lease 192.168.1.2 { binding state active; }' >"$root/var/lib/bootstorm/dhcpd.leases"
rm -f "$root/run/calls"
dpkg_in_root -i /packages/new.deb
in_root bootstorm --version | grep -qF "$version" || fail "the program is not $version"
grep -q debug "$root/etc/bootstorm/options" || fail "the operator's options are lost"
calls | grep -qx 'deb-systemd-invoke restart bootstorm@bond0.service' || fail "what runs was not restarted"
! calls | grep -q 'deb-systemd-invoke stop' || fail "the upgrade stopped the service"
there /var/lib/bootstorm/dhcpd.leases
! grep -q 'enable --now' build/package/log || fail "the upgrade tells what is known"
echo "upgraded: to $version, restarted what ran; options and leases kept"

dpkg_in_root -i /packages/new.deb
grep -q debug "$root/etc/bootstorm/options" || fail "the operator's options are lost"
[ -z "$(in_root dpkg --verify bootstorm | grep -v ' /etc/bootstorm/options$' | grep -v /usr/share/doc/)" ] || fail "files differ from the package"
echo "installed again: nothing changed"

# Removed: stopped; configuration and leases stay.
rm -f "$root/run/calls"
ln -s /usr/lib/systemd/system/bootstorm@.service "$root/etc/systemd/system/multi-user.target.wants/bootstorm@bond0.service"
dpkg_in_root -r bootstorm
calls | grep -qx 'deb-systemd-invoke stop bootstorm@bond0.service' || fail "it was not stopped"
gone /usr/sbin/bootstorm /usr/lib/systemd/system/bootstorm@.service /usr/share/man/man8/bootstorm.8.gz
there /etc/bootstorm/options /var/lib/bootstorm/dhcpd.leases
echo "removed: stopped; options and leases kept"

# Purged: everything of it is gone but the user.
dpkg_in_root -i /packages/new.deb
grep -q debug "$root/etc/bootstorm/options" || fail "the operator's options are lost"
echo 'subnet 192.168.1.0 netmask 255.255.255.240 { }' >"$root/etc/bootstorm/dhcpd.conf"
dpkg_in_root -P bootstorm
gone /usr/sbin/bootstorm /etc/bootstorm/options /var/lib/bootstorm /etc/systemd/system/multi-user.target.wants/bootstorm@bond0.service
there /etc/bootstorm/dhcpd.conf # written by the operator
in_root getent passwd bootstorm >/dev/null || fail "the user is gone"
rm "$root/etc/bootstorm/dhcpd.conf"
left=$(cd "$root" && find . -xdev -path ./packages -prune -o -path ./usr/local -prune -o -iname '*bootstorm*' -print | grep -vE '^./(var/lib/dpkg|var/cache)' || true)
[ -z "$left" ] || [ "$left" = ./etc/bootstorm ] || fail "left behind: $left"
echo "purged: program, options, leases and enabled units are gone"

dpkg_in_root -i /packages/new.deb
rm -rf "$root"/usr/local/sbin/* "$root/run/systemd"
echo "installed in $root for the boot test"
