# shellcheck shell=bash
# Sourced by the demo's scripts: the cluster's names, addresses and ports, its configuration files, and how one of its
# processes is started, found and stopped. The end-to-end tests use it for a second cluster beside the demo's:
#   CLUSTER  the cluster's name, which its containers bear as a label            (demo)
#   STATE    the folder of everything it writes, inside the checkout             (.demo)
#   NET      the third byte of its addresses, 127.0.NET.x                        (0)
#   PORTS    what is added to every port, such as +1000; remembered in STATE     (+0)
# shellcheck source=scripts/host.sh
source "$(dirname "${BASH_SOURCE[0]}")/host.sh"

CLUSTER=${CLUSTER:-demo}
STATE=${STATE:-$TOP/.demo}
NET=${NET:-0}
SERVERS=(s1 s2 s3)
AGENTS=(n1 n2 n3)

case $STATE in "$TOP"/?*) ;; *) die "STATE=$STATE is not inside the checkout $TOP" ;; esac

# A running cluster's ports are known; PORTS chooses them only for one that is to be started.
choose_ports() {
    PORTS=${PORTS:-}
    [[ $PORTS =~ ^([+-]?[0-9]+)?$ ]] || die "PORTS=$PORTS is not a number such as +1000"
    PORTS_SHIFT=$(cat "$STATE/ports" 2>/dev/null || echo "${PORTS:-+0}")
    HTTP=$((4646 + PORTS_SHIFT)) RPC=$((4647 + PORTS_SHIFT)) DNS=$((8600 + PORTS_SHIFT))
    if [ "$HTTP" -lt 1024 ] || [ "$DNS" -gt 65535 ]; then die "PORTS=$PORTS leads out of the range 1024-65535"; fi
}
choose_ports

# s2 is 127.0.0.2, n2 is 127.0.0.12.
address() {
    case $1 in
        s[1-3]) echo "127.0.$NET.${1#s}" ;;
        n[1-3]) echo "127.0.$NET.1${1#n}" ;;
        *) die "no node is called '$1': there are ${SERVERS[*]} and ${AGENTS[*]} (say NODE=n2)" ;;
    esac
}

# The HTTP addresses of all servers as SCHED_ADDR takes them.
addresses() {
    local name list=()
    for name in "${SERVERS[@]}"; do list+=("http://$(address "$name"):$HTTP"); done
    (IFS=, && echo "${list[*]}")
}

# ---- Cluster bootstrap: CA, certificates and join token, then what the configuration files say about them. ----------

bootstrap_cluster() {
    [ ! -f "$STATE/cluster/ca.pem" ] || return 0
    say "making the cluster's CA and certificates in ${STATE#"$TOP"/}/cluster"
    "$TARGET/sched" server init --name "$CLUSTER" --dir "$STATE/cluster" \
        --servers "s1=$(address s1):$RPC,s2=$(address s2):$RPC,s3=$(address s3):$RPC" >"$STATE/init.log" 2>&1 ||
        { cat "$STATE/init.log" >&2; die "server init failed"; }
}

server_config() {
    local name=$1
    cat <<EOF
name      = "$name"
data_dir  = "$STATE/$name"
bind      = "$(address "$name")"
log_level = "info"

ports {
  http = $HTTP
  rpc  = $RPC
  dns  = $DNS
}

server {
  enabled     = true
  cluster_dir = "$STATE/cluster"
}
EOF
}

# MHz of a core, as the kernel says; 1000 where it does not.
core_mhz() { awk -F '[:.]' '/^cpu MHz/ { mhz = int($2); exit } END { print mhz ? mhz : 1000 }' /proc/cpuinfo; }

