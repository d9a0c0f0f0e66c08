#!/bin/bash
# deps.sh GROUP... installs the Debian packages that a group of commands needs
# and that are missing; it says nothing when there is nothing to do.
#
#   demo  make demo          test  make test
#   boot  make boot          ci    .ci/run (the race detector's compiler)
#   peers bench peers (the servers to compare with)
#   package make package-test
#
# As root it installs them, starting no daemon. Any other user gets them
# unpacked below build/deps, without changing the system; the Makefile has that
# on the search path. Where neither works it says what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly unpacked=$PWD/build/deps policy=/usr/sbin/policy-rc.d

# What each group needs, as package:file. The file shows that it is there,
# wherever it came from; a name without a slash is a command.
group() {
	case $1 in
	demo) echo iproute2:ip iproute2:tc ipxe:/usr/lib/ipxe/ipxe.efi refind:/usr/share/refind/refind/refind_x64.efi ;;
	test) group demo; echo ethtool:ethtool isc-dhcp-client:dhclient isc-dhcp-server:dhcpd udhcpc:udhcpc busybox:busybox \
		tftp-hpa:/usr/bin/tftp atftp:atftp curl:curl chromium:chromium fonts-inter:/usr/share/doc/fonts-inter/copyright kea-admin:perfdhcp dnsmasq-base:dnsmasq ;;
	boot) group demo; echo qemu-system-x86:qemu-system-x86_64 ovmf:/usr/share/OVMF/OVMF_CODE_4M.fd \
		grub-efi-amd64-bin:/usr/lib/grub/x86_64-efi/normal.mod grub-common:grub-mkimage \
		mtools:mcopy dosfstools:mkfs.vfat gdisk:sgdisk ;;
	peers) group demo; echo dnsmasq-base:dnsmasq isc-dhcp-server:dhcpd kea-dhcp4-server:kea-dhcp4 kea-admin:perfdhcp \
		libwrap0:/usr/share/doc/libwrap0/copyright ;;
	package) group demo; echo mmdebstrap:mmdebstrap busybox:busybox ;;
	aside) echo atftpd:atftpd tftpd-hpa:/usr/share/doc/tftpd-hpa/copyright ;; # each removes the other if installed: unpacked only
	ci) group test; group boot; echo gcc:gcc libc6-dev:/usr/include/stdlib.h systemd:systemd-analyze ;;
	*) echo "deps.sh: unknown group $1: demo, test, boot, peers, package, ci" >&2; return 2 ;;
	esac
}

# there FILE: is the command or file there, installed or unpacked?
there() {
	case $1 in
	/*) [ -e "$1" ] || [ -e "$unpacked$1" ] ;;
	*) PATH=$PATH:/usr/sbin:/sbin:$unpacked/usr/bin:$unpacked/usr/sbin:$unpacked/sbin:$unpacked/bin command -v "$1" >/dev/null ;;
	esac
}

missing() {
	local need name=
	for need in $(for g in "$@"; do group "$g"; done); do
		there "${need#*:}" || case " $name " in *" ${need%%:*} "*) ;; *) name="$name ${need%%:*}" ;; esac
	done
	echo "$name"
}

# No daemon may start because its package is installed here. What stands in
# policy-rc.d's place is put back, whatever happens.
forbid_daemons() {
	kept=$(mktemp -d)
	[ -e "$policy" ] && cp -p "$policy" "$kept/policy-rc.d"
	trap allow_daemons EXIT
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
}
allow_daemons() {
	if [ -e "$kept/policy-rc.d" ]; then cp -p "$kept/policy-rc.d" "$policy"; else rm -f "$policy"; fi
	rm -rf "$kept"
}

install_packages() {
	forbid_daemons
	export DEBIAN_FRONTEND=noninteractive
	# The lists may be absent or old: fetch them once, only when that shows.
	apt-get install -y -q --no-install-recommends "$@" >"$kept/log" 2>&1 && return
	echo "deps.sh: fetching the package lists"
	apt-get update -q >"$kept/log" 2>&1 || { tail -5 "$kept/log" >&2; return 1; }
	apt-get install -y -q --no-install-recommends "$@" >"$kept/log" 2>&1 || { tail -15 "$kept/log" >&2; return 1; }
}

unpack_packages() {
	local dir; dir=$(mktemp -d); trap "rm -rf '$dir'" EXIT # now: the variable is gone by then
	(cd "$dir" && apt-get download -q "$@" >log 2>&1) || { tail -5 "$dir/log" >&2; return 1; }
	mkdir -p "$unpacked"
	for deb in "$dir"/*.deb; do dpkg-deb -x "$deb" "$unpacked"; done
	# Links to absolute paths mean the file that was unpacked beside them.
	local link to
	find "$unpacked" -type l | while read -r link; do
		to=$(readlink "$link")
		if [[ $to == /* && $to != "$unpacked"/* && -e $unpacked$to ]]; then ln -sfn "$unpacked$to" "$link"; fi
	done
}

main() {
	[ $# -gt 0 ] || { sed -n '2,14p' "$0"; exit 2; }
	local g; for g in "$@"; do group "$g" >/dev/null; done
	case " $* " in *" peers "*)
		local beside; beside=$(missing aside)
		# Both hold an in.tftpd: together, so that tftpd-hpa's is unpacked last.
		[ -z "$beside" ] || (unpack_packages atftpd tftpd-hpa) || { echo "deps.sh: could not get:$beside" >&2; exit 1; } ;;
	esac
	local want; want=$(missing "$@"); want=${want# }
	[ -z "$want" ] && return
	command -v apt-get >/dev/null || {
		echo "deps.sh: this is not Debian: install what these packages hold: $want" >&2; exit 1; }
	if [ "$(id -u)" = 0 ]; then
		echo "deps.sh: installing $want"
		install_packages $want
	else
		echo "deps.sh: unpacking $want into build/deps"
		unpack_packages $want
	fi || { echo "deps.sh: could not get: $want. As root: apt-get install $want" >&2; exit 1; }
	want=$(missing "$@")
	[ -z "$want" ] || { echo "deps.sh: still missing:$want. As root: apt-get install$want" >&2; exit 1; }
}
main "$@"
