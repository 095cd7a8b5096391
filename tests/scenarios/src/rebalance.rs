//! Rebalances in a scenario: what is proposed, how it goes on, and what it comes to.

use std::collections::BTreeMap;

use model::{ClientStatus, EvaluationStatus, NodeId};
use server_core::command::Command;
use server_core::drain;
use server_core::rebalance::{Ask, Goal, Measure, Move, Proposal, Stage, next, propose};

use super::cluster::Cluster;
use super::decision::short_name;
use super::words::{Words, duration, job_key};

/// Steps after which a rebalance is said to have no end.
const STEPS_MAX: usize = 500;
/// Rebalances after which another must find nothing to do.
const ROUNDS_MAX: usize = 30;

impl Cluster {
    /// What a line asks for.
    fn ask(&self, words: &mut Words) -> Ask {
        let goal = match words.name().as_str() {
            "spread" => Goal::Spread,
            "pack" => Goal::Pack,
            "empty" => Goal::Empty(self.node_named(&words.name()).id),
            other => panic!("nobody rebalances to {other}"),
        };
        let mut ask = Ask::of(goal);
        let limits = &mut ask.limits;
        limits.moves = words.number("moves").unwrap_or(limits.moves);
        limits.at_once = words.number("at_once").unwrap_or(limits.at_once);
        limits.per_job_at_once = words.number("per_job").unwrap_or(limits.per_job_at_once);
        limits.cool_down = words.value("cool_down").map_or(limits.cool_down, |text| duration(&text));
        ask.scope.job = words.value("job").map(|id| job_key(&id));
        ask.scope.pool = words.value("pool");
        ask.scope.singletons = words.flag("singletons");
        ask
    }

    /// What is proposed for what a line asks; the state stays as it is.
    fn proposal(&self, line: &str) -> Proposal {
        let (verb, mut rest) = Words::of(line).expect("the line has words");
        rest.0.insert(0, verb);
        let ask = self.ask(&mut rest);
        rest.end();
        let before = self.state.clone();
        let proposal = propose(&self.state, &ask, self.now);
        assert_eq!(self.state, before, "a proposal changes nothing");
        proposal
    }

    /// Begins what is proposed; `if_any` makes nothing of nothing.
    pub(super) fn rebalance(&mut self, mut words: Words) {
        let ask = self.ask(&mut words);
        let is_optional = words.flag("if_any");
        words.end();
        let moves = propose(&self.state, &ask, self.now).moves;
        if is_optional && moves.is_empty() {
            return;
        }
        self.command(Command::BeginRebalance { ask, moves, check_index: None });
    }

    /// Lets the watch over rebalances do what it finds due, and says what that was.
    pub(super) fn rebalance_on(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        for _ in 0..STEPS_MAX {
            let step = next(&self.state, self.now);
            let Some(rebalance) = self.state.rebalance().filter(|_| !step.is_empty()).cloned() else { return lines };
            let known =
                |id| rebalance.moves.iter().find(|known| known.allocation == id).expect("it is one of the moves");
            for end in &step.ends {
                let name = short_name(&known(end.allocation).name);
                lines.push(format!("{name} {}: {}", end.stage.as_str(), without_ids(&end.detail)));
            }
            lines.extend(step.abort.iter().map(|why| format!("aborted: {}", without_ids(why))));
            lines.extend(step.start.map(|id| format!("{} moves", short_name(&known(id).name))));
            let (index, term) = (rebalance.index, self.state.term());
            let (start, ends, abort) = (step.start, step.ends, step.abort);
            self.command(Command::StepRebalance { index, start, ends, abort, term });
        }
        panic!("the rebalance has no end: {lines:?}");
    }

    /// Carries a proposal out, with agents that do all well, and says what must never be if it happens.
    fn carry_out_moves(&mut self, proposal: &Proposal) -> Option<String> {
        // Who waits for room takes what a move leaves, and then nothing is as it was promised.
        let is_promised = self.state.open_evaluations(EvaluationStatus::Blocked).next().is_none();
        let (ask, moves) = (proposal.ask.clone(), proposal.moves.clone());
        self.command(Command::BeginRebalance { ask, moves, check_index: Some(proposal.check_index) });
        for _ in 0..STEPS_MAX {
            self.watch();
            if let Some(wrong) = self.beyond_limits() {
                return Some(wrong);
            }
            self.run();
            self.all_are_healthy();
            self.run();
            self.go_on("sweep");
            self.run();
            if let Some(violation) = self.violations().first() {
                return Some(violation.to_string());
            }
            if self.state.rebalance().is_some_and(|known| known.status.is_over()) {
                return if is_promised { self.broken_promise(proposal) } else { None };
            }
        }
        Some("the rebalance does not end".into())
    }

