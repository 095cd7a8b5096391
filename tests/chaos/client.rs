//! Clients that swap and read registers, each through any server, and write down what they were told.
//!
//! A register is a job: its value stands in the job's meta, a swap is a registration that enforces the job's modify
//! index. All reads are the API's ordinary ones, which are to be linearizable; half of them read the job, half the list.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value as Json;

use super::history::{ABSENT, Deed, History, Operation, Outcome, Value};
use crate::e2e::http::{self, AskError, Reply};
use crate::sim::seed::SeededRandom;

/// How many clients there are.
pub const CLIENTS: usize = 12;
/// Registers that are in use at the same time.
const REGISTERS: usize = 4;
/// Operations after which a register is left for a new one: a search takes longer than its history.
const OPERATIONS_PER_REGISTER: usize = 400;
/// How long clients wait for an answer. Some wait longer than servers try, so that their refusals are heard too.
const ANSWER_WITHIN: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(12)];
/// How long a client turns to others when a server has not answered.
const AVOIDED: Duration = Duration::from_secs(2);
/// What a client does between two operations.
const PAUSE: Duration = Duration::from_millis(10);

/// All clients.
#[derive(Debug)]
pub struct Clients {
    /// What they did.
    pub history: History,
    servers: Vec<SocketAddr>,
    /// The numbers of the registers that are in use.
    registers: [AtomicUsize; REGISTERS],
    registers_made: AtomicUsize,
    reads: Reads,
    over: AtomicBool,
}

/// Which reads clients ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// The ordinary ones.
    Newest,
    /// What the server has, of whatever age: these are not linearizable, and who judges must notice.
    Stale,
}

impl Clients {
    /// Clients of these servers.
    pub fn new(servers: Vec<SocketAddr>, reads: Reads) -> Self {
        Self {
            history: History::default(),
            servers,
            reads,
            registers: std::array::from_fn(AtomicUsize::new),
            registers_made: AtomicUsize::new(REGISTERS),
            over: AtomicBool::new(false),
        }
    }

    /// Tells all to end.
    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// What one client does until it is told to end: it reads a register, and swaps what it read for something new.
    pub fn run(&self, client: usize, seed: u64) {
        let random = SeededRandom::new(seed.wrapping_add(client as u64));
        let within = ANSWER_WITHIN[client % ANSWER_WITHIN.len()];
        let avoided = vec![Cell::new(Duration::ZERO); self.servers.len()];
        while !self.over.load(Ordering::Relaxed) {
            let key = self.register(random.below(REGISTERS as u64) as usize);
            let caller = Caller { clients: self, client, key: &key, within, random: &random, avoided: &avoided };
            if let Some((index, value)) = caller.read()
                && random.below(4) > 0
            {
                caller.swap(index, value);
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn register(&self, slot: usize) -> String {
        let number = self.registers[slot].load(Ordering::Relaxed);
        let name = |number| format!("register-{number:05}");
        if self.history.len_of(&name(number)) < OPERATIONS_PER_REGISTER {
            return name(number);
        }
        let fresh = self.registers_made.fetch_add(1, Ordering::Relaxed);
        // Another client may have been first; then its register is used, and this one never.
        let slot = self.registers[slot].compare_exchange(number, fresh, Ordering::Relaxed, Ordering::Relaxed);
        name(slot.map_or_else(|taken| taken, |_| fresh))
    }
}

/// One client at one register.
struct Caller<'a> {
    clients: &'a Clients,
    client: usize,
    key: &'a str,
    within: Duration,
    random: &'a SeededRandom,
    /// Until when it turns to other servers, for each.
    avoided: &'a [Cell<Duration>],
}

impl Caller<'_> {
    /// Reads the register's index and value. A read that fails tells nothing and is not written down.
    fn read(&self) -> Option<(u64, Value)> {
        let (began, reply) = self.ask_for(if self.random.below(2) == 0 { Form::Job } else { Form::List });
        let (index, value) = reply?;
        self.note(began, Deed::Read, Outcome::Value(value));
        self.clients.history.note_index(self.key, index, value);
        Some((index, value))
    }

    fn ask_for(&self, form: Form) -> (Duration, Option<(u64, Value)>) {
        let stale = self.clients.reads == Reads::Stale;
        let path = match form {
            Form::Job => format!("/v1/job/{}?stale={stale}", self.key),
            Form::List => format!("/v1/jobs?meta=true&prefix={}&stale={stale}", self.key),
        };
        let began = self.clients.history.now();
        let reply = self.ask("GET", &path, "").ok();
        (began, reply.and_then(|reply| register_of(form, self.key, &reply)))
    }

    /// Swaps what was read for something new.
    fn swap(&self, index: u64, from: Value) {
        let to = self.clients.history.fresh_value();
        let deed = Deed::Swap { from, to };
        let began = self.clients.history.now();
        match self.ask("PUT", "/v1/jobs", &document(self.key, index, to)) {
            Ok(reply) if reply.status == 200 => {
                self.note(began, deed, Outcome::Swapped);
                if let Some(index) = reply.json()["JobModifyIndex"].as_u64() {
                    self.clients.history.note_index(self.key, index, to);
                }
            }
            Ok(reply) => match refusal(&reply) {
                Refusal::OfIndex => self.note(began, deed, Outcome::Refused),
                Refusal::NothingDone => {}
                Refusal::Other => self.note(began, deed, Outcome::Unknown),
            },
            Err(AskError::NotSent(_)) => {}
            Err(AskError::NoAnswer(_)) => self.note(began, deed, Outcome::Unknown),
        }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Result<Reply, AskError> {
        let servers = &self.clients.servers;
        let now = self.clients.history.now();
        let any = || self.random.below(servers.len() as u64) as usize;
        let mut tries = std::iter::repeat_with(any).take(servers.len());
        let server = tries.find(|server| self.avoided[*server].get() <= now).unwrap_or_else(any);
        let answer = http::ask(servers[server], method, path, body.as_bytes(), self.within);
        if answer.is_err() {
            self.avoided[server].set(self.clients.history.now() + AVOIDED);
        }
        answer
    }

    fn note(&self, began: Duration, deed: Deed, outcome: Outcome) {
        let ended = self.clients.history.now();
        self.clients.history.add(self.key, Operation { client: self.client, deed, outcome, began, ended });
    }
}

/// How a register is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Job,
    List,
}

/// Index and value in an answer; nothing if it is an error.
fn register_of(form: Form, key: &str, reply: &Reply) -> Option<(u64, Value)> {
    let absent = Some((0, ABSENT));
    let body = match (form, reply.status) {
        (_, 200) => reply.json(),
        (Form::Job, 404) if reply.text().contains("job not found") => return absent,
        _ => return None,
    };
    let job = match form {
        Form::Job => body,
        Form::List => match body.as_array()?.iter().find(|job| job["ID"] == key) {
            Some(job) => job.clone(),
            None => return absent,
        },
    };
    Some((job["JobModifyIndex"].as_u64()?, job["Meta"]["value"].as_str()?.parse().ok()?))
}

/// What a server's refusal of a swap means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// The index was another.
    OfIndex,
    /// The servers promise that nothing was done, and never will be.
    NothingDone,
    /// It may have been done.
    Other,
}

