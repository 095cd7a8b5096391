//! How fast the core decides, alone: one thread, no log, no network. Each decision is made on the state that all before it
//! led to, and its plan is applied before the next; deciding and applying are timed apart.

mod workload;

use std::fmt::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use core_bench::{keep, numbers::median};
use model::{EvaluationStatus, Job, Node, Timestamp};
use server_core::apply::{Answer, apply};
use server_core::command::{Command, Entry};
use server_core::schedule::Scheduler;
use server_core::state::State;
pub use workload::{Kind, Workload};

/// Runs of each workload, and for a quick look.
const RUNS: usize = 3;
const RUNS_QUICK: usize = 1;
/// Of so many nodes, jobs and tasks a quick look leaves one.
const DIVISOR_QUICK: usize = 100;

/// Time decisions of the core: one thread, no log, no network
#[derive(Args)]
pub struct Options {
    /// Only see that it works
    #[arg(long)]
    quick: bool,
    /// Only workloads whose description contains this
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// A line about the machine and the moment, to stand above the table
    #[arg(long, default_value = "")]
    note: String,
    /// Put the table into this file, between the marks of `core`
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
}

/// One workload.
struct Row {
    workload: Workload,
    runs: Vec<Timed>,
}

/// One run of it.
#[derive(Clone, Copy, Default)]
struct Timed {
    placed: u64,
    decisions: u64,
    deciding: f64,
    applying: f64,
    slowest: f64,
}

/// Runs every workload, in turns, so that whatever slows the machine down slows all of it; the table, in Markdown.
pub fn run(options: &Options) -> Result<String, String> {
    let (runs, divisor) = if options.quick { (RUNS_QUICK, DIVISOR_QUICK) } else { (RUNS, 1) };
    let workloads = Workload::ALL.iter().map(|workload| workload.divided(divisor));
    let chosen = workloads.filter(|workload| workload.to_string().contains(&options.only));
    let mut rows: Vec<_> = chosen.map(|workload| Row { workload, runs: Vec::new() }).collect();
    for _ in 0..runs {
        for row in &mut rows {
            let timed = row.workload.run()?;
            let placed = timed.placed as f64;
            let (decided, applied) = (placed / timed.deciding, placed / timed.applying);
            eprintln!("{}: {decided:.0} placements/s decided, {applied:.0} applied", row.workload);
            row.runs.push(timed);
        }
    }
    let mut table = String::new();
    if !options.note.is_empty() {
        table += &format!("{}\n\n", options.note);
    }
    table += "| workload | placements/s decided, median | worst | ms per decision, median | slowest | placements/s applied, \
              median | runs |\n|---|---|---|---|---|---|---|\n";
    for row in &rows {
        writeln!(table, "{row}").map_err(|error| error.to_string())?;
    }
    if let Some(file) = &options.keep {
        keep(file, "core", &table)?;
    }
    Ok(table)
}

impl Workload {
    fn run(&self) -> Result<Timed, String> {
        let mut timed = Timed::default();
        self.fill(&mut timed)?;
        Ok(timed)
    }

    /// The state in which all its jobs are placed.
    pub fn filled(&self) -> Result<State, String> {
        self.fill(&mut Timed::default())
    }

    fn fill(&self, timed: &mut Timed) -> Result<State, String> {
        let mut state = State::default();
        for at in 0..self.nodes {
            command(&mut state, Command::RegisterNode { node: Arc::new(self.node(at)), session: None })?;
        }
        let mut scheduler = Scheduler::default();
        for at in 0..self.jobs {
            self.decide_one(&mut state, &mut scheduler, at, timed)?;
        }
        let wanted = u64::from(self.tasks) * self.jobs as u64;
        if timed.placed == wanted {
            Ok(state)
        } else {
            Err(format!("{self}: only {} of {wanted} placed", timed.placed))
        }
    }

    fn decide_one(
        &self,
        state: &mut State,
        scheduler: &mut Scheduler,
        at: usize,
        timed: &mut Timed,
    ) -> Result<(), String> {
        let job = Arc::new(self.job(at));
        command(state, Command::RegisterJob { job, check_index: None, submission: None })?;
        let evaluation = state.open_evaluations(EvaluationStatus::Pending).next().cloned();
        let evaluation = evaluation.ok_or("a registered job is not to be evaluated")?;
        let begin = Instant::now();
        let mut plan = scheduler.decide(state, &evaluation, Timestamp::default()).plan;
        let took = begin.elapsed().as_secs_f64();
        timed.deciding += took;
        timed.slowest = timed.slowest.max(took);
        timed.decisions += 1;
        timed.placed += u64::from(plan.instances());
        if self.kind == Kind::Explained && plan.outcome.unplaced.is_empty() {
            return Err(format!("{self}: nothing is left to explain"));
        }
        plan.term = state.term();
        let begin = Instant::now();
        command(state, Command::Plan(Box::new(plan)))?;
        timed.applying += begin.elapsed().as_secs_f64();
        Ok(())
    }
}

/// Applies a command that must be accepted.
pub fn command(state: &mut State, command: Command) -> Result<(), String> {
    let entry = Entry { at: Timestamp::default(), request: None, caller: String::new(), command };
    let index = state.index() + 1;
    match apply(state, index, 1, &entry).answer {
        Answer::Accepted(accepted) if accepted.rejected.is_empty() => Ok(()),
        Answer::Accepted(accepted) => Err(format!("a plan did not fit: {:?}", accepted.rejected)),
        Answer::Rejected(rejection) => Err(rejection.to_string()),
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row { workload, runs } = self;
        let rate = |timed: &Timed| timed.placed as f64 / timed.deciding;
        let worst = runs.iter().map(rate).fold(f64::INFINITY, f64::min);
        let of_one = median(runs.iter().map(|timed| timed.deciding / timed.decisions as f64)) * 1e3;
        let slowest = runs.iter().map(|timed| timed.slowest).fold(0.0, f64::max) * 1e3;
        let applied = median(runs.iter().map(|timed| timed.placed as f64 / timed.applying));
        let (decided, runs) = (median(runs.iter().map(rate)), runs.len());
        write!(f, "| {workload} | {decided:.0} | {worst:.0} | {of_one:.4} | {slowest:.2} | {applied:.0} | {runs} |")
    }
}

/// For the workloads: nodes and jobs are bent from these.
fn plain(name: &str) -> (Node, Job) {
    (model::testing::node(name), model::testing::job(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_placed_in_the_quick_form_too() {
        let table = run(&Options { quick: true, only: String::new(), note: "Now.".into(), keep: None })
            .unwrap_or_else(|wrong| panic!("{wrong}"));
        for row in ["Now.", "10 jobs × 10 on 50 nodes |", "spread over 50 racks", "P2: constrained to half of 75 racks"]
        {
            assert!(table.contains(row), "`{row}` is missing in:\n{table}");
        }
    }
}
