//! What no entry may bring about, whoever proposed it: such an entry changes nothing on any server, and an operator is told.
//!
//! To panic would end every server at the same index, again and again. Most invariants that production holds are held where
//! the entry is carried out, as the arithmetic that a plan made a moment ago may not pass any more; that is no alarm.
//!
//! | invariant | held in | what becomes of the entry |
//! |---|---|---|
//! | I2 entries come once and in order | [`order`] | rejected, alarm |
//! | I5 capacity, I8 ports | `plan::Placer`, before each instance | the placement is returned with its misfits |
//! | I9 names | `plan::follow_the_last`; `plan::Placer`: `stands`, `name_index`; `slots` ends doubles | the plan is rejected, or the placement returned |
//! | I10 transitions | [`observed`]; `allocation::observe_one` | the observation is passed over, alarm if no agent may say so |
//! | I11 what is over stays over | `allocation::observe_one` | the observation is passed over: agents repeat themselves |
//! | I22 the pace of drains | `allocation::migrate` | what is beyond it does not move yet |
//! | I24 closed nodes | `plan::Placer::place` | the placement is returned |
//! | I35 terms | `check_term`, before anything else | rejected |
//!
//! That servers have the same state all the same is what [`chain`](crate::chain) compares.

use model::{ClientStatus, Index, NodeId, Observation};

use super::Rejection;

/// What an entry would have broken: an operator should look, because something does not work as it is meant to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// The invariant's name.
    pub invariant: &'static str,
    /// What is wrong, with names and numbers.
    pub what: String,
}

/// Entries come once and in order.
pub(super) fn order(last: Index, index: Index) -> Result<(), (Rejection, Alarm)> {
    if index > last {
        return Ok(());
    }
    let what = format!("entry {index} comes after entry {last}");
    Err((Rejection::OutOfOrder { index, last }, Alarm { invariant: "same everywhere", what }))
}

/// Agents tell what they see: that nobody knows, or ever will, is not theirs to say.
pub(super) fn observed<T>(node: NodeId, observation: &Observation<T>) -> Result<(), Alarm> {
    match observation.client_status {
        ClientStatus::Pending | ClientStatus::Running | ClientStatus::Complete | ClientStatus::Failed => Ok(()),
        ClientStatus::Unknown | ClientStatus::Lost => {
            let (id, status) = (observation.allocation.short(), observation.client_status.as_str());
            let what = format!("the agent of {} says that {id} is {status}", node.short());
            Err(Alarm { invariant: "transitions", what })
        }
    }
}
