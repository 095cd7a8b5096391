//! Servers die and return: writes go on, nothing that was acknowledged is lost.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use invariants::Acknowledged;
use model::JobKey;
use serde_json::Value;
use tests::e2e::cluster::SERVERS;
use tests::e2e::config::{DNS_PORT, HTTP_PORT, RPC_PORT};
use tests::e2e::process::Process;
use tests::e2e::{http, shared, wait};
use tokio::time::Instant;

const SOON: Duration = Duration::from_secs(15);
/// After the death of a leader the cluster takes writes again within this.
const WRITES_WITHIN: Duration = Duration::from_secs(3);
/// Writes between two deaths.
const WRITES: usize = 20;
/// Pause between two writes.
const WRITE_PAUSE: Duration = Duration::from_millis(20);

/// A job that is written and never placed.
fn document(number: usize) -> String {
    format!(
        r#"{{"Job":{{"ID":"write-{number}","Name":"write-{number}","Type":"batch","Datacenters":["nowhere"],
        "TaskGroups":[{{"Name":"g","Count":1,"Tasks":[{{"Name":"t","Driver":"fake",
        "Config":{{"run_for":"1s"}},"Resources":{{"CPU":10,"MemoryMB":10}}}}]}}]}}}}"#
    )
}

/// One write to the first server that takes it.
fn write(servers: &[SocketAddr], number: usize) -> Result<(), String> {
    let mut reason = String::new();
    for server in servers {
        match http::send(*server, "PUT", "/v1/jobs", document(number).as_bytes()) {
            Ok(reply) if reply.status == 200 => return Ok(()),
            Ok(reply) => reason = format!("{server}: {} {}", reply.status, reply.text()),
            Err(error) => reason = format!("{server}: {error}"),
        }
    }
    Err(reason)
}

/// Writes one after the other until it is told to end.
#[derive(Default)]
struct Writer {
    is_over: AtomicBool,
    /// The writes that were acknowledged, each with the moment when it was sent.
    acknowledged: Mutex<Vec<(usize, Instant)>>,
}

impl Writer {
    fn run(&self, servers: &[SocketAddr]) {
        for number in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            let sent = Instant::now();
            if write(servers, number).is_ok() {
                self.acknowledged.lock().expect("nobody panics in between").push((number, sent));
            }
            std::thread::sleep(WRITE_PAUSE);
        }
    }

    /// Writes that were sent since then and acknowledged.
    fn since(&self, moment: Instant) -> usize {
        self.acknowledged.lock().expect("nobody panics in between").iter().filter(|(_, sent)| *sent >= moment).count()
    }

    fn await_writes(&self, count: usize, within: Duration) -> Duration {
        let began = Instant::now();
        let look = || {
            let since = self.since(began);
            wait::check(since >= count, || format!("{since} of {count} writes were taken"))
        };
        wait::until("acknowledged writes", within, look).1
    }
}

/// Ends the writer also where the test fails: its thread is waited for.
struct Ends<'a>(&'a Writer);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

/// How often the leader dies: `LEADER_KILLS`, or few enough for an ordinary run.
fn leader_kills() -> usize {
    std::env::var("LEADER_KILLS").map_or(3, |kills| kills.parse().expect("LEADER_KILLS is a number"))
}

#[test]
fn no_acknowledged_write_is_lost_when_leaders_are_killed() {
    let mut cluster = shared::cluster();
    let servers = SERVERS.map(|server| cluster.http(server));
    let writer = Writer::default();
    std::thread::scope(|scope| {
        let _ends = Ends(&writer);
        scope.spawn(|| writer.run(&servers));
        for round in 0..leader_kills() {
            writer.await_writes(WRITES, SOON);
            let leader = cluster.leader();
            cluster.kill(leader);
            let took = writer.await_writes(1, WRITES_WITHIN);
            println!("round {round}: {leader} killed, a write was taken after {took:?}");
            cluster.launch(leader);
            wait::until("the server's return", SOON, || cluster.try_get_from(leader, "/v1/agent/self").map(drop));
        }
    });
    let acknowledged: Vec<usize> = writer.acknowledged.lock().unwrap().iter().map(|(number, _)| *number).collect();
    println!("{} writes were acknowledged", acknowledged.len());
    for server in SERVERS {
        wait::until("every acknowledged write on every server", SOON, || {
            let jobs = cluster.try_get_from(server, "/v1/jobs?stale&prefix=write-")?;
            let known: BTreeSet<&str> =
                jobs.as_array().into_iter().flatten().filter_map(|job| job["ID"].as_str()).collect();
            let missing: Vec<&usize> =
                acknowledged.iter().filter(|number| !known.contains(format!("write-{number}").as_str())).collect();
            wait::check(missing.is_empty(), || format!("{server} lacks {missing:?}"))
        });
    }
    let audited = cluster.audit();
    assert_eq!(audited.violations, []);
    let mut told = Acknowledged::default();
    acknowledged.iter().for_each(|number| told.registered(&JobKey::new("default", &format!("write-{number}")), 0));
    assert_eq!(told.audit(&audited.newest), []);
    println!("{} entries of {} servers' logs were audited", audited.entries, audited.servers);
    assert!(audited.servers >= SERVERS.len() && audited.entries >= acknowledged.len());
}

