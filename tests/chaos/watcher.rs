//! Watchers of the event stream: each follows any server, and when that falls silent or dies resumes at another after the
//! last index that it was told of. In the end all must have been told the same, in order, once, and without a gap.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use invariants::Stream;
use serde_json::Value;
use tokio::time::Instant;

use crate::sim::seed::SeededRandom;

/// How many watchers there are.
pub const WATCHERS: usize = 8;
/// Silence after which a watcher looks for another server: servers give signs of life much more often.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// How long one look for something new takes.
const LOOK: Duration = Duration::from_millis(250);
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// Pause before a server is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(50);
/// How long a watcher may take to be told of the last index.
const END_WITHIN: Duration = Duration::from_secs(30);
/// As [`Watchers::last`], while it is not known.
const NOT_KNOWN: u64 = u64::MAX;

/// All watchers.
#[derive(Debug)]
pub struct Watchers {
    servers: Vec<SocketAddr>,
    /// They begin after this index.
    begin: u64,
    /// They end when they were told of this index.
    last: AtomicU64,
}

/// What one watcher was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The indexes in the order in which they came, each with what changed at it.
    pub events: Vec<(u64, BTreeSet<String>)>,
    /// Where it was told that what it wants is too old: the index that it had, and the one from which it went on.
    pub refused: Vec<(u64, u64)>,
    /// How often it was connected.
    pub connections: usize,
}

impl Watchers {
    /// Watchers of these servers, from the entry after `begin` on.
    pub fn new(servers: Vec<SocketAddr>, begin: u64) -> Self {
        Self { servers, begin, last: AtomicU64::new(NOT_KNOWN) }
    }

    /// Nothing happens after this index.
    pub fn end(&self, last: u64) {
        self.last.store(last, Ordering::Relaxed);
    }

    /// Follows until it was told of the last index, or that takes too long.
    pub fn run(&self, watcher: usize, seed: u64) -> Told {
        let random = SeededRandom::new(seed.wrapping_mul(31).wrapping_add(watcher as u64));
        let mut told = Told::default();
        let mut after = self.begin;
        let mut ending = None;
        while !self.is_over(after, &mut ending) {
            let server = self.servers[random.below(self.servers.len() as u64) as usize];
            match connect(server, after) {
                Ok(stream) => {
                    told.connections += 1;
                    self.follow(stream, &mut after, &mut told, &mut ending);
                }
                Err(_) => std::thread::sleep(RETRY_PAUSE),
            }
        }
        told
    }

    fn is_over(&self, after: u64, ending: &mut Option<Instant>) -> bool {
        let last = self.last.load(Ordering::Relaxed);
        let since = (last != NOT_KNOWN).then(|| *ending.get_or_insert_with(Instant::now));
        since.is_some_and(|since| after >= last || since.elapsed() > END_WITHIN)
    }

    fn follow(&self, stream: TcpStream, after: &mut u64, told: &mut Told, ending: &mut Option<Instant>) {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        let mut heard = Instant::now();
        let mut in_head = true;
        while !self.is_over(*after, ending) && heard.elapsed() < SILENCE_MAX {
            match reader.read_until(b'\n', &mut line) {
                Ok(_) if line.ends_with(b"\n") => {
                    heard = Instant::now();
                    let text = std::mem::take(&mut line);
                    if in_head {
                        in_head = text.trim_ascii() != b"";
                    } else if !take(&text, after, told) {
                        return;
                    }
                }
                // What has come of a line stays for the next look.
                Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {}
                // The end, or half a line before it.
                Ok(_) | Err(_) => return,
            }
        }
    }
}

fn connect(server: SocketAddr, after: u64) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect_timeout(&server, CONNECT_WITHIN)?;
    stream.set_read_timeout(Some(LOOK))?;
    let path = format!("/v1/event/stream?topic=Job&index={}", after + 1);
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes())?;
    Ok(stream)
}

/// Takes a line in; false if the stream is over with it.
fn take(line: &[u8], after: &mut u64, told: &mut Told) -> bool {
    let Ok(batch) = serde_json::from_slice::<Value>(line) else { return false };
    let Some(index) = batch["Index"].as_u64() else { return true };
    if !batch["Error"].is_null() {
        told.refused.push((*after, index));
        *after = index;
        return false;
    }
    let name = |event: &Value| {
        let part = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        format!("{} {} {}", part("Topic"), part("Type"), part("Key"))
    };
    told.events.push((index, batch["Events"].as_array().into_iter().flatten().map(name).collect()));
    *after = index;
    true
}

