//! Three servers become five and three again, over and over, while somebody writes and servers are killed.
//!
//! In each round two new servers join, one is killed for good and must be removed by itself, another is told to leave,
//! and whoever was removed tries to come back. Every step has a minute. What was acknowledged is there at the end, on
//! every server.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{ClusterId, ServerId, Timestamp};
use proto::net::Peer;
use server::cluster::{Cluster as _, ClusterError};
use server::raft::Sizes;
use server::server::{Server, StartServer};
use server_core::apply::Answer;
use server_core::autopilot::AutopilotConfiguration;
use server_core::command::{Command, JoinTokenRecord};
use server_core::limits::DEAD_SERVER_AFTER_MIN;
use tokio::time::{Instant, sleep, timeout};

use super::fleet::{Fleet, in_virtual_time};

/// How long a step may take, in virtual time.
pub const STEP_WITHIN: Duration = Duration::from_secs(60);
/// How long there may be no leader after one was stopped by hand: no longer than after one died.
const HANDED_OVER_WITHIN: Duration = Duration::from_secs(2);
/// Pause between two writes.
const WRITE_PAUSE: Duration = Duration::from_millis(50);
/// Small, so that every server that joins needs a snapshot.
const SIZES: (u64, u64) = (100, 20);

/// What the rounds were like.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Rounds of 3, 5 and 3 servers again.
    pub rounds: u32,
    /// Servers that there were in all.
    pub servers: usize,
    /// Servers that were killed, for a while or for good.
    pub kills: u32,
    /// Terms in which somebody led.
    pub terms: usize,
    /// Writes that were acknowledged.
    pub writes: usize,
    /// Acknowledged writes that are not there.
    pub lost: usize,
    /// Servers that were kept from coming back under an old id.
    pub turned_away: u32,
    /// The step that took longest.
    pub longest_step: Duration,
    /// What was wrong.
    pub broken: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} rounds of 3-5-3: {} servers, {} kills, {} terms, {} writes acknowledged, {} lost, {} old ids turned away, \
             longest step {:.1} s, {} violations",
            self.rounds,
            self.servers,
            self.kills,
            self.terms,
            self.writes,
            self.lost,
            self.turned_away,
            self.longest_step.as_secs_f64(),
            self.broken.len()
        )
    }
}

/// Plays so many rounds of `seed`.
pub fn play(seed: u64, rounds: u32) -> Report {
    in_virtual_time(seed, async move {
        let mut run = Run::begin(seed).await;
        for round in 1..=rounds {
            if let Err(why) = run.round().await {
                run.report.broken.push(format!("seed {seed}, round {round}: {why}"));
                break;
            }
            run.report.rounds = round;
        }
        run.end().await
    })
}

struct Run {
    fleet: Fleet,
    ids: BTreeSet<ServerId>,
    acknowledged: Arc<Mutex<BTreeSet<String>>>,
    /// The servers that the writer writes to.
    targets: Arc<Mutex<Vec<Server>>>,
    report: Report,
}

impl Run {
    async fn begin(seed: u64) -> Self {
        let sizes = Sizes { snapshot_after_entries: SIZES.0, trailing_entries: SIZES.1, ..Sizes::default() };
        let mut fleet = Fleet::new(seed, ClusterId::derive(&[b"membership"]), sizes);
        for id in 1..=3 {
            let peers = (1..=3).map(|id| Peer::server(id, address(id))).collect();
            fleet.start_server(id, &address(id), id == 1, peers).await.expect("its disk is empty");
        }
        let mut run = Self {
            fleet,
            ids: (1..=3).collect(),
            acknowledged: Arc::default(),
            targets: Arc::default(),
            report: Report { servers: 3, ..Report::default() },
        };
        run.retarget();
        tokio::spawn(write(run.targets.clone(), run.acknowledged.clone()));
        run
    }

    fn retarget(&mut self) {
        *self.targets.lock().unwrap_or_else(PoisonError::into_inner) = self.fleet.running();
    }

    async fn round(&mut self) -> Result<(), String> {
        self.step("three servers vote", |voters| voters.len() == 3).await?;
        // Nobody joins before: the tokens for it come after the ids of the first servers.
        while self.fleet.leader().await.state().last_server_id() < 3 {
            sleep(WRITE_PAUSE).await;
        }
        let configuration =
            AutopilotConfiguration { dead_server_after: DEAD_SERVER_AFTER_MIN, ..AutopilotConfiguration::default() };
        let set = Command::SetAutopilotConfiguration { configuration, check_index: None };
        self.ask(set).await?;

        for _ in 0..2 {
            let id = self.join().await?;
            self.trouble(id).await;
            self.step(&format!("server {id} votes"), |voters| voters.contains(&id)).await?;
        }

        let dead = self.pick().await;
        self.fleet.kill_server(dead).await;
        self.report.kills += 1;
        self.retarget();
        self.step(&format!("dead server {dead} is removed"), |voters| !voters.contains(&dead)).await?;

        let leaves = self.pick().await;
        self.leave(leaves).await?;
        self.step(&format!("server {leaves} has left"), |voters| !voters.contains(&leaves)).await?;
        self.told_to_end(leaves).await?;
        self.fleet.kill_server(leaves).await;
        self.retarget();
        self.step("three servers vote again", |voters| voters.len() == 3).await?;
        self.turn_away(dead, leaves).await
    }

