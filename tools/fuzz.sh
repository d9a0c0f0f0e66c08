#!/bin/bash
# fuzz.sh SECONDS [TARGET...] runs every fuzz target of the module, or those that
# are named, for that long, one after the other, and stops at the first finding.
# At the end it tells how often each was executed. PARALLEL says by how many
# workers.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-10}
shift || true
wanted=" $* "
count=0
total=0
table=
while IFS=: read -r file target; do
	[[ $wanted == "  " || $wanted == *" $target "* ]] || continue
	dir=./$(dirname "$file")
	printf '%-28s %s\n' "$target" "$dir"
	# Two workers: the machine's other processors may be busy with something. To make
	# an input smaller, which by default may take a minute, some tries are enough.
	if ! out=$(go test "$dir" -run '^$' -fuzz "^$target\$" -fuzztime "${seconds}s" -fuzzminimizetime 200x -parallel "${PARALLEL:-2}" 2>&1); then
		# When the time is up while inputs are under way, go test may call that a
		# failure (golang/go issue 75804, until Go 1.27). A finding names its input.
		if grep -q 'Failing input\|panic' <<<"$out" || ! grep -q '^ *context deadline exceeded$' <<<"$out"; then
			echo "$out"
			exit 1
		fi
	fi
	execs=$(grep -o 'execs: [0-9]*' <<<"$out" | tail -1 | cut -d' ' -f2 || true)
	corpus=$(grep -o 'total: [0-9]*' <<<"$out" | tail -1 | cut -d' ' -f2 || true)
	table+=$(printf '%-28s %-30s %12s %8s' "$target" "$dir" "${execs:-0}" "${corpus:-0}")$'\n'
	total=$((total + ${execs:-0}))
	count=$((count + 1))
done < <(grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed 's|^\./||; s|:func |:|')
if ((count == 0)); then
	echo "no fuzz target is called$wanted" >&2
	exit 1
fi
printf '\n%-28s %-30s %12s %8s\n%s' target package executions corpus "$table"
echo "$count fuzz targets, $seconds s each, $total executions: no finding"
