#!/bin/bash
# fuzz.sh SECONDS runs every fuzz target of the module for that long, one after
# the other, and stops at the first finding.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-10}
count=0
while IFS=: read -r file target; do
	dir=./$(dirname "$file")
	printf '%-28s %s\n' "$target" "$dir"
	# Two workers: the machine's other processors may be busy with something.
	if ! out=$(go test "$dir" -run '^$' -fuzz "^$target\$" -fuzztime "${seconds}s" -parallel 2 2>&1); then
		# When the time is up while inputs are under way, go test may call that a
		# failure (golang/go issue 75804, until Go 1.27). A finding names its input.
		if grep -q 'Failing input\|panic' <<<"$out" || ! grep -q '^ *context deadline exceeded$' <<<"$out"; then
			echo "$out"
			exit 1
		fi
	fi
	count=$((count + 1))
done < <(grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed 's|^\./||; s|:func |:|')
echo "$count fuzz targets, $seconds s each: no finding"
