//! A server whose files are damaged: it says which and where, does not start, and is brought back by one command while the
//! others serve.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tests::e2e::servers::Servers;
use tests::e2e::wait;

/// How long a server may take to find that it must not start, or to catch up.
const SOON: Duration = Duration::from_secs(20);
/// Jobs registered before and after the damage.
const JOBS: usize = 20;

/// The segments of a server's log, oldest first.
fn segments(state: &Path) -> Vec<PathBuf> {
    let folder = state.join("server").join("raft").join("log");
    let listed = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut segments: Vec<_> = listed.map(|entry| entry.expect("a folder can be listed").path()).collect();
    segments.sort();
    segments
}

/// Flips one bit of what was once written about `text`.
fn flip(segments: &[PathBuf], text: &str) -> PathBuf {
    for segment in segments {
        let mut bytes = std::fs::read(segment).expect("the segment can be read");
        if let Some(at) = bytes.windows(text.len()).position(|window| window == text.as_bytes()) {
            bytes[at] ^= 1;
            std::fs::write(segment, bytes).expect("the segment can be written");
            return segment.clone();
        }
    }
    panic!("{text} stands in none of {segments:?}")
}

fn register(servers: &Servers, job: &str) {
    let reply = servers.register("s1", job, 100).expect("the server answers");
    assert_eq!(reply.status, 200, "{job}: {}", reply.text());
}

/// Waits until a server has this many jobs by itself.
fn await_jobs(servers: &Servers, server: &str, count: usize) {
    wait::until(&format!("{count} jobs on {server}"), SOON, || {
        let reply = servers.request(server, "GET", "/v1/jobs?stale", "").map_err(|error| error.to_string())?;
        let jobs = reply.json().as_array().map_or(0, Vec::len);
        wait::check(jobs == count, || format!("{} {jobs}", reply.status))
    });
}

#[test]
fn a_server_whose_log_is_damaged_does_not_start_and_one_command_brings_it_back() {
    let mut servers = Servers::new("damage", 3);
    for server in ["s1", "s2", "s3"] {
        servers.launch(server);
    }
    servers.await_leader();
    (0..JOBS).for_each(|number| register(&servers, &format!("before-{number}")));
    await_jobs(&servers, "s3", JOBS);
    servers.kill("s3");
    let state = servers.state("s3");
    let segment = flip(&segments(&state), "before-3");
    servers.launch("s3");
    wait::until("the end of a process that must not start", SOON, || {
        wait::check(!servers.process("s3").runs(), || "it runs".to_owned())
    });
    assert!(servers.says("s3", &format!("{} is damaged at offset ", segment.display())), "which file, and where");
    assert!(servers.says("s3", "sched server rejoin"), "what to do");
    register(&servers, "meanwhile");
    wait::until("a failed member", SOON, || {
        let members = servers.sched(&["server", "members"]).stdout;
        let is_failed = members.lines().any(|line| line.contains("failed"));
        wait::check(is_failed, || members.clone())
    });

    let folder = state.display().to_string();
    let told = servers.sched(&["server", "rejoin", "-data-dir", &folder, "-yes"]).expect(0).stdout;
    assert!(told.contains("server s3 was removed (id 3) and is now server 4"), "{told}");
    assert!(state.join("server-3.damaged").is_dir(), "the old files are kept");
    servers.launch("s3");
    await_jobs(&servers, "s3", JOBS + 1);
    wait::until("three voters", SOON, || {
        let known = servers.get("s1", "/v1/operator/raft/configuration");
        let votes = |one: &&Value| one["Voter"] == true;
        let mut voters: Vec<_> = known["Servers"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(votes)
            .filter_map(|one| one["ID"].as_str())
            .collect();
        voters.sort_unstable();
        wait::check(voters == ["1", "2", "4"], || known.to_string())
    });
    // The configuration is told before it is committed; what is written after it is committed after it.
    register(&servers, "between");
    // It counts as the others do: without one of them it makes the majority.
    servers.kill("s2");
    wait::until("a write of the two that are left", SOON, || {
        let reply = servers.register("s1", "after", 100).map_err(|error| error.to_string())?;
        wait::check(reply.status == 200, || reply.text())
    });
    await_jobs(&servers, "s3", JOBS + 3);
}
