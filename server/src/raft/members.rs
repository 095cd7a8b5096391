//! Who takes part: adding and removing servers, and handing over leadership.

use std::collections::{BTreeMap, BTreeSet};

use model::ServerId;
use openraft::async_runtime::WatchReceiver as _;
use openraft::errors::{ChangeMembershipError, ClientWriteError, RaftError};
use openraft::{BasicNode, ChangeMembers};
use thiserror::Error;
use tokio::time::{Duration, Instant, sleep, timeout_at};

use super::Core;
use super::metrics::metrics_of;
use super::propose::{RETRY_PAUSE, leader_of};
use super::types::{StoredMembership, TypeConfig};

/// One server of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub id: ServerId,
    /// Where the others reach it.
    pub address: String,
    /// Its part.
    pub role: Role,
}

/// What part a server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Counts in majorities.
    Voter,
    /// Receives the log, and counts in none: it is joining.
    Learner,
}

/// Members did not change, or not as far as is known.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ChangeMembersError {
    /// Another server leads, or none is known.
    #[error("only the leader changes members; it is {leader:?}")]
    NotLeader {
        /// The leader's id and address, if one is known.
        leader: Option<(ServerId, String)>,
    },
    /// It took too long; asking again goes on from where it is.
    #[error("the change of members did not end in time: {waits_for}; ask again to go on")]
    TimedOut {
        /// What it waited for at the end.
        waits_for: String,
    },
    /// It makes no sense.
    #[error("members can't change so: {0}")]
    Refused(String),
    /// This server has stopped.
    #[error("this server is stopping")]
    Stopped,
}

/// A voter that has not answered for so long is named where a change waits.
const SILENT_AFTER: Duration = Duration::from_secs(1);

type Attempt = RaftError<TypeConfig, ClientWriteError<TypeConfig>>;

/// Those whose votes count wherever a majority is asked: while voters change there are two sets, and who is in one of them
/// only can't stand in for another server yet.
pub fn voters_of(membership: &StoredMembership) -> BTreeSet<ServerId> {
    let sets = membership.membership().get_joint_config();
    sets.iter().cloned().reduce(|some, others| some.intersection(&others).copied().collect()).unwrap_or_default()
}

/// All members, by id.
pub fn members_of(membership: &StoredMembership) -> Vec<Member> {
    let voters: BTreeSet<ServerId> = membership.voter_ids().collect();
    let role = |id| if voters.contains(id) { Role::Voter } else { Role::Learner };
    membership.nodes().map(|(id, node)| Member { id: *id, address: node.addr.clone(), role: role(id) }).collect()
}

/// Brings a server in: first as a learner, until it has caught up, then as a voter. A server that is in already gets
/// the address, if it differs.
pub async fn add(core: &Core, id: ServerId, address: &str, within: Duration) -> Result<(), ChangeMembersError> {
    add_before(core, id, address, Instant::now() + within).await.map_err(|error| explained(error, core, Some(id)))
}

async fn add_before(core: &Core, id: ServerId, address: &str, deadline: Instant) -> Result<(), ChangeMembersError> {
    let node = BasicNode::new(address);
    let known = members(core).into_iter().find(|member| member.id == id);
    match &known {
        Some(member) if member.address != address => {
            let moved = ChangeMembers::SetNodes(BTreeMap::from([(id, node)]));
            change(core, moved, deadline).await?;
        }
        Some(member) if member.role == Role::Voter => {}
        Some(_) | None => {
            repeat(deadline, || core.add_learner(id, node.clone(), true)).await?;
            catch_up(core, id, deadline).await?;
        }
    }
    change(core, ChangeMembers::AddVoterIds(BTreeSet::from([id])), deadline).await
}

/// Waits until server `id` has what was committed when it came: the library is content with one that lags by less than a
/// snapshot, which in a young cluster is one that nobody has ever reached.
async fn catch_up(core: &Core, id: ServerId, deadline: Instant) -> Result<(), ChangeMembersError> {
    let committed = metrics_of(&core.metrics().borrow_watched()).committed;
    let has_it = |metrics: &openraft::RaftMetrics<TypeConfig>| {
        metrics_of(metrics).matching.get(&id).is_some_and(|has| *has >= committed)
    };
    let remaining = deadline.saturating_duration_since(Instant::now());
    let caught_up = core.wait(Some(remaining)).metrics(has_it, "a new server catches up").await;
    caught_up.map(|_| ()).map_err(|_| timed_out())
}

/// Takes a server out. A leader that removes itself hands over first.
pub async fn remove(core: &Core, id: ServerId, within: Duration) -> Result<(), ChangeMembersError> {
    let deadline = Instant::now() + within;
    let removed = BTreeSet::from([id]);
    let gone = match members(core).into_iter().find(|member| member.id == id).map(|member| member.role) {
        None => Ok(()),
        Some(Role::Voter) => change(core, ChangeMembers::RemoveVoters(removed), deadline).await,
        Some(Role::Learner) => change(core, ChangeMembers::RemoveNodes(removed), deadline).await,
    };
    gone.map_err(|error| explained(error, core, None))
}