    /// A new server under a new id.
    async fn join(&mut self) -> Result<ServerId, String> {
        let command =
            Command::AllocateServer { name: "new".into(), address: String::new(), http_address: String::new() };
        let id = match self.ask(command).await? {
            Answer::Accepted(accepted) => accepted.server.ok_or("no id was given out")?,
            Answer::Rejected(rejection) => return Err(rejection.to_string()),
        };
        if !self.ids.insert(id) {
            return Err(format!("id {id} is given out twice"));
        }
        self.start(id).await.map_err(|error| error.to_string())?;
        self.report.servers += 1;
        Ok(id)
    }

    async fn start(&mut self, id: ServerId) -> Result<Server, StartServer> {
        let others: Vec<Peer> = self.fleet.running().iter().map(|one| one.server_id()).map(peer).collect();
        let started = self.fleet.start_server(id, &address(id), false, others).await;
        self.retarget();
        started
    }

    /// Kills one server for a moment: the leader, the one that joins, or another.
    async fn trouble(&mut self, joins: ServerId) {
        sleep(Duration::from_millis(self.fleet.random.below(800))).await;
        let leader = self.fleet.leader().await.server_id();
        let victim = match self.fleet.random.below(4) {
            0 => return self.restart_leader(leader).await,
            1 => leader,
            2 => joins,
            _ => self.pick().await,
        };
        self.fleet.kill_server(victim).await;
        self.report.kills += 1;
        self.retarget();
        sleep(Duration::from_millis(200 + self.fleet.random.below(3000))).await;
        if let Err(error) = self.start(victim).await {
            self.report.broken.push(format!("server {victim} can't start again: {error}"));
        }
    }

    /// Hands leadership over by command, then stops the next leader as a person does, who expects that another leads at
    /// once.
    async fn restart_leader(&mut self, leader: ServerId) {
        let voters = self.fleet.voters().await;
        let heir = voters.into_iter().find(|id| *id != leader && self.fleet.server(*id).is_some());
        let (Some(heir), Some(server)) = (heir, self.fleet.server(leader)) else { return };
        let began = Instant::now();
        if let Err(error) = server.transfer_leadership(heir).await {
            let took = began.elapsed();
            self.report.broken.push(format!("server {leader} can't hand over to {heir}, after {took:?}: {error}"));
            return;
        }
        self.took(began.elapsed());
        let leads = self.fleet.leader().await.server_id();
        self.fleet.stop_server(leads).await;
        self.retarget();
        let stopped = Instant::now();
        let next = timeout(STEP_WITHIN, self.fleet.leader()).await;
        if next.is_err() || stopped.elapsed() > HANDED_OVER_WITHIN {
            let gap = stopped.elapsed();
            self.report.broken.push(format!("server {leads} stopped, and for {gap:?} nobody led"));
        }
        if let Err(error) = self.start(leads).await {
            self.report.broken.push(format!("server {leads} can't start again: {error}"));
        }
    }

    /// Tells a server to leave, through any other, while the leader may die.
    async fn leave(&mut self, id: ServerId) -> Result<(), String> {
        let through = self.pick().await;
        let Some(asked) = self.fleet.server(through) else { return Err("nobody can be asked".into()) };
        let asking = tokio::spawn(async move { asked.remove_server(id).await });
        if self.fleet.random.below(3) == 0 {
            sleep(Duration::from_millis(self.fleet.random.below(60))).await;
            let leader = self.fleet.leader().await.server_id();
            if leader != id {
                self.fleet.kill_server(leader).await;
                self.report.kills += 1;
                self.retarget();
                sleep(Duration::from_millis(500 + self.fleet.random.below(2000))).await;
                self.start(leader).await.map_err(|error| error.to_string())?;
            }
        }
        match asking.await {
            Ok(Ok(())) => Ok(()),
            // Who was asked may have died: then nobody knows, and asking again is harmless.
            Ok(Err(
                ClusterError::Stopping | ClusterError::Unknown | ClusterError::NoLeader | ClusterError::Refused(_),
            ))
            | Err(_) => {
                let leader = self.fleet.leader().await;
                let again = timeout(STEP_WITHIN, leader.remove_server(id)).await;
                again.map_err(|_| "leaving blocks".to_string())?.map_err(|error| error.to_string())
            }
            Ok(Err(error)) => Err(error.to_string()),
        }
    }

