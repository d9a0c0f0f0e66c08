#!/bin/bash
# exposure.sh [UNIT] has systemd judge how much the shipped unit leaves open
# (systemd-analyze(1), security), without installing it, and fails above 1.5.
set -euo pipefail
cd "$(dirname "$0")/.."
unit=${1:-tools/systemd/bootstorm@.service}
# The threshold counts in tenths.
systemd-analyze security --no-pager --offline=true --threshold=15 "$unit" | tail -1