# Three agents share this machine, so each tells of a third of it.
agent_config() {
    local name=$1 cpu_mhz memory_mb
    cpu_mhz=$(($(nproc) * $(core_mhz) / 3))
    memory_mb=$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' /proc/meminfo) / 1024 / 3))
    cat <<EOF
name      = "$name"
data_dir  = "$STATE/$name"
bind      = "$(address "$name")"
log_level = "info"

ports {
  http = $HTTP
  rpc  = $RPC
  dns  = $DNS
}

client {
  enabled           = true
  cluster_dir       = "$STATE/cluster"
  servers           = ["$(address s1):$RPC", "$(address s2):$RPC", "$(address s3):$RPC"]
  cpu_total_compute = $cpu_mhz
  memory_total_mb   = $memory_mb

  docker {
    enabled = true
  }

  fake {
    enabled = true
  }
}
EOF
}

# ---- Processes -------------------------------------------------------------------------------------------------------

write_config() {
    local name=$1
    mkdir -p "$STATE"
    case $name in
        s*) server_config "$name" ;;
        n*) agent_config "$name" ;;
    esac >"$STATE/$name.hcl"
}

# True when the process is one of this cluster's: a sched whose command line names a configuration file in our STATE. A
# pid file alone proves nothing, the number may belong to somebody else by now.
is_ours() {
    local pid=$1 name=$2
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = sched ] &&
        { tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qxF -- "$STATE/$name.hcl"; } 2>/dev/null
}

# Prints the pid of a running server or agent; fails when it does not run.
pid_of() {
    local name=$1 pid
    pid=$(cat "$STATE/$name.pid" 2>/dev/null) && [ -n "$pid" ] && is_ours "$pid" "$name" && echo "$pid"
}

# Starts one process if it does not run: a server as the user, an agent as root because it drives Docker.
start_process() {
    local name=$1 run=()
    ! pid_of "$name" >/dev/null || return 0
    [ -f "$STATE/$name.hcl" ] || write_config "$name"
    case $name in n*) run=(as_root) ;; esac
    # Should sudo ask for a password, then here and not behind the user's back.
    "${run[@]}" true
    # shellcheck disable=SC2016 # the inner shell expands them, with its own pid
    # The shell writes its own pid and becomes sched, so that the file is right also behind sudo.
    "${run[@]}" setsid sh -c 'echo $$ >"$1.pid"; exec "$2" agent -config "$1.hcl" >>"$1.log" 2>&1 </dev/null' \
        sh "$STATE/$name" "$TARGET/sched" </dev/null >/dev/null 2>&1 &
    disown
    wait_until 10 pid_of "$name" >/dev/null || fail_with_log "$name" "$name did not start"
}

fail_with_log() {
    tail -n 20 "$STATE/$1.log" >&2 2>/dev/null || true
    die "$2 (the end of ${STATE#"$TOP"/}/$1.log is above)"
}

# send_signal SIGNAL NAME PID
send_signal() {
    case $2 in
        n*) as_root kill "-$1" "$3" 2>/dev/null || true ;;
        *) kill "-$1" "$3" 2>/dev/null || as_root kill "-$1" "$3" 2>/dev/null || true ;;
    esac
}

# ---- Questions to the running cluster --------------------------------------------------------------------------------

# api PATH: the answer of the first server that gives one.
api() {
    local name
    for name in "${SERVERS[@]}"; do
        curl -sSf --max-time 5 "http://$(address "$name"):$HTTP$1" 2>/dev/null && return
    done
    return 1
}

# json EXPRESSION: reads JSON from standard input as `it` and prints the value of a JavaScript expression.
json() {
    node -e 'const it = JSON.parse(require("fs").readFileSync(0)); const out = eval(process.argv[1]);
        if (out === false || out === undefined) process.exit(1); console.log(out)' "$1" 2>/dev/null
}

has_leader() { api /v1/status/leader | json 'it !== ""' >/dev/null; }

server_answers() {
    curl -sSf --max-time 2 "http://$(address "$1"):$HTTP/v1/status/leader" 2>/dev/null | json 'it !== ""' >/dev/null
}

# True when the node takes work: registered, its agent's beats arriving.
agent_is_ready() { api /v1/nodes | json "it.some(n => n.Name === '$1' && n.Status === 'ready')" >/dev/null; }