fn refusal(reply: &Reply) -> Refusal {
    let text = reply.text();
    if reply.status == 400 && text.starts_with("Enforcing job modify index") {
        Refusal::OfIndex
    } else if text.contains("nothing was done") {
        Refusal::NothingDone
    } else {
        Refusal::Other
    }
}

/// The job that holds `value`, never placed: its datacenter has no nodes.
fn document(key: &str, index: u64, value: Value) -> String {
    let meta: BTreeMap<&str, String> = BTreeMap::from([("value", value.to_string())]);
    let task = serde_json::json!({
        "Name": "t", "Driver": "fake", "Config": { "run_for": "1s" }, "Resources": { "CPU": 10, "MemoryMB": 10 },
    });
    let job: Json = serde_json::json!({
        "ID": key, "Name": key, "Type": "batch", "Datacenters": ["nowhere"], "Meta": meta,
        "TaskGroups": [{ "Name": "g", "Count": 1, "Tasks": [task] }],
    });
    serde_json::json!({ "Job": job, "EnforceIndex": true, "JobModifyIndex": index }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, head: String::new(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_register_is_read_from_a_job_and_from_a_list() {
        let job = r#"{"ID":"r","JobModifyIndex":7,"Meta":{"value":"3"}}"#;
        assert_eq!(register_of(Form::Job, "r", &reply(200, job)), Some((7, 3)));
        assert_eq!(register_of(Form::List, "r", &reply(200, &format!("[{job}]"))), Some((7, 3)));
        assert_eq!(register_of(Form::List, "r", &reply(200, "[]")), Some((0, ABSENT)));
        assert_eq!(register_of(Form::Job, "r", &reply(404, "job not found")), Some((0, ABSENT)));
        assert_eq!(register_of(Form::Job, "r", &reply(404, "nobody is here")), None);
        assert_eq!(register_of(Form::Job, "r", &reply(500, "job not found")), None);
    }

    #[test]
    fn only_a_clear_refusal_is_one() {
        let conflict = "Enforcing job modify index 4: job exists with conflicting job modify index: 5";
        assert_eq!(refusal(&reply(400, conflict)), Refusal::OfIndex);
        assert_eq!(refusal(&reply(500, "No cluster leader: nothing was done")), Refusal::NothingDone);
        assert_eq!(refusal(&reply(500, "the change was not confirmed in time")), Refusal::Other);
    }
}
