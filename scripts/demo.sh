#!/usr/bin/env bash
# `make demo`: from a fresh checkout to three servers and three agents that run jobspecs/basket.hcl in Docker. Starts
# only what does not run yet, so it may be called again at any time. Succeeds only if all that it prints is true.
# shellcheck source=scripts/cluster.sh
source "$(dirname "$0")/cluster.sh"

JOBSPEC=${JOBSPEC:-jobspecs/basket.hcl}

# As many passing instances in the catalog as the job wants.
catalog_is_complete() {
    local wanted
    wanted=$(api /v1/job/basket | json 'it.TaskGroups.reduce((sum, group) => sum + group.Count, 0)') || return 1
    api /v1/service/basket | json "it.length === $wanted && $wanted > 0" >/dev/null
}

ask_dns() { dig +short +time=2 +tries=1 "@$(address s1)" -p "$DNS" "$@"; }

dns_is_complete() {
    local expected found
    expected=$(api /v1/service/basket | json 'it.length') || return 1
    found=$(ask_dns basket.service.sched SRV | grep -c .) || return 1
    [ "$found" = "$expected" ]
}

# One instance, asked at the address that the catalog gives, tells who it is.
one_basket() {
    local where
    where=$(api /v1/service/basket | json 'it[0].Address + ":" + it[0].Port') || return 1
    curl -sSf --max-time 3 "http://$where/"
}

print_result() {
    local ui
    ui=http://$(address s1):$HTTP/ui/
    say "./sched job status basket"
    "$TARGET/sched" job status basket
    echo
    say "basket in the catalog (./sched service info basket; any server's GET /v1/service/basket)"
    # shellcheck disable=SC2016 # a template of JavaScript
    api /v1/service/basket | json 'it.map(i => `    ${i.Address}:${i.Port}  ${i.Tags.join(" ")}`).sort().join("\n")'
    say "basket in DNS (any server's port $DNS: dig @$(address s2) -p $DNS basket.service.sched SRV)"
    ask_dns basket.service.sched A | sort | sed 's/^/    A    /'
    ask_dns basket.service.sched SRV | sort | sed 's/^/    SRV  /'
    say "one instance answers: $(one_basket)"
    curl -sSf --max-time 5 "$ui" | grep -q 'id="app"' || die "the web UI does not answer at $ui"
    say "web UI: $ui (the same on $(address s2) and $(address s3))"
    echo "    from another machine: ssh -L $HTTP:$(address s1):$HTTP $(id -un)@$(hostname)  and then http://127.0.0.1:$HTTP/ui/"
}

print_commands() {
    say "to try next (./sched finds the servers by itself; for other tools: export SCHED_ADDR=$(addresses))"
    to_try "make demo-kill NODE=n2" "the agent by -9, then its containers: watch them move"
    to_try "make demo-start NODE=n2" "bring it back"
    to_try "make demo-kill NODE=s1" "or kill a server: everything printed here goes on working"
    to_try "make demo-start NODE=s1" "bring it back"
    to_try "./sched node drain -enable -yes n3" "move everything away from n3"
    to_try "./sched node drain -disable -yes n3" "undo it"
    to_try "./sched alloc logs -f $(first_allocation)" "follow the log of one instance; Ctrl-C ends it"
    to_try "./sched job run jobspecs/too-big.hcl" "a job that fits nowhere: it stays blocked ..."
    to_try "./sched job why too-big" "... and why"
    to_try "./sched job stop too-big" "take it back"
    to_try "make demo-down" "stop and remove all of it"
}

to_try() { printf '    %-40s %s\n' "$1" "$2"; }

first_allocation() {
    api /v1/job/basket/allocations | json 'it.filter(a => a.ClientStatus === "running")[0].ID.slice(0, 8)'
}

scripts/setup.sh demo
scripts/ports.sh
scripts/build.sh
scripts/image.sh
scripts/cluster-up.sh
SCHED_ADDR=$(addresses)
export SCHED_ADDR
say "./sched job run $JOBSPEC"
"$TARGET/sched" job run "$JOBSPEC"
wait_until 60 catalog_is_complete || die "the catalog does not show every instance of basket (./sched job status basket)"
wait_until 10 dns_is_complete || die "DNS does not show every instance of basket"
echo
print_result
print_commands
say "the demo is up, after $SECONDS s"
