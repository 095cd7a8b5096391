//! A steady stream of writes at a given rate, several under way at once: which were acknowledged, and the longest time
//! without one. A write that fails is made again under the same token until it is acknowledged, as a careful client does.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::e2e::http;

/// Writes that are under way at most. More than are started in the time that a dead leader takes to be replaced.
pub const WRITERS: usize = 64;
/// How long a write waits for an answer before it is made again through another server.
const ANSWER_WITHIN: Duration = Duration::from_millis(1_000);
/// Writes that are later than this are left out: what could not be written in time must not come as a storm.
const LATE_MAX: Duration = Duration::from_millis(250);
/// Pause before a write that was refused is made again.
const RETRY_PAUSE: Duration = Duration::from_millis(10);

/// The writes.
#[derive(Debug)]
pub struct Writer {
    servers: Vec<SocketAddr>,
    interval: Duration,
    began: Instant,
    started: AtomicUsize,
    over: AtomicBool,
    acknowledged: Mutex<Vec<Acknowledged>>,
}

/// A write that a server acknowledged.
#[derive(Clone, Copy, Debug)]
pub struct Acknowledged {
    /// Its number.
    pub number: usize,
    /// When its last attempt was sent.
    pub sent: Instant,
    /// When the answer came.
    pub at: Instant,
}

impl Writer {
    /// So many writes a second.
    pub fn new(servers: Vec<SocketAddr>, per_second: u32) -> Self {
        let interval = Duration::from_secs(1) / per_second;
        let (began, acknowledged) = (Instant::now(), Mutex::default());
        Self { servers, interval, began, started: AtomicUsize::new(0), over: AtomicBool::new(false), acknowledged }
    }

    /// Tells all to end.
    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// What one of [`WRITERS`] threads does until it is told to end: it takes the next write and waits until it is due.
    pub fn run(&self) {
        while !self.over.load(Ordering::Relaxed) {
            let number = self.started.fetch_add(1, Ordering::Relaxed);
            let due = self.began + self.interval * number as u32;
            if due.elapsed() <= LATE_MAX {
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                self.write(number);
            }
        }
    }

    fn write(&self, number: usize) {
        let path = format!("/v1/jobs?idempotency_token=write-{number}");
        let mut attempt = number;
        while !self.over.load(Ordering::Relaxed) {
            let server = self.servers[attempt % self.servers.len()];
            let sent = Instant::now();
            match http::ask(server, "PUT", &path, document(number).as_bytes(), ANSWER_WITHIN) {
                Ok(reply) if reply.status == 200 => {
                    let at = Instant::now();
                    return self.log().push(Acknowledged { number, sent, at });
                }
                Ok(_) | Err(_) => std::thread::sleep(RETRY_PAUSE),
            }
            attempt += 1;
        }
    }

    /// How many were acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        self.log().len()
    }

    /// The numbers of all that were acknowledged.
    pub fn numbers(&self) -> Vec<usize> {
        self.log().iter().map(|one| one.number).collect()
    }

    /// The first acknowledgement of a write that was sent after `moment`.
    pub fn first_sent_after(&self, moment: Instant) -> Option<Acknowledged> {
        self.log().iter().filter(|one| one.sent > moment).min_by_key(|one| one.at).copied()
    }

    /// The longest time without an acknowledgement that lies, at least in part, between `from` and `to`.
    pub fn longest_gap(&self, from: Instant, to: Instant) -> Duration {
        let mut times: Vec<Instant> = self.log().iter().map(|one| one.at).collect();
        times.sort();
        longest_gap(&times, from, to)
    }

    fn log(&self) -> std::sync::MutexGuard<'_, Vec<Acknowledged>> {
        self.acknowledged.lock().expect("no writer panicked while it wrote")
    }
}

fn longest_gap(times: &[Instant], from: Instant, to: Instant) -> Duration {
    let overlaps = |pair: &&[Instant]| pair[1] > from && pair[0] < to;
    times.windows(2).filter(overlaps).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
}

/// The name of the job that a write registers.
pub fn name(number: usize) -> String {
    format!("write-{number}")
}

/// A job that is written and never placed.
pub fn document(number: usize) -> String {
    let id = name(number);
    format!(
        r#"{{"Job":{{"ID":"{id}","Name":"{id}","Type":"batch","Datacenters":["nowhere"],
        "TaskGroups":[{{"Name":"g","Count":1,"Tasks":[{{"Name":"t","Driver":"fake",
        "Config":{{"run_for":"1s"}},"Resources":{{"CPU":10,"MemoryMB":10}}}}]}}]}}}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_counts_where_it_overlaps() {
        let origin = Instant::now();
        let at = |ms: u64| origin + Duration::from_millis(ms);
        let times = [at(0), at(10), at(500), at(510), at(2_000)];
        assert_eq!(longest_gap(&times, at(5), at(505)), Duration::from_millis(490));
        assert_eq!(longest_gap(&times, at(100), at(600)), Duration::from_millis(1_490));
        assert_eq!(longest_gap(&times, at(0), at(5)), Duration::from_millis(10));
        assert_eq!(longest_gap(&[], at(0), at(5)), Duration::ZERO);
    }
}