    fn all_are_healthy(&mut self) {
        let pending = self.state.allocations().filter(|known| known.is_live() && known.healthy.is_none());
        for id in pending.map(|known| known.id).collect::<Vec<_>>() {
            self.observe(id, ClientStatus::Running, Some(true));
        }
    }

    /// Which limit does not hold now.
    fn beyond_limits(&self) -> Option<String> {
        let rebalance = self.state.rebalance()?;
        let limits = rebalance.ask.limits;
        if rebalance.moves.len() > limits.moves as usize {
            return Some(format!("{} moves", rebalance.moves.len()));
        }
        if rebalance.moving().count() > limits.at_once as usize {
            return Some(format!("{} move at once", rebalance.moving().count()));
        }
        let mut of_jobs: BTreeMap<_, u32> = BTreeMap::new();
        rebalance.moving().for_each(|known| *of_jobs.entry(&known.job).or_default() += 1);
        let most = of_jobs.into_values().max().unwrap_or_default();
        (most > limits.per_job_at_once).then(|| format!("{most} of one job move at once"))
    }

    /// What of a proposal did not come as it was promised, on a cluster that nothing else changed.
    fn broken_promise(&self, proposal: &Proposal) -> Option<String> {
        let rebalance = self.state.rebalance()?;
        for known in &rebalance.moves {
            if known.stage != Stage::Done {
                return Some(format!("{} {}: {}", known.name, known.stage.as_str(), known.detail));
            }
            let next = self
                .state
                .allocation(known.allocation)
                .and_then(|original| self.state.allocation(original.ties().next?));
            if next.is_none_or(|next| next.node != known.to) {
                return Some(format!("{} did not go to {}", known.name, known.to_name));
            }
        }
        let is = propose(&self.state, &proposal.ask, self.now).before;
        (is != proposal.after).then(|| format!("promised {:?}, came to {is:?}", proposal.after))
    }
}

/// Whether nothing of what the goal is about got worse.
fn is_no_worse(goal: Goal, before: &Measure, after: &Measure) -> bool {
    match goal {
        Goal::Spread => after.skew <= before.skew,
        Goal::Pack => {
            let [was, is] = [before, after].map(|measure| measure.skew);
            after.nodes_used <= before.nodes_used && is.out_of_place <= was.out_of_place && is.crowded <= was.crowded
        }
        Goal::Empty(_) => after.left <= before.left,
    }
}

/// Whether something of it got better.
fn is_better(goal: Goal, before: &Measure, after: &Measure) -> bool {
    match goal {
        Goal::Spread => after.skew < before.skew,
        Goal::Pack => after.nodes_used < before.nodes_used,
        Goal::Empty(_) => after.left < before.left,
    }
}

/// Plays `setup`, lets the scheduler decide, and asserts which moves are proposed for what `ask` asks, in order. Then
/// carries them out: each instance must come to its promised node, and the cluster to what was promised of it.
#[track_caller]
pub fn check_rebalance(setup: &str, ask: &str, expected: &str) {
    let mut cluster = Cluster::play(setup);
    cluster.run();
    let proposal = cluster.proposal(ask);
    let line = |known: &Move| {
        let gain = known.gain.words(proposal.ask.goal, &known.from_name);
        format!("{} from {} to {}: {gain}", short_name(&known.name), known.from_name, known.to_name)
    };
    let said: Vec<_> = proposal.moves.iter().map(line).collect();
    assert_eq!(said, expected.lines().map(str::trim).collect::<Vec<_>>());
    assert_eq!(proposal.disruptions.values().sum::<u32>() as usize, proposal.moves.len());
    assert!(is_no_worse(proposal.ask.goal, &proposal.before, &proposal.after));
    if !proposal.moves.is_empty() {
        assert!(is_better(proposal.ask.goal, &proposal.before, &proposal.after), "no move is made in vain");
        assert_eq!(cluster.carry_out_moves(&proposal), None);
    }
}