/// Everything that is wrong with what the watchers were told. `acknowledged`: jobs with indexes at which clients know
/// that they were registered.
pub fn judge(begin: u64, told: &[Told], acknowledged: &BTreeSet<(u64, String)>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut happened: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
    for (index, events) in told.iter().flat_map(|told| &told.events) {
        happened.entry(*index).or_default().extend(events.iter().cloned());
    }
    for (index, job) in acknowledged.iter().filter(|(index, _)| *index > begin) {
        if !happened.get(index).is_some_and(|events| events.contains(&format!("Job JobRegistered {job}"))) {
            wrong.push(format!("{job} was registered at {index}, and no watcher was told"));
        }
    }
    let mut stream = Stream::default();
    for (index, events) in &happened {
        stream.happened(*index, events.iter().cloned());
    }
    for (number, told) in told.iter().enumerate() {
        let number = number as u64;
        let mut refused = told.refused.iter().peekable();
        stream.watches(number, begin);
        let mut after = begin;
        for (index, events) in &told.events {
            // Told that what it wants is too old, it goes on after what is not.
            while let Some((_, now)) = refused.next_if(|(had, _)| *had == after) {
                stream.watches(number, *now);
            }
            let events: Vec<String> = events.iter().cloned().collect();
            wrong.extend(stream.told(number, *index, &events).iter().map(ToString::to_string));
            after = *index;
        }
        wrong.extend(stream.ended(number).iter().map(ToString::to_string));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(indexes: &[u64]) -> Told {
        let event = |index: &u64| (*index, BTreeSet::from([format!("Job JobRegistered j{index}")]));
        Told { events: indexes.iter().map(event).collect(), ..Told::default() }
    }

    #[track_caller]
    fn check(told: &[Told], acknowledged: &[u64], wanted: &[&str]) {
        let acknowledged = acknowledged.iter().map(|index| (*index, format!("j{index}"))).collect();
        assert_eq!(judge(10, told, &acknowledged), wanted);
    }

    #[test]
    fn everybody_is_told_everything_once_and_in_order() {
        check(&[told(&[11, 13]), told(&[11, 13])], &[9, 11], &[]);
        check(&[told(&[11, 13]), told(&[11])], &[], &["I36 stream: watcher 1: it was never told of 13"]);
        check(&[told(&[11, 11])], &[], &["I36 stream: watcher 0: 11 comes after 11"]);
        check(
            &[told(&[13, 11])],
            &[],
            &[
                "I36 stream: watcher 0: Job JobRegistered j11 at 11 is left out",
                "I36 stream: watcher 0: 11 comes after 13",
            ],
        );
        check(&[told(&[11])], &[12], &["j12 was registered at 12, and no watcher was told"]);
    }

    #[test]
    fn a_gap_is_excused_where_it_was_told() {
        let refused = Told { refused: vec![(11, 13)], ..told(&[11, 14]) };
        check(&[told(&[11, 12, 13, 14]), refused.clone()], &[], &[]);
        check(
            &[told(&[11, 12, 13, 14, 15, 16]), Told { events: told(&[11, 14, 16]).events, ..refused }],
            &[],
            &["I36 stream: watcher 1: Job JobRegistered j15 at 15 is left out"],
        );
    }

    #[test]
    fn lines_are_taken_in() {
        let (mut after, mut told) = (3, Told::default());
        assert!(take(b"{}\n", &mut after, &mut told));
        assert!(take(
            br#"{"Index":7,"Events":[{"Topic":"Job","Type":"JobRegistered","Key":"a"}]}"#,
            &mut after,
            &mut told
        ));
        assert!(!take(br#"{"Index":9,"Error":"index 8 is too old"}"#, &mut after, &mut told));
        assert!(!take(b"{\"Index\":", &mut after, &mut told));
        assert_eq!(told.events, [(7, BTreeSet::from(["Job JobRegistered a".to_owned()]))]);
        assert_eq!((after, told.refused), (9, vec![(7, 9)]));
    }
}
