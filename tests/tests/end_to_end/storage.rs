//! Disks that fail, wait and fill up, under the built binary: strace injects the faults, small file systems in memory
//! fill: of a server, of an agent, and of a Docker engine of the test's own.
//!
//! `FSYNC_FAULTS` sets at how many calls a sync is made to fail.

use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use seams::{Clock as _, SystemClock};
use tests::e2e::http::Reply;
use tests::e2e::private_docker::PrivateDocker;
use tests::e2e::servers::Servers;
use tests::e2e::{command, wait};
use tests::{bar, machine};
use tokio::time::Instant;

/// How long a process may live after a sync has failed, by its own clock.
const ENDS_WITHIN: f64 = 1.0;
/// An answer that was on its way when the sync failed may arrive so much later.
const ON_ITS_WAY: f64 = 0.1;
/// So many jobs are registered until the fault shows, or more where it comes late: each takes a sync or two.
const JOBS_MAX: usize = 60;
/// How long a server may take to notice that there is room again.
const RESUMES_WITHIN: Duration = Duration::from_secs(10);

/// Seconds since 1970, as strace writes them.
fn now() -> f64 {
    SystemClock.now().0 as f64 / 1e9
}

/// When, by the trace, a line with these words was written first.
fn traced_at(trace: &str, words: &str) -> Option<f64> {
    let line = trace.lines().find(|line| line.contains(words))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Makes the sync of this number fail on a server of its own. Whether one did fail.
fn fail_sync(error: &str, number: usize) -> bool {
    let what = format!("{error} at sync {number}");
    let mut servers = Servers::new("fsync", 1);
    let fault = format!("inject=fsync,fdatasync:error={error}:when={number}");
    let trace = servers.launch_faulty("s1", &[&fault]);
    let mut acknowledged: Vec<(String, f64)> = Vec::new();
    wait::until("the end of the process, or many jobs", Duration::from_secs(60), || {
        let job = format!("job-{}", acknowledged.len());
        if servers.register("s1", &job, 2000).is_ok_and(|reply| reply.status == 200) {
            acknowledged.push((job, now()));
        }
        let runs = servers.process("s1").runs();
        wait::check(!runs || acknowledged.len() >= JOBS_MAX.max(number), || format!("{} jobs", acknowledged.len()))
    });
    servers.kill("s1");
    let trace = std::fs::read_to_string(trace).unwrap_or_default();
    let failed_at = traced_at(&trace, "(INJECTED)");
    if let Some(failed_at) = failed_at {
        let ended_at = traced_at(&trace, "exit_group(");
        // For lack of room a new segment is given up and made anew: nothing was in it.
        let waits_for_room = error == "ENOSPC" && servers.says("s1", "the disk is full");
        match ended_at {
            Some(ended_at) => {
                assert!(ended_at - failed_at <= ENDS_WITHIN, "{what}: ended after {}", ended_at - failed_at)
            }
            None => assert!(waits_for_room, "{what}: the process went on"),
        }
        let late = acknowledged.iter().find(|(_, at)| *at > failed_at + ON_ITS_WAY);
        assert!(late.is_none() || waits_for_room, "{what}: {late:?} was acknowledged after the failure at {failed_at}");
    }
    servers.launch("s1");
    servers.await_leader();
    let kept = servers.jobs("s1");
    for (job, _) in &acknowledged {
        assert!(kept.contains(job), "{what}: {job} was acknowledged and is gone; there are {kept:?}");
    }
    failed_at.is_some()
}

#[test]
fn a_server_whose_sync_fails_acknowledges_nothing_more_and_ends_within_a_second() {
    let _machine = machine::alone();
    let count = std::env::var("FSYNC_FAULTS").map_or(4, |text| text.parse().expect("a number"));
    let numbers: Vec<usize> =
        if count <= 8 { (0..count).map(|step| 2 + 4 * step).collect() } else { (1..=count).collect() };
    let mut failed = 0;
    for number in &numbers {
        for error in ["EIO", "ENOSPC"] {
            failed += usize::from(fail_sync(error, *number));
        }
    }
    let figure = format!(
        "{failed} syncs failed (EIO and ENOSPC at {} calls, up to call {}), 0 acknowledgements after one, every process \
         ended within {ENDS_WITHIN} s, 0 acknowledged jobs lost",
        numbers.len(),
        numbers.iter().max().copied().unwrap_or_default()
    );
    bar::report("R14", &figure);
    assert!(failed > numbers.len(), "only {failed} syncs failed");
}

/// The time that 99 of 100 of these took at most.
fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() * 99 / 100]
}