/// A change that ran out of time says what it waited for: a server that does not catch up, or voters that are silent.
fn explained(error: ChangeMembersError, core: &Core, joining: Option<ServerId>) -> ChangeMembersError {
    let ChangeMembersError::TimedOut { .. } = error else { return error };
    let metrics = metrics_of(&core.metrics().borrow_watched());
    if let Some(id) = joining.filter(|id| metrics.matching.get(id).is_none_or(|has| *has < metrics.committed)) {
        let has = metrics.matching.get(&id).copied().unwrap_or(0);
        let waits_for = format!("server {id} has {has} of {} entries", metrics.committed);
        return ChangeMembersError::TimedOut { waits_for };
    }
    let is_silent = |member: &&Member| {
        member.role == Role::Voter
            && member.id != metrics.id
            && metrics.silent.get(&member.id).is_none_or(|silent| *silent > SILENT_AFTER)
    };
    let silent: Vec<String> = metrics.members.iter().filter(is_silent).map(|member| member.id.to_string()).collect();
    let waits_for = match silent.is_empty() {
        true => "a majority has not confirmed it yet".to_string(),
        false => format!("servers {} do not answer", silent.join(", ")),
    };
    ChangeMembersError::TimedOut { waits_for }
}

/// Hands leadership to `to` and waits until it leads.
pub async fn transfer(core: &Core, to: ServerId, within: Duration) -> Result<(), ChangeMembersError> {
    let deadline = Instant::now() + within;
    if !members(core).iter().any(|member| member.id == to && member.role == Role::Voter) {
        return Err(ChangeMembersError::Refused(format!("server {to} is no voter")));
    }
    if core.metrics().borrow_watched().current_leader == Some(to) {
        return Ok(());
    }
    if !core.is_leader() {
        let leader = core.as_leader().err().and_then(|forward| leader_of(&forward));
        return Err(ChangeMembersError::NotLeader { leader });
    }
    core.trigger().transfer_leader(to).await.map_err(|_| ChangeMembersError::Stopped)?;
    let remaining = deadline.saturating_duration_since(Instant::now());
    let leads = core.wait(Some(remaining)).current_leader(to, "leadership is handed over").await;
    let waits_for = || format!("server {to} does not lead yet");
    leads.map(|_| ()).map_err(|_| ChangeMembersError::TimedOut { waits_for: waits_for() })
}

fn members(core: &Core) -> Vec<Member> {
    members_of(&core.metrics().borrow_watched().membership_config)
}

async fn change(
    core: &Core,
    change: ChangeMembers<ServerId, BasicNode>,
    deadline: Instant,
) -> Result<(), ChangeMembersError> {
    repeat(deadline, || core.change_membership(change.clone(), false)).await
}

fn timed_out() -> ChangeMembersError {
    ChangeMembersError::TimedOut { waits_for: "nothing was confirmed".into() }
}

/// Tries until it succeeds or can't: a fresh leader has no lease yet, and changes wait for each other.
async fn repeat<T, F>(deadline: Instant, attempt: impl Fn() -> F) -> Result<(), ChangeMembersError>
where
    F: Future<Output = Result<T, Attempt>>,
{
    loop {
        let error = match timeout_at(deadline, attempt()).await {
            Err(_) => return Err(timed_out()),
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error,
        };
        match error {
            RaftError::Fatal(_) => return Err(ChangeMembersError::Stopped),
            RaftError::APIError(ClientWriteError::ForwardToLeader(forward)) if forward.leader_id.is_some() => {
                return Err(ChangeMembersError::NotLeader { leader: leader_of(&forward) });
            }
            RaftError::APIError(
                ClientWriteError::ForwardToLeader(_)
                | ClientWriteError::LogEntryDiscarded(_)
                | ClientWriteError::ChangeMembershipError(
                    ChangeMembershipError::InProgress(_) | ChangeMembershipError::UncommittedLeaderLog(_),
                ),
            ) => {}
            RaftError::APIError(error) => return Err(ChangeMembersError::Refused(error.to_string())),
        }
        if Instant::now() + RETRY_PAUSE >= deadline {
            return Err(timed_out());
        }
        sleep(RETRY_PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::types::Membership;

    #[test]
    fn while_voters_change_only_those_in_both_sets_can_stand_in_for_others() {
        let voters = |sets: &[&[ServerId]]| {
            let sets = sets.iter().map(|set| set.iter().copied().collect::<BTreeSet<_>>()).collect::<Vec<_>>();
            let servers: BTreeMap<_, _> = (1..=3).map(|id| (id, BasicNode::new(format!("server-{id}")))).collect();
            let membership = Membership::new(sets, servers).unwrap();
            voters_of(&StoredMembership::new(None, membership)).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(voters(&[&[1, 2]]), [1, 2]);
        assert_eq!(voters(&[&[1, 2], &[1, 2, 3]]), [1, 2]);
        assert_eq!(voters(&[&[1, 2, 3], &[1, 3]]), [1, 3]);
        assert!(voters_of(&StoredMembership::default()).is_empty());
    }
}
