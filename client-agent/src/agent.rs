//! The agent's loop: the only owner of what the agent knows.
//!
//! It waits for the next input, gives it to the core, and runs the effects that come out as spawned futures, whose
//! answers are inputs again. Dropping the future of [`run`] ends all of them and leaves every container as it is.

mod checks;
mod collect;
mod describe;
mod effects;
mod inventory;
mod local;
mod orders;
mod restore;
mod usage;
mod volumes;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use client_agent_core::{AllocationEvent, Moment};
use model::{AllocationId, Assignment, DocumentId, Index, Job, Node, Usage};
use proto::convert::{node_to_wire, usage_to_wire};
use proto::wire::{self, AgentUp, agent_up};
use seams::SteadyClock;
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::config::{AgentConfig, AgentSeams};
use crate::drivers::{Container, Driver, DriverError, News, TaskUsage};
use crate::report::Report;
use crate::rpc::{Link, LinkEvent};
use crate::store::{Write, keep_writing};
use local::Local;
use volumes::KeptVolume;

/// How often all containers are listed, drivers are looked at, and remains are collected.
const ROUNDS_INTERVAL: Duration = Duration::from_secs(10);
/// Inputs that are handled in one turn of the loop.
const INPUTS_MAX: usize = 256;
/// How long writes of state may go on after the end of the loop.
const FLUSH_DEADLINE: Duration = Duration::from_secs(5);

/// Why an agent can't begin.
#[derive(Debug, Error)]
pub enum AgentError {
    /// Its state can't be read.
    #[error("the agent's state can't be read")]
    LoadState(#[source] io::Error),
}

/// Something for the loop.
pub(crate) enum Input {
    /// From a server.
    Link(LinkEvent),
    /// An answer for one allocation.
    Allocation(AllocationId, AllocationEvent),
    /// A driver tells something unasked.
    News(String, News),
    /// A driver lists its containers; `asked` are the handles that were up when it was asked.
    Listed { driver: String, asked: BTreeSet<String>, containers: Result<Vec<Container>, DriverError> },
    /// A driver was looked at.
    Fingerprint(String, model::Driver),
    /// What containers use, by allocation and handle.
    Usage(Vec<(AllocationId, String, TaskUsage)>),
    /// The remains of an allocation were removed.
    Collected(AllocationId),
    /// A volume is there now.
    VolumeMade(KeptVolume),
    /// A volume is not there any more.
    VolumeDeleted(KeptVolume),
}

/// All that the agent knows.
struct Agent {
    config: AgentConfig,
    seams: AgentSeams,
    drivers: BTreeMap<String, Arc<dyn Driver>>,
    node: Node,
    inputs: mpsc::UnboundedSender<Input>,
    outgoing: mpsc::UnboundedSender<AgentUp>,
    hello: watch::Sender<wire::AgentHello>,
    usage_told: watch::Sender<wire::Usage>,
    writes: mpsc::UnboundedSender<Write>,
    /// Why the agent's state can't be written, while it can't.
    store_trouble: watch::Receiver<Option<String>>,
    work: JoinSet<()>,