/// How long each of so many registrations takes.
fn timed(servers: &Servers, server: &str, name: &str, count: usize) -> Vec<Duration> {
    let one = |number| {
        let began = Instant::now();
        let reply = servers.register(server, &format!("{name}-{number}"), 100).expect("the server answers");
        assert_eq!(reply.status, 200, "{}", reply.text());
        began.elapsed()
    };
    (0..count).map(one).collect()
}

/// Makes every sync of a process wait first, until the tracer's end.
fn delayed(process: u32, delay: Duration) -> Child {
    let mut tracer = Command::new("strace");
    tracer.args(["-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", "/dev/null", "-p", &process.to_string()]);
    tracer.args(["-e", &format!("inject=fsync,fdatasync:delay_enter={}us", delay.as_micros())]);
    tracer.spawn().expect("strace can be run")
}

fn end_of(mut tracer: Child) {
    tracer.kill().expect("a child can be killed");
    tracer.wait().expect("a child can be waited for");
}

#[test]
fn a_leader_whose_disk_becomes_slow_holds_nobody_up() {
    let _machine = machine::alone();
    let mut servers = Servers::new("slow", 3);
    for server in ["s1", "s2", "s3"] {
        servers.launch(server);
    }
    servers.await_leader();
    wait::until("three voters", Duration::from_secs(30), || {
        let known = servers.get("s1", "/v1/operator/raft/configuration");
        let voters = known["Servers"].as_array().into_iter().flatten().filter(|one| one["Voter"] == true).count();
        wait::check(voters == 3, || known.to_string())
    });
    let leader = servers.leader();
    let asked = ["s1", "s2", "s3"].into_iter().find(|server| *server != leader).expect("there are three");
    let process = servers.process(leader).id();
    // Traced as well, so that the two differ in nothing but the delay.
    let prompt = delayed(process, Duration::from_micros(1));
    timed(&servers, asked, "warm", 20);
    let usual = p99(timed(&servers, asked, "usual", 100));
    end_of(prompt);
    let slow = delayed(process, Duration::from_secs(5));
    let began = Instant::now();
    let mut last;
    loop {
        last = p99(timed(&servers, asked, &format!("slow-{}", began.elapsed().as_millis()), 100));
        if last <= 2 * usual || began.elapsed() > Duration::from_secs(30) {
            break;
        }
    }
    let within = began.elapsed();
    end_of(slow);
    let figure =
        format!("every sync of the leader waits 5 s: p99 of writes {last:?} after {within:?}, {usual:?} before");
    bar::report("R14", &figure);
    assert!(last <= 2 * usual, "p99 {last:?} after {within:?}, {usual:?} before");
}

/// A file system in memory, gone with this.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(folder: &'a Path, size: &str) -> Self {
        std::fs::create_dir_all(folder).expect("the folder can be made");
        let folder_text = folder.display().to_string();
        command::succeed("mount", &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs", &folder_text]);
        Self(folder)
    }

    /// Takes all the room that there is.
    fn fill(&self) {
        let file = self.0.join("ballast");
        command::run(Command::new("dd").args(["if=/dev/zero", "bs=64k"]).arg(format!("of={}", file.display())));
    }

    fn give_back(&self) {
        std::fs::remove_file(self.0.join("ballast")).expect("it was filled");
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l"]).arg(self.0).status();
    }
}

#[test]
fn a_server_whose_disk_is_full_serves_reads_refuses_writes_with_the_reason_and_goes_on_when_there_is_room() {
    let mut servers = Servers::new("full", 1);
    let state = servers.state("s1");
    let disk = SmallDisk::mount(&state, "64m");
    servers.launch("s1");
    servers.await_leader();
    let mut acknowledged = Vec::new();
    disk.fill();
    let (refusal, _) = wait::until("a refusal", Duration::from_secs(60), || {
        let job = format!("job-{}", acknowledged.len());
        let reply = servers.register("s1", &job, 400_000).map_err(|error| error.to_string())?;
        if reply.status == 200 {
            acknowledged.push(job);
            return Err("it still takes jobs".to_owned());
        }
        wait::check(reply.status == 503, || format!("{} {}", reply.status, reply.text())).map(|()| reply)
    });
    for words in ["the disk is full", "reads go on"] {
        assert!(refusal.text().contains(words), "{}", refusal.text());
    }
    let known = servers.jobs("s1");
    assert!(acknowledged.iter().all(|job| known.contains(job)), "reads go on: {known:?}");
    assert!(servers.process("s1").runs());
    disk.give_back();
    let (_, resumed) = wait::until("a write", RESUMES_WITHIN, || {
        let reply = servers.register("s1", "after", 100).map_err(|error| error.to_string())?;
        wait::check(reply.status == 200, || reply.text())
    });
    acknowledged.push("after".to_owned());
    servers.kill("s1");
    servers.launch("s1");
    servers.await_leader();
    let kept = servers.jobs("s1");
    assert!(acknowledged.iter().all(|job| kept.contains(job)), "{acknowledged:?} of {kept:?}");
    let figure = format!(
        "a full disk: {} jobs taken before, refused as `{}`, reads went on, writes again {resumed:?} after there was \
         room, 0 lost",
        acknowledged.len() - 1,
        refusal.text()
    );
    bar::report("R15", &figure);
    servers.kill("s1");
    drop(disk);
}

