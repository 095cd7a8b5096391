//! How fast the core decides, alone: one thread, no log, no network. Each decision is made on the state that all before it
//! led to, and its plan is applied before the next; deciding and applying are timed apart.

mod workload;

use std::fmt;
use std::sync::Arc;

use model::{EvaluationStatus, Job, Node, Timestamp};
use server_core::apply::{Answer, apply};
use server_core::command::{Command, Entry};
use server_core::schedule::Scheduler;
use server_core::state::State;
use tokio::time::Instant;

use super::host::{self, Host};
use super::numbers::median;
use workload::{Kind, Workload};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    runs: usize,
    /// One of so many nodes and jobs is left.
    divisor: usize,
}

impl Size {
    /// All of it.
    pub const FULL: Self = Self { runs: 3, divisor: 1 };
    /// Only that it works.
    pub const QUICK: Self = Self { runs: 1, divisor: 100 };
}

/// What all runs came to. Its text is Markdown.
pub struct CoreReport {
    host: Host,
    rows: Vec<Row>,
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

/// Runs every workload, in turns, so that whatever slows the machine down slows all of it.
pub fn run(size: Size) -> Result<CoreReport, String> {
    let host = host::describe(&super::runs_folder())?;
    let mut rows: Vec<_> = Workload::ALL
        .iter()
        .map(|workload| Row { workload: workload.divided(size.divisor), runs: Vec::new() })
        .collect();
    for _ in 0..size.runs {
        for row in &mut rows {
            let timed = row.workload.run()?;
            eprintln!("{}: {:.0} placements/s", row.workload, timed.placed as f64 / timed.deciding);
            row.runs.push(timed);
        }
    }
    Ok(CoreReport { host, rows })
}

impl Workload {
    fn run(&self) -> Result<Timed, String> {
        let mut state = State::default();
        for at in 0..self.nodes {
            command(&mut state, Command::RegisterNode { node: Arc::new(self.node(at)) })?;
        }
        let mut scheduler = Scheduler::default();
        let mut timed = Timed::default();
        for at in 0..self.jobs {
            self.decide_one(&mut state, &mut scheduler, at, &mut timed)?;
        }
        let wanted = u64::from(self.tasks) * self.jobs as u64;
        if timed.placed == wanted {
            Ok(timed)
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

fn command(state: &mut State, command: Command) -> Result<(), String> {
    let entry = Entry { at: Timestamp::default(), request: None, caller: String::new(), command };
    let index = state.index() + 1;
    match apply(state, index, 1, &entry).answer {
        Answer::Accepted(accepted) if accepted.rejected.is_empty() => Ok(()),
        Answer::Accepted(accepted) => Err(format!("a plan did not fit: {:?}", accepted.rejected)),
        Answer::Rejected(rejection) => Err(rejection.to_string()),
    }
}

impl fmt::Display for CoreReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Host { model, cores, date, commit, .. } = &self.host;
        writeln!(f, "Measured {date}, commit {commit}, on one of {cores} cores of {model}.\n")?;
        let head = "| workload | placements/s decided, median | worst | ms per decision, median | slowest | placements/s \
                    applied, median | runs |";
        writeln!(f, "{head}\n|---|---|---|---|---|---|---|")?;
        for Row { workload, runs } in &self.rows {
            let rate = |timed: &Timed| timed.placed as f64 / timed.deciding;
            let worst = runs.iter().map(rate).fold(f64::INFINITY, f64::min);
            let of_one = median(runs.iter().map(|timed| timed.deciding / timed.decisions as f64));
            let slowest = runs.iter().map(|timed| timed.slowest).fold(0.0, f64::max);
            let applied = median(runs.iter().map(|timed| timed.placed as f64 / timed.applying));
            let (of_one, slowest) = (of_one * 1e3, slowest * 1e3);
            let decided = median(runs.iter().map(rate));
            let runs = runs.len();
            writeln!(
                f,
                "| {workload} | {decided:.0} | {worst:.0} | {of_one:.4} | {slowest:.2} | {applied:.0} | {runs} |"
            )?;
        }
        Ok(())
    }
}

/// For the workloads: nodes and jobs are bent from these.
fn plain(name: &str) -> (Node, Job) {
    (model::testing::node(name), model::testing::job(name))
}
