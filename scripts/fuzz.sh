#!/usr/bin/env bash
# fuzz.sh [SECONDS [TARGET…]]: builds the fuzz targets with plain cargo and lets them share the seconds, 60 if not said.
#
# What is found stops it: the input is left in target/fuzz/found, and fuzz/README.md says how to go on.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(workspace_root)/fuzz"
export PATH="$PATH:$HOME/.cargo/bin"

seconds=${1:-60}
shift || true
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    for file in targets/*.rs; do
        target=$(basename "$file" .rs)
        [ "$target" = seed ] || targets+=("$target")
    done
fi

cargo build --quiet --locked --bins
# The folder of programs of the host, whatever it is called.
host=$(rustc -vV | sed -n 's/^host: //p')
programs=../target/fuzz/$host/debug
work=../target/fuzz
mkdir -p "$work/found"
ACRA_FUZZ_SEEDS=$work/seeds "$programs/seed" -runs=0 2>/dev/null || die "the seeds cannot be made: ACRA_FUZZ_SEEDS=$work/seeds $programs/seed -runs=0"

each=$((seconds / ${#targets[@]}))
[ "$each" -gt 0 ] || each=1
for target in "${targets[@]}"; do
    [ -x "$programs/$target" ] || die "there is no target $target; targets are the files of fuzz/targets"
    # New inputs go into the first folder; the others are only read.
    folders=("$work/corpus/$target" "$work/seeds/$target")
    [ ! -d "corpus/$target" ] || folders+=("corpus/$target")
    mkdir -p "$work/corpus/$target" "$work/seeds/$target"
    options=(-max_total_time="$each" -timeout=120 -rss_limit_mb=4096 -max_len=4096 -print_final_stats=1)
    case $target in
        sql | plan) options+=(-dict=sql.dict) ;;
    esac
    if "$programs/$target" "${options[@]}" -artifact_prefix="$work/found/$target-" "${folders[@]}" >"$work/$target.log" 2>&1; then
        say "fuzz $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$target.log") inputs in ${each}s"
    else
        # A panic with its place, or whatever else ended it.
        grep -m 1 -A 4 'panicked at' "$work/$target.log" >&2 || tail -n 20 "$work/$target.log" >&2
        die "the target $target has found something; the input is in target/fuzz/found, fuzz/README.md says how to go on"
    fi
done