/// The newest allocation of a job: its status, and what its tasks tell.
fn allocation(servers: &Servers, job: &str) -> (String, String) {
    let known = servers.get("s1", &format!("/v1/job/{job}/allocations"));
    let newest = known.as_array().into_iter().flatten().max_by_key(|one| one["CreateIndex"].as_u64());
    newest.map(|one| (one["ClientStatus"].as_str().unwrap_or_default().to_owned(), one.to_string())).unwrap_or_default()
}

/// Waits until a job runs.
#[track_caller]
fn await_running(servers: &Servers, job: &str, within: Duration) -> Duration {
    let (_, took) = wait::until(&format!("{job} runs"), within, || {
        let (status, told) = allocation(servers, job);
        wait::check(status == "running", || told)
    });
    took
}

#[track_caller]
fn accepted(reply: std::io::Result<Reply>) {
    let reply = reply.expect("the server answers");
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[test]
fn an_agent_whose_disk_is_full_starts_nothing_more_says_why_and_lets_run_what_runs() {
    let mut servers = Servers::new("agent-full", 1);
    let state = servers.state("n1");
    let disk = SmallDisk::mount(&state, "8m");
    servers.launch("s1");
    servers.await_leader();
    servers.launch_agent("n1");
    accepted(servers.register("s1", "before", 100));
    await_running(&servers, "before", Duration::from_secs(30));
    disk.fill();
    // With this one the agent finds out.
    accepted(servers.register("s1", "meets-it", 100));
    wait::until("the agent's complaint", Duration::from_secs(20), || {
        wait::check(servers.says("n1", "nothing is started until it can"), || "it does not complain".to_owned())
    });
    accepted(servers.register("s1", "after", 100));
    wait::until("the reason of the refusal", Duration::from_secs(20), || {
        let (status, told) = allocation(&servers, "after");
        wait::check(told.contains("the agent's state can't be written"), || format!("{status}: {told}"))
    });
    assert_eq!(allocation(&servers, "before").0, "running");
    disk.give_back();
    let took = await_running(&servers, "after", RESUMES_WITHIN);
    assert_eq!(allocation(&servers, "before").0, "running");
    let figure = "a full disk of an agent: what ran went on, starts were refused with the reason, the next ran after";
    bar::report("R15", &format!("{figure} {took:?}"));
    servers.kill("n1");
    servers.kill("s1");
    drop(disk);
}

#[test]
fn an_engine_whose_disk_is_full_starts_nothing_more_says_why_and_lets_run_what_runs() {
    let mut servers = Servers::new("docker-full", 1);
    let data = servers.folder().join("docker");
    let disk = SmallDisk::mount(&data, "64m");
    let docker = PrivateDocker::start(&data, &servers.folder().join("dockerd.log"));
    servers.launch("s1");
    servers.await_leader();
    servers.launch_docker_agent("n1", &docker.socket());
    accepted(servers.register_container("s1", "before"));
    await_running(&servers, "before", Duration::from_secs(30));
    let before = docker.running();
    assert_eq!(before.len(), 1);
    disk.fill();
    accepted(servers.register_container("s1", "after"));
    let (told, _) = wait::until("the reason of the refusal", Duration::from_secs(30), || {
        let (status, told) = allocation(&servers, "after");
        wait::check(told.contains("no space left on device"), || format!("{status}: {told}")).map(|()| status)
    });
    assert_ne!(told, "running");
    assert_eq!(docker.running(), before);
    disk.give_back();
    let took = await_running(&servers, "after", RESUMES_WITHIN);
    assert!(docker.running().contains(&before[0]), "what ran goes on");
    assert_eq!(allocation(&servers, "before").0, "running");
    let figure = "a full disk of Docker: what ran went on, a start was refused with the reason, and done again after";
    bar::report("R15", &format!("{figure} {took:?}"));
    servers.kill("n1");
    servers.kill("s1");
    drop(docker);
    drop(disk);
}
