//! How long a server takes to save its state and to come back from it (P11), whether writes go on meanwhile, and what the
//! state takes in memory (P10): the real state, its real encoding, a real file that is synced, and nothing else. All
//! instances run, and their agents have told what they tell of one that does. No log, no network: what a server that starts
//! replays of its log comes on top.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use core_bench::keep;
use core_bench::numbers::percentile;
use model::{ClientStatus, NodeId, Observation, TaskEvent, TaskPhase, TaskState, TaskStates, Timestamp};
use server_core::command::Command;
use server_core::state::State;

use crate::place::{Kind, Workload, command};

/// Allocations of the full size and of a quick look.
const ALLOCATIONS: usize = 2_000_000;
const ALLOCATIONS_QUICK: usize = 20_000;
/// Instances of each job.
const INSTANCES: u32 = 1_000;
/// Allocations on each node.
const PER_NODE: usize = 200;
/// Writes per second that go on.
const WRITES_PER_SECOND: u32 = 5_000;
/// When all instances were started: nobody looks at it.
const STARTED_AT: Timestamp = Timestamp::from_seconds(1_000_000);
/// For how long they go on without a snapshot, to compare with.
const CALM: Duration = Duration::from_secs(3);
const CALM_QUICK: Duration = Duration::from_millis(100);

/// Time a snapshot of a large state under writes, and the way back from it
#[derive(Args)]
pub struct Options {
    /// Only see that it works
    #[arg(long)]
    quick: bool,
    /// Allocations in the state
    #[arg(long)]
    allocations: Option<usize>,
    /// The folder for the snapshot's file: its disk is measured
    #[arg(long, value_name = "FOLDER", default_value = "target")]
    folder: PathBuf,
    /// A line about the machine and the moment, to stand above the table
    #[arg(long, default_value = "")]
    note: String,
    /// Put the table into this file, between the marks of `recover`
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
}

/// Restore a snapshot's file and print by how many bytes that made the process grow
#[derive(Args)]
pub struct Weigh {
    /// The file
    file: PathBuf,
}

/// What was measured.
struct Measured {
    allocations: usize,
    bytes: usize,
    memory: u64,
    calm: Writes,
    encoded: Duration,
    written: Duration,
    busy: Writes,
    read: Duration,
    restored: Duration,
}

/// How long writes took, from the moment when each was due until a reader could see it; ascending.
struct Writes(Vec<Duration>);

/// Fills a state, saves it while writes go on, restores it and compares; the table, in Markdown.
pub fn run(options: &Options) -> Result<String, String> {
    let usual = if options.quick { ALLOCATIONS_QUICK } else { ALLOCATIONS };
    let measured = measure(options, options.allocations.unwrap_or(usual), weigh_apart)?;
    let mut table = String::new();
    if !options.note.is_empty() {
        table += &format!("{}\n\n", options.note);
    }
    table += &measured.table();
    if let Some(file) = &options.keep {
        keep(file, "recover", &table)?;
    }
    Ok(table)
}

/// Restores a snapshot's file; by how many bytes this process is larger then, as text.
pub fn weigh(options: &Weigh) -> Result<String, String> {
    let resident = || -> Result<u64, String> {
        let status = std::fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kilobytes.map(|kilobytes| kilobytes << 10).ok_or_else(|| "the process has no VmRSS".to_owned())
    };
    let before = resident()?;
    let state = {
        let bytes = std::fs::read(&options.file).map_err(|error| error.to_string())?;
        State::decode(&bytes).map_err(|error| error.to_string())?
    };
    let grown = resident()?.saturating_sub(before);
    drop(state);
    Ok(format!("{grown}\n"))
}

/// [`weigh`] in a process that has done nothing else.
fn weigh_apart(file: &Path) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut weigh = std::process::Command::new(program);
    // The allocator gives memory back when more is asked for, and nothing is.
    weigh.arg("weigh").arg(file).env("MIMALLOC_PURGE_DELAY", "0");
    let done = weigh.output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&done.stdout);
    text.trim().parse().map_err(|_| format!("weighing failed: {}", String::from_utf8_lossy(&done.stderr)))
}

/// All agents tell that what they have runs and is healthy.
fn report_all(state: &mut State) -> Result<(), String> {
    let mut of_nodes: BTreeMap<NodeId, Vec<Observation<TaskStates>>> = BTreeMap::new();
    for known in state.allocations() {
        let group =
            state.job_version(&known.job, known.job_version).and_then(|version| version.job.group(&known.group));
        let tasks = group.into_iter().flat_map(|group| &group.tasks);
        let observation = Observation {
            allocation: known.id,
            client_status: ClientStatus::Running,
            client_description: String::new(),
            tasks: tasks.map(|task| (task.name.clone(), running())).collect(),
            healthy: Some(true),
            healthy_at: Some(STARTED_AT),
            checks: BTreeMap::new(),
            network_address: None,
        };
        of_nodes.entry(known.node).or_default().push(observation.packed());
    }
    for node in of_nodes {
        command(state, Command::Observe { nodes: vec![node], sessions: BTreeMap::new() })?;
    }
    Ok(())
}

/// A task as an agent tells of it once it runs.
fn running() -> TaskState {
    let events = [
        ("Received", "Task received by client"),
        ("Task Setup", "Preparing the task"),
        ("Started", "Task started by client"),
    ];
    let event = |(kind, message): (&str, &str)| TaskEvent {
        kind: kind.into(),
        at: STARTED_AT,
        message: message.into(),
        details: BTreeMap::new(),
    };
    TaskState {
        phase: TaskPhase::Running,
        started_at: Some(STARTED_AT),
        events: events.map(event).to_vec(),
        ..TaskState::default()
    }
}