    locals: BTreeMap<AllocationId, Local>,
    /// Those whose record is to be written down.
    changed: BTreeSet<AllocationId>,
    jobs: BTreeMap<DocumentId, Arc<Job>>,
    /// Assignments whose job is not there yet.
    bodies: BTreeMap<AllocationId, Assignment>,
    /// The wanted set, by (restore epoch, index); none before the first.
    wanted: Option<(u64, u64, BTreeMap<AllocationId, Index>)>,
    /// The highest restore epoch ever heard of.
    epoch: u64,
    /// Containers of this node that belong to no known allocation, with their driver.
    orphans: BTreeMap<AllocationId, BTreeMap<String, (String, Container)>>,
    /// Drivers whose containers are known.
    listed: BTreeSet<String>,
    /// Drivers that are being listed.
    listing: BTreeSet<String>,
    report: Report,
    /// When what is lacking may be asked for again.
    fetch_at: Option<Instant>,
    rounds_at: Instant,
    usage_at: Instant,
    beat_interval: Duration,
    measured: BTreeMap<String, (Instant, u64)>,
    usage: Usage,
    core_mhz: u64,
    /// When the leader last heard a beat, whichever server passed it on.
    heard: watch::Receiver<Instant>,
    /// When a server that is obeyed last took the stream, or was heard before another one did.
    heard_at: Instant,
    /// Whether the server at the other end is of the own cluster.
    obeys: bool,
}

/// Runs an agent until `shutdown`; its containers go on. What was under way is found again at the next start.
pub async fn run(config: AgentConfig, mut seams: AgentSeams, shutdown: CancellationToken) -> Result<(), AgentError> {
    // Restarts and stops wait by this clock; the host's may step.
    seams.clock = Arc::new(SteadyClock::new(seams.clock));
    let documents = seams.store.load().await.map_err(AgentError::LoadState)?;
    let (inputs, mut received) = mpsc::unbounded_channel();
    let (outgoing, to_link) = mpsc::unbounded_channel();
    let (writes, to_writer) = mpsc::unbounded_channel();
    let facts = seams.host.facts();
    let mut node = describe::node(&config, &facts);
    for driver in &seams.drivers {
        let found = describe::look(driver.as_ref()).await;
        describe::enter(&mut node, driver.name(), found);
    }
    node.attributes.extend(config.secrets.fingerprint().await);
    node.host_volumes.extend(volumes::kept(&documents).await);
    let (hello, hello_seen) = watch::channel(wire::AgentHello::default());
    let (usage_told, usage_seen) = watch::channel(wire::Usage::default());
    let (trouble, store_trouble) = watch::channel(None);
    let now = Instant::now();
    let (heard, heard_seen) = watch::channel(now);
    let mut agent = Agent {
        drivers: seams.drivers.iter().map(|driver| (driver.name().to_string(), driver.clone())).collect(),
        node,
        inputs: inputs.clone(),
        outgoing,
        hello,
        usage_told,
        writes,
        store_trouble,
        work: JoinSet::new(),
        locals: BTreeMap::new(),
        changed: BTreeSet::new(),
        jobs: BTreeMap::new(),
        bodies: BTreeMap::new(),
        wanted: None,
        epoch: 0,
        orphans: BTreeMap::new(),
        listed: BTreeSet::new(),
        listing: BTreeSet::new(),
        report: Report::default(),
        fetch_at: None,
        rounds_at: now + ROUNDS_INTERVAL,
        usage_at: now,
        beat_interval: usage::INTERVAL_MIN,
        measured: BTreeMap::new(),
        usage: Usage::default(),
        core_mhz: facts.core_mhz,
        heard: heard_seen,
        heard_at: now,
        obeys: false,
        config,
        seams,
    };
    let mut background = JoinSet::new();
    let mut writer = JoinSet::new();
    writer.spawn(keep_writing(agent.seams.store.clone(), to_writer, trouble));
    agent.restore(&documents);
    agent.tell_hello();
    for (name, driver) in agent.drivers.clone() {
        background.spawn(watch_driver(name, driver, inputs.clone()));
    }
    let link = Link {
        dialer: agent.seams.dialer.clone(),
        random: agent.seams.random.clone(),
        servers: agent.config.servers.clone(),
        inputs,
        outgoing: to_link,
        hello: hello_seen,
        usage: usage_seen,
        heard,
        lease: agent.config.lease,
        shutdown: shutdown.clone(),
    };
    let mut link_task = JoinSet::new();
    link_task.spawn(link.run());
    agent.list_all();
    info!(node = %agent.node.id, name = agent.node.name, "agent started");

    agent.turn(&mut received, &shutdown).await;
    agent.write_changed();

    // The link says goodbye and the writer empties its queue; neither may hold up the end for long.
    let Agent { writes, .. } = agent;
    drop(writes);
    let flushed = async {
        link_task.join_all().await;
        writer.join_all().await;
    };
    let _ = tokio::time::timeout(FLUSH_DEADLINE, flushed).await;
    Ok(())
}

/// Passes on what a driver tells.
async fn watch_driver(name: String, driver: Arc<dyn Driver>, inputs: mpsc::UnboundedSender<Input>) {
    let (sender, mut news) = mpsc::channel(64);
    let pass_on = async {
        while let Some(item) = news.recv().await {
            if inputs.send(Input::News(name.clone(), item)).is_err() {
                return;
            }
        }
    };
    tokio::join!(driver.watch(sender), pass_on);
}

impl Agent {
    /// Waits and handles, until the shutdown.
    async fn turn(&mut self, inputs: &mut mpsc::UnboundedReceiver<Input>, shutdown: &CancellationToken) {
        loop {
            let wake_at = self.wake_at();
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                Some(input) = inputs.recv() => {
                    self.handle(input);
                    // What has come meanwhile is taken along: what follows is done once for all of it.
                    for input in (1..INPUTS_MAX).map_while(|_| inputs.try_recv().ok()) {
                        self.handle(input);
                    }
                }
                () = sleep_until(wake_at) => self.tick(),
            }
            self.send_report();
            self.write_changed();
            while self.work.try_join_next().is_some() {}
        }
    }

