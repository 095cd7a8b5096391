//! Nodes by name, id, or the beginning of either.

use super::{Found, looks_like_id, pick};
use crate::api::Node;
use crate::failure::Failure;
use crate::http::Call;
use crate::session::Session;
use crate::show::text;

/// The node that is meant.
pub async fn node(session: &Session, given: &str) -> Result<Node, Failure> {
    let nodes: Vec<Node> = session.client.read(Call::get("/v1/nodes")).await?;
    let names: Vec<String> = nodes.iter().map(|node| node.name.clone()).collect();
    let exact = |node: &Node| node.name == given || node.id == given;
    let loose = |node: &Node| node.name.starts_with(given) || (looks_like_id(given) && node.id.starts_with(given));
    match pick(nodes, exact, loose) {
        Found::One(node) => Ok(node),
        Found::Several(nodes) => {
            let describe = |node: &Node| format!("{} {} ({})", text::short(&node.id), node.name, node.status);
            Err(Failure::ambiguous("node", given, nodes.iter().map(describe)))
        }
        Found::None => {
            let failure = Failure::new(format!("node `{given}` not found"));
            Err(match text::nearest(given, names.iter().map(String::as_str)) {
                Some(name) => failure.hint(format!("did you mean `{name}`?")),
                None => failure.hint("`sched node status` lists the nodes"),
            })
        }
    }
}

/// The node of the agent that answers at the address.
pub async fn local_node(session: &Session) -> Result<Node, Failure> {
    let answer = session.client.call(Call::get("/v1/agent/self")).await?;
    let id = answer.value.pointer("/stats/client/node_id").and_then(|id| id.as_str()).unwrap_or_default();
    if id.is_empty() {
        return Err(Failure::new("the process at this address is not a client agent, so it has no node")
            .hint("give the node's name, or set SCHED_ADDR to an agent of that node"));
    }
    node(session, id).await
}
