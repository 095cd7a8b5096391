//! Servers die and return: writes go on, nothing that was acknowledged is lost.

use std::time::Duration;

use tests::e2e::cluster::{Cluster, SERVERS};
use tests::e2e::{shared, wait};
use tokio::time::Instant;

const SOON: Duration = Duration::from_secs(15);
/// After the death of a leader the cluster takes writes again within this.
const WRITES_WITHIN: Duration = Duration::from_secs(3);
/// Writes between two deaths.
const WRITES: usize = 20;

/// A job that is written and never placed.
fn document(number: usize) -> String {
    format!(
        r#"{{"Job":{{"ID":"write-{number}","Name":"write-{number}","Type":"batch","Datacenters":["nowhere"],
        "TaskGroups":[{{"Name":"g","Count":1,"Tasks":[{{"Name":"t","Driver":"fake",
        "Config":{{"run_for":"1s"}},"Resources":{{"CPU":10,"MemoryMB":10}}}}]}}]}}}}"#
    )
}

/// One write to the first server that takes it; false if none did.
fn write(cluster: &Cluster, number: usize) -> Result<(), String> {
    let mut reason = String::new();
    for server in cluster.servers_up() {
        match cluster.request(server, "PUT", "/v1/jobs", &document(number)) {
            Ok(reply) if reply.status == 200 => return Ok(()),
            Ok(reply) => reason = format!("{server}: {} {}", reply.status, reply.text()),
            Err(error) => reason = format!("{server}: {error}"),
        }
    }
    Err(reason)
}

#[test]
fn no_acknowledged_write_is_lost_when_leaders_are_killed() {
    let mut cluster = shared::cluster();
    let mut acknowledged = Vec::new();
    let mut next = 0;
    for round in 0..3 {
        for _ in 0..WRITES {
            if write(&cluster, next).is_ok() {
                acknowledged.push(next);
            }
            next += 1;
        }
        let leader = cluster.leader();
        cluster.kill(leader);
        let killed = Instant::now();
        wait::until("a write", WRITES_WITHIN, || {
            next += 1;
            write(&cluster, next)
        });
        acknowledged.push(next);
        next += 1;
        println!("round {round}: {leader} killed, a write was taken after {:?}", killed.elapsed());
        cluster.launch(leader);
        wait::until("the server's return", SOON, || cluster.try_get_from(leader, "/v1/agent/self").map(drop));
    }
    assert!(acknowledged.len() >= 3 * WRITES, "only {} writes were taken", acknowledged.len());
    for server in SERVERS {
        wait::until("every acknowledged write on every server", SOON, || {
            let jobs = cluster.try_get_from(server, "/v1/jobs?stale&prefix=write-")?;
            let has = |number: &&usize| {
                let id = format!("write-{number}");
                !jobs.as_array().into_iter().flatten().any(|job| job["ID"] == id.as_str())
            };
            let missing: Vec<&usize> = acknowledged.iter().filter(has).collect();
            wait::check(missing.is_empty(), || format!("{server} lacks {missing:?}"))
        });
    }
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
    for number in 0..WRITES {
        write(&cluster, number).expect("two of three servers take writes");
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
fn a_blocking_query_answers_when_something_changes_and_not_before() {
    let cluster = shared::cluster();
    let index = cluster.request("s2", "GET", "/v1/jobs", "").unwrap().number("x-nomad-index").unwrap();
    let began = Instant::now();
    cluster.request("s2", "GET", &format!("/v1/jobs?index={index}&wait=1s"), "").unwrap();
    assert!(began.elapsed() >= Duration::from_millis(900), "it did not wait: {:?}", began.elapsed());
    let (path, began) = (format!("/v1/jobs?index={index}&wait=10s"), Instant::now());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| cluster.request("s2", "GET", &path, "").unwrap());
        write(&cluster, 0).unwrap();
        let reply = waiting.join().expect("the question was asked");
        assert!(reply.number("x-nomad-index") > Some(index), "{}", reply.head);
    });
    assert!(began.elapsed() < Duration::from_secs(5), "it slept through the change: {:?}", began.elapsed());
}