/// Plays `setup`, lets the scheduler decide, and asserts which instances are kept back for what `ask` asks, and why.
#[track_caller]
pub fn check_held(setup: &str, ask: &str, expected: &str) {
    let mut cluster = Cluster::play(setup);
    cluster.run();
    let held = cluster.proposal(ask).held;
    let said: Vec<_> =
        held.iter().map(|held| format!("{} {}: {}", held.job.id, held.count, held.reason.as_str())).collect();
    assert_eq!(said, expected.lines().map(str::trim).collect::<Vec<_>>());
}

/// Plays `setup`, lets the scheduler decide, and asserts where the rebalance stands: its status, and a line for each move.
#[track_caller]
pub fn check_rebalance_status(setup: &str, expected: &str) {
    let mut cluster = Cluster::play(setup);
    cluster.run();
    let rebalance = cluster.state.rebalance().expect("the scenario rebalances").clone();
    let described = |what: &str, why: &str| match why {
        "" => what.to_string(),
        why => format!("{what}: {}", without_ids(why)),
    };
    let mut said = vec![described(rebalance.status.as_str(), &rebalance.description)];
    said.extend(rebalance.moves.iter().map(|known| {
        let stands = described(known.stage.as_str(), &known.detail);
        format!("{} to {} {stands}", short_name(&known.name), known.to_name)
    }));
    assert_eq!(said, expected.lines().map(str::trim).collect::<Vec<_>>());
}

/// Plays `lines`, then rebalances as `ask` says until nothing more is proposed. The first thing that must never be, with
/// all that led to it: a limit that does not hold, a promise that is broken, a move in vain, something that gets worse,
/// rebalances without end.
pub fn first_wrong_rebalance(lines: &[String], ask: &str) -> Option<String> {
    let mut cluster = Cluster::play(&lines.join("\n"));
    cluster.run();
    cluster.all_are_healthy();
    cluster.go_on("watch");
    cluster.run();
    cluster.go_on("sweep");
    cluster.run();
    let mut story = format!("{}\nrebalance {ask}\n", lines.join("\n"));
    let waits = |cluster: &Cluster| cluster.state.open_evaluations(EvaluationStatus::Blocked).next().is_some();
    for _ in 0..ROUNDS_MAX {
        let others_wait = waits(&cluster);
        let proposal = cluster.proposal(ask);
        if proposal.moves.is_empty() {
            return None;
        }
        let goal = proposal.ask.goal;
        for known in &proposal.moves {
            story += &format!("    {} from {} to {}\n", known.name, known.from_name, known.to_name);
            if let Some(wrong) = moves_too_much(&cluster, known) {
                return Some(format!("{story}{} {wrong}", known.name));
            }
        }
        if !is_better(goal, &proposal.before, &proposal.after) && !others_wait {
            return Some(format!("{story}in vain: {:?} becomes {:?}", proposal.before, proposal.after));
        }
        if let Some(wrong) = cluster.carry_out_moves(&proposal) {
            return Some(story + &wrong);
        }
    }
    Some(format!("{story}it has no end"))
}

/// Why an instance should never have been proposed.
fn moves_too_much(cluster: &Cluster, known: &Move) -> Option<&'static str> {
    let original = cluster.state.allocation(known.allocation).expect("it was proposed");
    let job = &cluster.state.job_version(&original.job, original.job_version).expect("it runs").job;
    let group = job.group(&original.group).expect("it runs");
    let nodes: [NodeId; 2] = [known.from, known.to];
    if nodes[0] == nodes[1] {
        return Some("goes nowhere");
    }
    if job.kind != model::JobType::Service {
        return Some("is no service");
    }
    if group.ephemeral_disk.sticky {
        return Some("leaves its disk behind");
    }
    (drain::next(&cluster.state, cluster.now).moves.contains(&known.allocation)).then_some("drains anyway")
}

/// A text without the beginnings of ids, which nobody writes into a scenario.
fn without_ids(text: &str) -> String {
    let hidden = |word: &&str| !(word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit()));
    text.split(' ').filter(hidden).collect::<Vec<_>>().join(" ")
}
