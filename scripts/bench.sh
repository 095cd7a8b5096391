#!/usr/bin/env bash
# `make bench`: builds server and harness in profile release, measures, and keeps the tables in BENCHMARKS.md. With
# BENCH_QUICK=1 it shows in seconds that it works, in profile `ci`, and keeps nothing.
# `make pack DATA=folder` calls it as `bench.sh pack`: replays published sets, each in a folder of its name in DATA, over
# the core alone, prints what came out, and keeps the table of goals in BENCHMARKS.md.
# shellcheck source=scripts/host.sh
source "$(dirname "$0")/host.sh"

# note: when, of which commit and on what.
note() {
    local cpu
    cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)
    echo "Measured $(date -u '+%Y-%m-%d %H:%M') UTC, commit $(git rev-parse --short HEAD), on one of $(nproc) cores of $cpu."
}

# replay CASE OPTION...: `core-bench pack` on the files in $work/CASE; what it prints stands in $work/CASE.txt.
replay() {
    local folder=$work/$1
    shift
    "$core_bench" pack --nodes "$folder/nodes.csv" --tasks "$folder/tasks.csv" "$@" >"$folder.txt"
}

# figures CASE NODES PERCENT: of each policy in $work/CASE.txt its name, what it placed, and what the columns NODES,
# PERCENT and placements/s say.
figures() {
    awk -F ' *[|] *' -v OFS=';' -v nodes="$2" -v percent="$3" '
        $2 == "policy" { for (at = 2; at < NF; at++) column[$at] = at }
        $2 ~ /^(core|first|nomad)/ {
            print $2, $column["placed"], $column[nodes], $column[percent], $column["placements/s"]
        }' "$work/$1.txt"
}

