#!/bin/sh
# toolchain.sh prints what GOTOOLCHAIN is to be for what is shipped: the version
# that go.mod names with "toolchain", whose standard library has its faults mended.
# A local Go that is as new is taken as it is. Where the named one cannot be had,
# it says so, and prints the local one: a package built with it works, too.
cd "$(dirname "$0")/.." || exit 1
want=$(sed -n 's/^toolchain \(go[0-9.]*\)$/\1/p' go.mod)
have=$(GOTOOLCHAIN=local go env GOVERSION) || exit 1
if [ -z "$want" ] || [ "$(printf '%s\n%s\n' "${want#go}" "${have#go}" | sort -V | tail -n 1)" = "${have#go}" ]; then
	echo local
elif why=$(GOTOOLCHAIN=$want go version 2>&1 >/dev/null); then
	echo "$want"
else
	cat >&2 <<-END
	**********************************************************************
	WARNING: go.mod names $want, which cannot be had, so $have is used.
	Faults of the standard library that $want mends are in what is built.
	  $(echo "$why" | tail -n 1)
	Either let the go command fetch it (https://proxy.golang.org, or what
	"go env GOPROXY" names, has to be reachable), or install $want from
	https://go.dev/dl/ and put it first in PATH; then run this again.
	**********************************************************************
	END
	echo local
fi