#[test]
fn a_server_that_was_away_catches_up_and_the_members_tell() {
    let mut cluster = shared::cluster();
    let away = cluster.follower();
    cluster.kill(away);
    wait::until("a failed member", SOON, || {
        let members = cluster.sched(&["server", "members"]).stdout;
        let line = members.lines().find(|line| line.starts_with(away)).unwrap_or_default().to_owned();
        wait::check(line.contains("failed"), || members.clone())
    });
    let up: Vec<SocketAddr> = cluster.servers_up().into_iter().map(|server| cluster.http(server)).collect();
    for number in 0..WRITES {
        write(&up, number).expect("two of three servers take writes");
    }
    let index = cluster.request(cluster.leader(), "GET", "/v1/jobs", "").unwrap().number("x-nomad-index").unwrap();
    cluster.launch(away);
    wait::until("the index of the others", SOON, || {
        let reply =
            cluster.request(away, "GET", "/v1/jobs?stale&prefix=write-", "").map_err(|error| error.to_string())?;
        let jobs = reply.json().as_array().map_or(0, Vec::len);
        wait::check(jobs == WRITES && reply.number("x-nomad-index") >= Some(index), || {
            format!("{jobs} jobs, {}", reply.head)
        })
    });
    wait::until("an alive member", SOON, || {
        let members = cluster.sched(&["server", "members"]).stdout;
        let alive = members.lines().filter(|line| line.contains("alive")).count();
        wait::check(alive == 3, || members.clone())
    });
}

#[test]
fn a_server_joins_with_a_token_votes_and_is_let_go() {
    let cluster = shared::cluster();
    let printed = cluster.sched(&["server", "join"]).expect(0).stdout;
    let token = printed.split_whitespace().find(|word| word.starts_with("SJ1-")).expect("a token is printed");
    let address = cluster.address("s4");
    let file = format!(
        r#"name = "s4"
        data_dir = "{}"
        bind = "{address}"
        join_token = "{token}"
        ports {{
          http = {HTTP_PORT}
          rpc  = {RPC_PORT}
          dns  = {DNS_PORT}
        }}
        server {{
          enabled = true
          join    = ["{}:{RPC_PORT}"]
        }}"#,
        cluster.folder().join("s4").display(),
        cluster.address(cluster.follower()),
    );
    let process = Process::agent(&["-config", &cluster.write("s4.hcl", file)], &cluster.folder().join("s4.log"));
    let voters = |count: usize| {
        wait::until(&format!("{count} voters"), SOON, || {
            let members = cluster.try_get("/v1/agent/members")?;
            let votes = |one: &&Value| one["Status"] == "alive" && one["Tags"]["voter"] == "true";
            let found = members["Members"].as_array().into_iter().flatten().filter(votes).count();
            wait::check(found == count, || format!("{}\n{}", members, process.tail()))
        });
    };
    voters(4);
    let itself = format!("{address}:{HTTP_PORT}").parse().expect("that is an address");
    assert_eq!(http::send(itself, "GET", "/v1/nodes", b"").unwrap().json().as_array().map(Vec::len), Some(3));
    cluster.sched(&["server", "leave", "-yes", "s4"]).expect(0);
    voters(3);
    process.kill();
}

#[test]
fn a_blocking_query_answers_when_something_changes_and_not_before() {
    let cluster = shared::cluster();
    let index = cluster.request("s2", "GET", "/v1/jobs", "").unwrap().number("x-nomad-index").unwrap();
    let began = Instant::now();
    cluster.request("s2", "GET", &format!("/v1/jobs?index={index}&wait=1s"), "").unwrap();
    assert!(began.elapsed() >= Duration::from_millis(900), "it did not wait: {:?}", began.elapsed());
    let (path, began) = (format!("/v1/jobs?index={index}&wait=10s"), Instant::now());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| cluster.request("s2", "GET", &path, "").unwrap());
        write(&[cluster.http("s1")], 0).unwrap();
        let reply = waiting.join().expect("the question was asked");
        assert!(reply.number("x-nomad-index") > Some(index), "{}", reply.head);
    });
    assert!(began.elapsed() < Duration::from_secs(5), "it slept through the change: {:?}", began.elapsed());
}
