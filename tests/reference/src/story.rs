//! Tells random stories of small clusters, line by line: what there is, and then what happens to what is there by now.

mod documents;

use model::{ClientStatus, JobKey};
use scenarios::story::Story;
use server_core::rebalance::Status;

use crate::random::Random;

/// The fewest and the most nodes.
const NODES: (u64, u64) = (2, 8);
/// The most jobs.
const JOBS_MAX: u64 = 4;
/// The fewest and the most lines.
const LINES: (u64, u64) = (30, 90);

/// Tells a story.
pub struct Teller {
    random: Random,
    /// What each node is, without what its operator may change.
    nodes: Vec<String>,
    jobs: usize,
    /// Lines that begin it, the last first.
    beginning: Vec<String>,
    left: u64,
}

impl Teller {
    /// The story of that seed.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let nodes: Vec<_> = (0..random.between(NODES.0, NODES.1)).map(|_| documents::node(&mut random)).collect();
        let jobs = random.between(1, JOBS_MAX) as usize;
        let mut beginning = vec![scheduler(&mut random)];
        let mut teller = Self { random, nodes, jobs, beginning: Vec::new(), left: 0 };
        for at in 0..teller.nodes.len() {
            beginning.push(teller.node(at));
        }
        for at in 0..teller.jobs {
            let job = documents::job(&mut teller.random);
            beginning.push(format!("job w{at} {job}"));
        }
        beginning.reverse();
        teller.beginning = beginning;
        teller.left = teller.random.between(LINES.0, LINES.1);
        teller
    }

    /// The next line, for what is there now; none at the end.
    pub fn next(&mut self, story: &Story) -> Option<String> {
        if let Some(line) = self.beginning.pop() {
            return Some(line);
        }
        self.left = self.left.checked_sub(1)?;
        (0..).find_map(|_| self.deed(story))
    }

    /// A node as it registers, with what its operator says of it.
    fn node(&mut self, at: usize) -> String {
        let facts = documents::facts(&mut self.random);
        format!("node n{at} {} {facts}", self.nodes[at])
    }

    fn deed(&mut self, story: &Story) -> Option<String> {
        let node = format!("n{}", self.random.below(self.nodes.len()));
        let job = format!("w{}", self.random.below(self.jobs));
        Some(match self.random.below(100) {
            0..11 => format!("healthy {job}"),
            11 => return self.rebalance(story, &node),
            12..22 => "sweep".into(),
            22..28 => "watch".into(),
            28..48 => return self.of_instance(story),
            48..61 => format!("job {job} {}", documents::change(&mut self.random)),
            61 => format!("stop {job}"),
            62 => format!("ask {job} force"),
            63 if self.is_there(story, &job) => format!("purge {job}\njob {job} {}", documents::job(&mut self.random)),
            64 if self.random.percent(50) => format!("crash {job}"),
            64 if self.is_there(story, &job) && self.random.percent(50) => format!("stable {job}"),
            64 => return self.revert(story, &job),
            65..69 => return self.of_deployment(story, &job),
            69..71 => format!("wait {}s", self.random.between(1, 200)),
            71..73 => return self.of_volume(story, &node),
            73..75 => "wait 20m".into(),
            75..78 => "wait 2h\ncollect".into(),
            78..82 => format!("down {node}"),
            82..87 => format!("back {node}"),
            87..90 => format!("reports {node}"),
            90..92 => format!("drain {node}"),
            92 => format!("drain {node} deadline=1m ignore_system"),
            93..95 => format!("undrain {node}"),
            95 => format!("ineligible {node}"),
            96 => format!("eligible {node}"),
            97..99 => self.node(node[1..].parse().ok()?),
            _ => scheduler(&mut self.random),
        })
    }

    fn is_there(&self, story: &Story, job: &str) -> bool {
        story.state().job(&JobKey::new(model::DEFAULT_NAMESPACE, job)).is_some()
    }

    /// Something that happens to one instance.
    fn of_instance(&mut self, story: &Story) -> Option<String> {
        let state = story.state();
        let holding: Vec<_> = state.allocations().filter(|known| known.holds()).collect();
        if holding.is_empty() {
            return None;
        }
        let known = *self.random.one(&holding);
        let group = if *known.group == *known.job.id { String::new() } else { format!(".{}", known.group) };
        let name = format!("{}{group}[{}] on {}", known.job.id, known.index, known.node_name);
        let of_name =
            |other: &&&std::sync::Arc<model::Allocation>| other.name() == known.name() && other.node == known.node;
        let is_only = state.allocations().collect::<Vec<_>>().iter().filter(of_name).count() == 1;
        // The verbs find the oldest of that name that was told to stop, else the newest.
        let deeds = match (known.is_live(), known.client_status) {
            (true, ClientStatus::Pending) => &["runs", "runs", "runs", "fails"][..],
            (true, _) if is_only => &["runs", "fails", "gone", "stop"][..],
            (true, _) => &["runs", "fails", "gone"][..],
            (false, _) => &["gone", "gone", "fails"][..],
        };
        Some(format!("{} {name}", self.random.one(deeds)))
    }

    /// Something that a person does about a rollout.
    fn of_deployment(&mut self, story: &Story, job: &str) -> Option<String> {
        let key = JobKey::new(model::DEFAULT_NAMESPACE, job);
        let active = story.state().latest_deployment(&key).filter(|known| known.status.is_active())?;
        let is_well = |id: &&model::AllocationId| story.state().allocation(**id).is_some_and(|known| known.is_well());
        let mut waiting =
            active.groups.values().filter(|group| group.desired_canaries > 0 && !group.promoted).peekable();
        let is_proven = |group: &model::DeploymentGroup| {
            group.placed_canaries.iter().filter(is_well).count() >= group.desired_canaries as usize
        };
        let may_be_promoted = waiting.peek().is_some() && waiting.all(is_proven);
        let deeds = if may_be_promoted { &["promote"][..] } else { &["pause", "resume", "resume", "fail"][..] };
        Some(format!("{} {job}", self.random.one(deeds)))
    }

    /// Somebody makes or deletes a volume, or lets an instance go from its own.
    fn of_volume(&mut self, story: &Story, node: &str) -> Option<String> {
        let state = story.state();
        let volumes: Vec<_> = state.volumes().collect();
        let claims: Vec<_> = state.volume_claims().collect();
        match self.random.below(5) {
            0 if !claims.is_empty() => {
                let key = &self.random.one(&claims).key;
                let group = if key.group == *key.job.id { String::new() } else { format!(".{}", key.group) };
                Some(format!("unclaim {}{group}[{}]", key.job.id, key.index))
            }
            1 if !volumes.is_empty() => {
                let volume = *self.random.one(&volumes);
                let place = state.node(volume.node)?;
                let is_used = state.users_of_volume(volume).next().is_some();
                let deed = self.random.one(&["close", "delete"]);
                (!is_used).then(|| format!("{deed} {} on {}", volume.name, place.name))
            }
            _ => {
                let place = state.nodes().find(|known| known.name == node)?;
                let name = *self.random.one(&["data", "logs", "data[0]", "data[1]"]);
                let is_taken = volumes.iter().any(|known| known.node == place.id && known.name == name);
                let modes = self.random.one(&["", "", "modes=writer,single-writer", "modes=reader-only", "pending"]);
                let is_free = !is_taken && !place.host_volumes.contains_key(name);
                is_free.then(|| format!("volume {name} on {node} {modes}"))
            }
        }
    }

    /// Somebody has instances moved, or stops that.
    fn rebalance(&mut self, story: &Story, node: &str) -> Option<String> {
        match story.state().rebalance().map(|known| known.status) {
            Some(Status::Running) => return Some("cancel".into()),
            Some(Status::Cancelling | Status::Aborting) => return None,
            Some(Status::Complete | Status::Cancelled | Status::Aborted) | None => {}
        }
        let goal = match self.random.below(5) {
            0 => "pack".into(),
            1 => format!("empty {node}"),
            _ => "spread".to_string(),
        };
        let (moves, at_once) = (self.random.between(1, 6), self.random.between(1, 3));
        let singletons = if self.random.percent(50) { " singletons" } else { "" };
        Some(format!("rebalance {goal} moves={moves} at_once={at_once} cool_down=1s{singletons} if_any"))
    }

    /// Somebody goes back to another version of a job.
    fn revert(&mut self, story: &Story, job: &str) -> Option<String> {
        let record = story.state().job(&JobKey::new(model::DEFAULT_NAMESPACE, job))?;
        let current = record.current().version;
        let others: Vec<_> =
            record.versions.iter().map(|known| known.version).filter(|known| *known != current).collect();
        (!others.is_empty()).then(|| format!("revert {job} {}", self.random.one(&others)))
    }
}

fn scheduler(random: &mut Random) -> String {
    let algorithm = if random.percent(30) { " spread" } else { "" };
    let preempt = if random.percent(60) { " preempt" } else { "" };
    format!("scheduler{algorithm}{preempt}")
}