    /// A server that has left is told so, and ends.
    async fn told_to_end(&mut self, id: ServerId) -> Result<(), String> {
        let Some(server) = self.fleet.server(id) else { return Ok(()) };
        let began = Instant::now();
        let ended = timeout(STEP_WITHIN, server.stopped()).await;
        self.took(began.elapsed());
        match ended {
            Ok(reason) if reason.contains("never used again") => Ok(()),
            Ok(reason) => Err(format!("server {id} ended for another reason: {reason}")),
            Err(_) => Err(format!("server {id} has left and runs on")),
        }
    }

    /// One that was removed comes back with its data, and one without: neither is taken in.
    async fn turn_away(&mut self, dead: ServerId, wiped: ServerId) -> Result<(), String> {
        self.start(dead).await.map_err(|error| error.to_string())?;
        self.told_to_end(dead).await?;
        self.fleet.kill_server(dead).await;
        let others: Vec<Peer> = self.fleet.running().iter().map(|one| one.server_id()).map(peer).collect();
        let mut empty = Fleet::new(wiped, self.fleet.cluster, Sizes::default());
        empty.share_net(&self.fleet);
        let begun = empty.start_server(wiped, "elsewhere:4647", false, others).await;
        self.retarget();
        match begun {
            Err(StartServer::DataGone { .. }) => {}
            Err(error) => return Err(error.to_string()),
            Ok(_) => return Err(format!("server {wiped} begins with an empty disk under its old id")),
        }
        self.report.turned_away += 2;
        Ok(())
    }

    /// A voter that runs, as the seed says.
    async fn pick(&mut self) -> ServerId {
        loop {
            let voters = self.fleet.voters().await;
            let running: Vec<ServerId> = voters.into_iter().filter(|id| self.fleet.server(*id).is_some()).collect();
            if !running.is_empty() {
                return running[self.fleet.random.below(running.len() as u64) as usize];
            }
            sleep(WRITE_PAUSE).await;
        }
    }

    /// A command that must be accepted.
    async fn ask(&mut self, command: Command) -> Result<Answer, String> {
        let deadline = Instant::now() + STEP_WITHIN;
        loop {
            match self.fleet.leader().await.propose("membership", None, command.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(error) if Instant::now() > deadline => return Err(error.to_string()),
                Err(_) => sleep(WRITE_PAUSE).await,
            }
        }
    }

    /// Waits until the voters are so.
    async fn step(&mut self, what: &str, is_so: impl Fn(&[ServerId]) -> bool) -> Result<(), String> {
        let began = Instant::now();
        let look = async {
            while !is_so(&self.fleet.voters().await) {
                sleep(WRITE_PAUSE).await;
            }
        };
        if timeout(STEP_WITHIN, look).await.is_err() {
            return Err(format!("within {STEP_WITHIN:?} it does not come that {what}: {}", self.describe()));
        }
        self.took(began.elapsed());
        Ok(())
    }

    fn took(&mut self, span: Duration) {
        self.report.longest_step = self.report.longest_step.max(span);
    }

    fn describe(&self) -> String {
        let of = |server: &Server| (server.server_id(), server.raft().metrics());
        format!("{:#?}", self.fleet.running().iter().map(of).collect::<BTreeMap<_, _>>())
    }

    async fn end(mut self) -> Report {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let acknowledged = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.report.writes = acknowledged.len();
        for server in self.fleet.running() {
            if let Err(error) = server.raft().barrier(STEP_WITHIN).await {
                self.report.broken.push(format!("server {} can't read: {error}", server.server_id()));
                continue;
            }
            let state = server.state();
            let lost = acknowledged.iter().filter(|id| state.join_token(id).is_none()).count();
            self.report.lost = self.report.lost.max(lost);
        }
        self.report.terms = self.fleet.rules.terms();
        self.report.broken.extend(self.fleet.rules.broken());
        self.report
    }
}

/// Writes small things to any server, one after the other, and notes what was acknowledged.
async fn write(targets: Arc<Mutex<Vec<Server>>>, acknowledged: Arc<Mutex<BTreeSet<String>>>) {
    for number in 0u64.. {
        let servers = targets.lock().unwrap_or_else(PoisonError::into_inner).clone();
        sleep(WRITE_PAUSE).await;
        if servers.is_empty() {
            continue;
        }
        let server = servers[(number % servers.len() as u64) as usize].clone();
        let id = format!("write-{number}");
        let token = JoinTokenRecord {
            id: id.clone(),
            role: "agent".into(),
            secret_hash: String::new(),
            expires_at: Timestamp(i64::MAX),
        };
        let acknowledged = acknowledged.clone();
        // One that waits for a leader must not hold up the others.
        tokio::spawn(async move {
            if let Ok(Answer::Accepted(_)) = server.propose("load", None, Command::PutJoinToken { token }).await {
                acknowledged.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
            }
        });
    }
}

fn address(id: ServerId) -> String {
    format!("s{id}:4647")
}

fn peer(id: ServerId) -> Peer {
    Peer::server(id, address(id))
}