# vectors FOLDER OPTION...: every instance of three dimensions whose optimum is known; the `figures` of all together: the
# sum of nodes, the mean of what each instance has above its optimum, and at the end what the sum has above theirs.
vectors() {
    local folder=$1 instance optimum
    shift
    while IFS=$'\t' read -r instance _ optimum _; do
        [[ $instance = *_*_3_* && $optimum -gt 0 ]] || continue
        "$core_bench" convert vbp "$work"/Panigrahy*/*/"$instance.vbp" --to "$work/vector" >/dev/null
        replay vector "$@"
        figures vector "peak in use" rejected | sed "s/\$/;$optimum/"
    done <"$folder/Panigrahy_summary_known.csv" | awk -F ';' '
        $4 > 0 { print "an instance was rejected: " $0 >"/dev/stderr"; exit 1 }
        !($1 in placed) { policy[++policies] = $1 }
        { placed[$1] += $2; nodes[$1] += $3; seconds[$1] += $2 / $5 }
        { optima[$1] += $6; above[$1] += $3 / $6 - 1; count[$1]++ }
        END {
            for (at = 1; at <= policies; at++) {
                name = policy[at]
                printf "%s;%d;%d;%.2f;%.0f;+%.2f %% by the sum of %d instances, whose optima are %d\n", \
                    name, placed[name], nodes[name], 100 * above[name] / count[name], placed[name] / seconds[name], \
                    100 * (nodes[name] / optima[name] - 1), count[name], optima[name]
            }
        }'
}

# row CASE GOAL BOUND FACTOR LIMIT: the row of a case from its `figures`. The goal is reached with at most FACTOR times
# the gap of the Nomad-like score over all nodes and LIMIT more; without a FACTOR with at least LIMIT % of the GPUs.
row() {
    awk -F ';' -v name="$1" -v goal="$2" -v bound="$3" -v factor="$4" -v limit="$5" '
        { nodes[NR] = $3; percent[NR] = $4; rate[NR] = $5 }
        function cell(at) {
            if (percent[at] == "-") return nodes[at] " (not all)"
            return factor == "" ? percent[at] " %" : nodes[at] " (+" percent[at] " %)"
        }
        END {
            reached = factor == "" ? percent[1] >= limit + 0 : percent[1] <= factor * percent[3] + limit
            if (percent[1] == "-") reached = 0
            printf "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", \
                name, goal, cell(1), cell(3), cell(4), cell(2), bound, reached ? "yes" : "no", rate[1]
        }' | tee -a "$work/table.md"
}

# bound CASE: the lower bound in $work/CASE.txt.
bound() { sed -n 's/.*lower bound //p' "$work/$1.txt"; }

# pack: all cases with default settings.
pack() {
    local data=${DATA:-DATA} large=(--vcpu 64 --memory-gb 256) folder name optima
    local azure=$data/azure-vm-2017-arrivals openb=$data/alibaba-gpu-v2023 panigrahy=$data/vector-bin-packing-vectorpack
    for folder in "$azure" "$openb" "$panigrahy"; do
        [ -d "$folder" ] || die "$folder is not there: make pack DATA=folder, see Packing in BENCHMARKS.md"
    done
    grep -q 'begin: packing,' BENCHMARKS.md || die "the marks for the table of packing are missing in BENCHMARKS.md"
    cargo build --release -p core-bench
    core_bench=${CARGO_TARGET_DIR:-$TOP/target}/release/core-bench
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    {
        printf '\n%s\n\n| case | goal | ours | Nomad-like, all nodes | Nomad-like, 2 nodes ' "$(note)"
        printf '| first fit | lower bound | reached | placements/s, ours |\n|---|---|---|---|---|---|---|---|---|\n'
    } | tee "$work/table.md"

    "$core_bench" convert azure "$azure" --to "$work/hard" >/dev/null
    replay hard --minimise-nodes
    figures hard fleet "gap %" | row "hard Azure fleet, 40 vCPU and 112 GB: smallest fleet" \
        "gap ≤ 0.6 × Nomad-like, all nodes" "$(bound hard)" 0.6 0
    "$core_bench" convert azure "$azure" "${large[@]}" --to "$work/easy" >/dev/null
    replay easy --minimise-nodes
    figures easy fleet "gap %" | row "easy Azure fleet, 64 vCPU and 256 GB: smallest fleet" \
        "gap ≤ Nomad-like, all nodes" "$(bound easy)" 1 0
    "$core_bench" convert azure "$azure" "${large[@]}" --nodes $((2 * $(bound easy))) --to "$work/half" >/dev/null
    replay half
    figures half "peak in use" "gap %" | row "easy Azure fleet, half full ($((2 * $(bound easy))) nodes): peak in use" \
        "gap ≤ 0.7 %" "$(bound half)" 0 0.7
    "$core_bench" convert openb "$openb" --arrivals 130 --to "$work/openb" >/dev/null
    replay openb
    figures openb "peak in use" "GPU allocated %" | row "Alibaba openb, arrivals at 130 %: GPUs allocated" \
        "≥ 94.5 %" "-" "" 94.5

    tar xzf "$panigrahy/Panigrahy_instances.tar.gz" -C "$work"
    vectors "$panigrahy" --batch >"$work/batch.txt"
    vectors "$panigrahy" >"$work/online.txt"
    optima=$(sed -n 's/.*optima are //p' "$work/batch.txt" | head -1)
    row "Panigrahy d=3, \`--batch\`: nodes" "gap ≤ 3 %" "$optima (optimum)" 0 3 <"$work/batch.txt"
    row "Panigrahy d=3, online: nodes" "gap ≤ 8.5 %" "$optima (optimum)" 0 8.5 <"$work/online.txt"

    for name in hard easy half openb batch online; do
        say "$name"
        cat "$work/$name.txt"
    done
    echo >>"$work/table.md"
    sed -i -e "/begin: packing,/r $work/table.md" -e '/begin: packing,/,/end: packing,/{/packing,/!d}' BENCHMARKS.md
}

if [ "${1:-}" = pack ]; then
    pack
    exit
fi

profile=release
if [ "${BENCH_QUICK:-0}" != 0 ]; then
    profile=ci
fi
scripts/ui.sh
if [ ! -x "target/$profile/sched" ]; then
    say "building sched in profile $profile: the first time takes about 15 minutes on 2 cores"
fi
cargo build --profile "$profile" --workspace --bin sched --bin core-bench --bench cluster --bench failover --bench jobspecs
core=(--quick)
if [ "$profile" = release ]; then
    core=(--note "$(note)" --keep BENCHMARKS.md)
fi
"target/$profile/core-bench" place "${core[@]}"
"target/$profile/core-bench" recover "${core[@]}"
exec cargo bench --profile "$profile" --workspace --bench jobspecs --bench failover --bench cluster