fn measure(
    options: &Options,
    allocations: usize,
    weigh: impl FnOnce(&Path) -> Result<u64, String>,
) -> Result<Measured, String> {
    let jobs = allocations.div_ceil(INSTANCES as usize);
    let nodes = allocations.div_ceil(PER_NODE);
    let workload = Workload { nodes, racks: 50, jobs, tasks: INSTANCES, kind: Kind::Bare };
    let mut state = workload.filled()?;
    report_all(&mut state)?;
    eprintln!("{workload}: the state is full");
    let over = AtomicBool::new(false);
    let calm_for = if options.quick { CALM_QUICK } else { CALM };
    let mut number = 0;
    let mut writer = Writer { state: &mut state, workload: &workload, number: &mut number };
    let calm = writer.write_until(|began| began.elapsed() >= calm_for)?;

    let frozen = writer.state.clone();
    std::fs::create_dir_all(&options.folder).map_err(|error| error.to_string())?;
    let path = options.folder.join(format!("recover-{}.snapshot", std::process::id()));
    let (busy, saved) = std::thread::scope(|scope| {
        let saver = scope.spawn(|| {
            let saved = save(&frozen, &path);
            over.store(true, Ordering::Relaxed);
            saved
        });
        let busy = writer.write_until(|_| over.load(Ordering::Relaxed));
        (busy, saver.join().map_err(|_| "saving panicked".to_owned()))
    });
    let (bytes, encoded, written) = saved?.map_err(|error| format!("{}: {error}", path.display()))?;
    let busy = busy?;
    // As on a server that starts: what is restored stands alone in memory.
    drop(state);
    let memory = weigh(&path)?;
    let begin = Instant::now();
    let read = std::fs::read(&path).map_err(|error| error.to_string())?;
    let read_in = begin.elapsed();
    std::fs::remove_file(&path).map_err(|error| error.to_string())?;
    let begin = Instant::now();
    let restored = State::decode(&read).map_err(|error| error.to_string())?;
    let restored_in = begin.elapsed();
    if restored.index() != frozen.index() || restored.encode() != read {
        return Err("the restored state is another than the one that was saved".into());
    }
    let allocations = jobs * INSTANCES as usize;
    Ok(Measured { allocations, bytes, memory, calm, encoded, written, busy, read: read_in, restored: restored_in })
}

/// Encodes and writes a state; the bytes, and how long each took.
fn save(state: &State, path: &PathBuf) -> std::io::Result<(usize, Duration, Duration)> {
    let begin = Instant::now();
    let bytes = state.encode();
    let encoded = begin.elapsed();
    let begin = Instant::now();
    let mut file = File::create(path)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    Ok((bytes.len(), encoded, begin.elapsed()))
}

/// Applies writes one after the other, each when it is due, and publishes the state after each, as a server does.
struct Writer<'a> {
    state: &'a mut State,
    workload: &'a Workload,
    number: &'a mut usize,
}

impl Writer<'_> {
    fn write_until(&mut self, is_over: impl Fn(Instant) -> bool) -> Result<Writes, String> {
        let interval = Duration::from_secs(1) / WRITES_PER_SECOND;
        let began = Instant::now();
        let mut times = Vec::new();
        let mut published = Arc::new(self.state.clone());
        while !is_over(began) {
            let due = began + interval * times.len() as u32;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            *self.number += 1;
            let mut job = self.workload.job(*self.number);
            job.id = format!("write-{}", self.number);
            job.name.clone_from(&job.id);
            job.groups[0].count = 1;
            command(self.state, Command::RegisterJob { job: Arc::new(job), check_index: None, submission: None })?;
            published = Arc::new(self.state.clone());
            times.push(due.elapsed());
        }
        drop(published);
        times.sort();
        Ok(Writes(times))
    }
}

impl Writes {
    fn row(&self) -> String {
        let ms = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
        let [p50, p99, most] = [50, 99, 100].map(|percent| ms(percentile(&self.0, percent)));
        format!("{p50}, {p99}, {most}")
    }
}

impl Measured {
    fn table(&self) -> String {
        let Self { allocations, bytes, memory, calm, encoded, written, busy, read, restored } = self;
        let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
        let rows = [
            (format!("P11: snapshot of {allocations} allocations, {} MiB", bytes >> 20), seconds(*encoded + *written)),
            ("of that, encoding".into(), seconds(*encoded)),
            ("of that, writing and syncing the file".into(), seconds(*written)),
            (format!("P11: restore of {allocations} allocations"), seconds(*read + *restored)),
            ("of that, reading the file".into(), seconds(*read)),
            (format!("P11: write stalls at {WRITES_PER_SECOND}/s during the snapshot: p50, p99, longest"), busy.row()),
            ("the same without a snapshot".into(), calm.row()),
            (
                "P10: memory of the restored state, for each allocation".into(),
                format!("{} B", memory / *allocations as u64),
            ),
        ];
        let rows: String = rows.iter().map(|(what, figure)| format!("| {what} | {figure} |\n")).collect();
        format!("| measured | figure |\n|---|---|\n{rows}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_restored_in_the_quick_form_too() {
        let folder = std::env::temp_dir();
        let options = Options { quick: true, allocations: None, folder, note: String::new(), keep: None };
        let in_this_process = |file: &Path| {
            let grown = weigh(&Weigh { file: file.into() })?;
            grown.trim().parse().map_err(|_| format!("no number: {grown}"))
        };
        let table = measure(&options, ALLOCATIONS_QUICK, in_this_process).map(|measured| measured.table());
        let table = table.unwrap_or_else(|wrong| panic!("{wrong}"));
        for row in ["snapshot of 20000 allocations", "restore of 20000 allocations", "without a snapshot", "memory of"]
        {
            assert!(table.contains(row), "`{row}` is missing in:\n{table}");
        }
    }
}
