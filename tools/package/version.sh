#!/bin/sh
# version.sh prints the version of the sources as Debian compares versions: a
# release by its tag (v1.2 is 1.2), what comes after it with a + and a count, and
# what comes before the first release with a ~.
cd "$(dirname "$0")/../.." || exit 1
commit=$(git rev-parse --short=8 HEAD 2>/dev/null) || { echo 0.1~source; exit; }
if tag=$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null); then
	after=$(git rev-list --count "$tag..HEAD")
	if [ "$after" = 0 ]; then echo "${tag#v}"; else echo "${tag#v}+$after.g$commit"; fi
else
	echo "0.1~$(git rev-list --count HEAD).g$commit"
fi