    fn handle(&mut self, input: Input) {
        match input {
            Input::Link(event) => self.hear(event),
            Input::Allocation(id, event) => self.step(id, event),
            Input::News(driver, News::Changed(container)) => self.changed(&driver, container),
            Input::News(driver, News::Missed) => self.list(&driver),
            Input::Listed { driver, asked, containers } => self.listed(&driver, &asked, containers),
            Input::Fingerprint(name, driver) => self.fingerprinted(&name, driver),
            Input::Usage(measured) => self.measured(measured),
            Input::Collected(id) => self.collected(id),
            Input::VolumeMade(volume) => self.volume_made(volume),
            Input::VolumeDeleted(volume) => self.volume_deleted(&volume),
        }
    }

    /// When the loop must turn without an input.
    fn wake_at(&self) -> Instant {
        let (now, clock) = (Instant::now(), self.seams.clock.now());
        let locals = self.locals.values().filter_map(|local| local.wake_at).min();
        let locals = locals.map(|at| now + at.since(clock));
        let timers = [locals, self.report.due_at(), self.fetch_at, Some(self.rounds_at), Some(self.usage_at)];
        timers.into_iter().flatten().min().unwrap_or(self.rounds_at)
    }

    fn tick(&mut self) {
        let (now, clock) = (Instant::now(), self.seams.clock.now());
        let due = |local: &Local| local.wake_at.is_some_and(|at| at <= clock);
        let due: Vec<_> = self.locals.iter().filter(|(_, local)| due(local)).map(|(id, _)| *id).collect();
        for id in due {
            self.step(id, AllocationEvent::Tick);
        }
        if self.fetch_at.is_some_and(|at| at <= now) {
            self.fetch_at = None;
            self.compare();
        }
        if self.usage_at <= now {
            let measured = self.measure();
            self.usage_at = now + usage::interval(self.beat_interval, measured);
        }
        if self.rounds_at <= now {
            self.rounds_at = now + ROUNDS_INTERVAL;
            self.list_all();
            self.look_at_drivers();
            self.collect();
            self.stop_what_is_out_of_contact();
        }
    }

    /// Gives an event to an allocation and does what follows.
    fn step(&mut self, id: AllocationId, event: AllocationEvent) {
        let moment = self.moment();
        let Some(local) = self.locals.get_mut(&id) else { return };
        let before = local.state.clone();
        let effects = local.state.handle(&local.spec, event, moment);
        local.wake_at = local.state.wake_at(&local.spec, moment.now);
        let ended = local.state.is_gone() && !before.is_gone();
        if ended {
            local.ended_at = Some(moment.now);
        }
        if local.state != before {
            let observation = local.state.observation(id);
            self.report.put(observation, Instant::now());
            self.persist(id);
        }
        for (task, effect) in effects {
            self.run_effect(id, &task, effect);
        }
        self.keep_probing(id);
        if ended {
            info!(allocation = %id, "allocation ended");
            self.release_successors();
        }
    }

    fn moment(&self) -> Moment {
        Moment { now: self.seams.clock.now(), jitter: self.seams.random.next_u64() as u16 }
    }

    fn send(&self, body: agent_up::Body) {
        // The link ends only with the agent.
        let _ = self.outgoing.send(AgentUp { body: Some(body) });
    }

    fn send_report(&mut self) {
        while let Some(observations) = self.report.take(Instant::now()) {
            self.send(agent_up::Body::Observations(observations));
        }
    }

    /// When a server that is obeyed was last heard.
    fn last_heard(&self) -> Instant {
        match self.obeys {
            true => self.heard_at.max(*self.heard.borrow()),
            false => self.heard_at,
        }
    }

    fn tell_hello(&self) {
        let host = self.config.host_mark.map(|mark| mark.to_vec()).unwrap_or_default().into();
        self.hello.send_replace(wire::AgentHello { node: Some(node_to_wire(&self.node)), epoch: self.epoch, host });
    }

    fn tell_usage(&self) {
        let usage = usage_to_wire(&self.usage);
        self.usage_told.send_if_modified(|told| {
            let is_news = *told != usage;
            *told = usage;
            is_news
        });
    }

    fn hear(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Welcome(welcome) => {
                self.heard_at = self.last_heard();
                self.obeys = self.welcomed(&welcome);
            }
            _ if !self.obeys => {}
            LinkEvent::Wanted(wanted) => self.take_wanted(wanted),
            LinkEvent::Bodies(bodies) => self.take_bodies(&bodies),
            LinkEvent::Kept(sequence) => self.report.kept(sequence),
            LinkEvent::BeatInterval(interval) => self.beat_interval = interval,
            LinkEvent::Order(peer, order) => self.obey(peer, order),
            LinkEvent::Reregister => {
                self.send(agent_up::Body::Register(node_to_wire(&self.node)));
                self.report.repeat(Instant::now());
            }
        }
    }
}

#[cfg(test)]
mod tests;
