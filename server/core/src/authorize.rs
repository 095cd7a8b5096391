//! The one choke point of authorization: may this caller do this to that?
//!
//! Called by every HTTP route and every RPC, before anything is done and again for every object that is returned. It
//! keeps no record itself; the shell writes each decision to the audit. People are not told apart in this release,
//! because listeners refuse anything but loopback: whoever reaches one may do everything. Machines are told apart by
//! their certificates.

use std::fmt;

use model::{JobKey, NodeId, ServerId};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A person or tool at a loopback listener.
    Local,
    /// A server of the cluster, by its certificate.
    Server(ServerId),
    /// An agent, by its certificate.
    Agent(NodeId),
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Caller::Local => f.write_str("local"),
            Caller::Server(id) => write!(f, "server {id}"),
            Caller::Agent(node) => write!(f, "agent {node}"),
        }
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)?) => {
        /// What is asked for. Names are those that a policy will use.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $($(#[$doc])* $variant,)+
        }

        impl Action {
            /// The word for audits and policies.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Action::$variant => $text,)+
                }
            }
        }
    };
}

actions! {
    /// See jobs, their allocations, evaluations and deployments.
    ReadJobs = "read-jobs",
    /// Turn a jobspec into a document, or check one, without storing it.
    ParseJobs = "parse-jobs",
    /// Register, revert, evaluate or stop jobs, and steer their deployments.
    SubmitJobs = "submit-jobs",
    /// Stop or restart single allocations.
    SteerAllocations = "steer-allocations",
    /// Read what tasks wrote.
    ReadLogs = "read-logs",
    /// See nodes and what they hold.
    ReadNodes = "read-nodes",
    /// Drain, close, open or purge nodes.
    WriteNodes = "write-nodes",
    /// See volumes, and what is claimed of them.
    ReadVolumes = "read-volumes",
    /// Make, register or delete volumes, and free instances of them.
    WriteVolumes = "write-volumes",
    /// See the catalog.
    ReadServices = "read-services",
    /// See servers, leadership and figures.
    ReadServers = "read-servers",
    /// Add or remove servers and agents, set how the scheduler chooses, collect what is over.
    WriteServers = "write-servers",
    /// Take a backup, which holds everything, the authority's key among it where it is sealed.
    TakeSnapshot = "take-snapshot",
    /// Take the cluster back to a backup.
    RestoreSnapshot = "restore-snapshot",
    /// Follow what happens.
    ReadEvents = "read-events",
    /// Serve a node: describe it, report from it, fetch its work.
    ServeNode = "serve-node",
    /// Take part in consensus.
    Consensus = "consensus",
    /// See what is the same for everybody: the web UI's files, the description of the API.
    ReadPublic = "read-public",
}

/// What it is asked of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object<'a> {
    /// The cluster as a whole.
    Cluster,
    /// All of a namespace.
    Namespace(&'a str),
    /// A job and what belongs to it.
    Job(&'a JobKey),
    /// A node.
    Node(NodeId),
    /// A service: its namespace and name.
    Service(&'a str, &'a str),
}

impl fmt::Display for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Object::Cluster => f.write_str("cluster"),
            Object::Namespace(name) => write!(f, "namespace {name}"),
            Object::Job(key) => write!(f, "job {key}"),
            Object::Node(id) => write!(f, "node {id}"),
            Object::Service(namespace, name) => write!(f, "service {name}@{namespace}"),
        }
    }
}

/// Whether it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may.
    Allow,
    /// It may not.
    Deny,
}

/// Whether `caller` may do `action` to `object`.
pub fn authorize(caller: Caller, action: Action, object: Object<'_>) -> Decision {
    match (caller, action, object) {
        // An agent acts for its own node only, so that one that is taken over can't speak for another.
        (Caller::Agent(own), Action::ServeNode, Object::Node(node)) if own == node => Decision::Allow,
        (Caller::Agent(_), Action::ReadServices, _) => Decision::Allow,
        (Caller::Agent(_), _, _) => Decision::Deny,
        (Caller::Server(_), _, _) => Decision::Allow,
        (Caller::Local, Action::ServeNode | Action::Consensus, _) => Decision::Deny,
        (Caller::Local, _, _) => Decision::Allow,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(caller: Caller, action: Action, object: Object<'_>, wanted: Decision) {
        assert_eq!(authorize(caller, action, object), wanted, "{caller}, {}, {object}", action.as_str());
    }

    #[test]
    fn an_agent_acts_for_its_own_node_only() {
        let (own, other) = (NodeId::derive(&[b"own"]), NodeId::derive(&[b"other"]));
        check(Caller::Agent(own), Action::ServeNode, Object::Node(own), Decision::Allow);
        check(Caller::Agent(own), Action::ServeNode, Object::Node(other), Decision::Deny);
        check(Caller::Agent(own), Action::SubmitJobs, Object::Namespace("default"), Decision::Deny);
    }

    #[test]
    fn a_person_at_a_loopback_listener_does_everything_but_what_machines_do() {
        let job = JobKey::new("default", "web");
        check(Caller::Local, Action::SubmitJobs, Object::Job(&job), Decision::Allow);
        check(Caller::Local, Action::WriteServers, Object::Cluster, Decision::Allow);
        check(Caller::Local, Action::Consensus, Object::Cluster, Decision::Deny);
    }
}
