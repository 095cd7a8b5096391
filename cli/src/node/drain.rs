//! `sched node drain`: moves everything away from a node and shows how far it is until it is complete.
//!
//! Complete means that the containers were observed gone; the server decides that, this command shows it.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::{ArgGroup, Args as ClapArgs};
use serde_json::{Value, json};

use crate::api::{DrainStatus, Node};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::{Call, Error, path};
use crate::session::Session;
use crate::show::{self, Tone, text, time};

/// Pause between two looks at the progress.
const LOOK_PAUSE: Duration = Duration::from_millis(500);
/// How long the servers may be out of reach before following ends.
const CONTACT_PATIENCE: Duration = Duration::from_secs(30);

/// Arguments of `node drain`.
#[derive(ClapArgs, Debug)]
#[command(group = ArgGroup::new("wanted").required(true))]
pub struct Args {
    /// The node's name or id, or the beginning of either
    node: Option<String>,
    /// Begin to drain
    #[arg(long, group = "wanted")]
    enable: bool,
    /// Cancel the drain
    #[arg(long, group = "wanted")]
    disable: bool,
    /// Only show the progress of a drain that goes on
    #[arg(long, group = "wanted")]
    monitor: bool,
    /// When what is left is stopped at once
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = crate::arguments::duration)]
    deadline: Duration,
    /// Stop everything at once
    #[arg(long, conflicts_with_all = ["deadline", "no_deadline"])]
    force: bool,
    /// Never stop at once what can't move
    #[arg(long, conflicts_with = "deadline")]
    no_deadline: bool,
    /// Leave system jobs running
    #[arg(long)]
    ignore_system: bool,
    /// With -disable: the node stays ineligible
    #[arg(long, requires = "disable")]
    keep_ineligible: bool,
    /// The node of the agent that answers
    #[arg(long = "self")]
    own: bool,
    /// Return once it is accepted, without showing the progress
    #[arg(long)]
    detach: bool,
    /// Why, kept with the drain
    #[arg(short = 'm', value_name = "TEXT")]
    message: Option<String>,
    /// Kept with the drain; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    meta: Vec<String>,
    /// Do not ask
    #[arg(long, short = 'y')]
    yes: bool,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let node = super::named_or_self(session, args.node.as_deref(), args.own).await?;
    if args.monitor {
        return follow(&node, session).await;
    }
    let named_in_full = args.node.as_deref().is_some_and(|given| given == node.name || given == node.id);
    let verb = if args.enable { "Drain" } else { "Cancel the drain of" };
    if !named_in_full && !args.yes && !session.confirm(&format!("{verb} node {}?", node.name))? {
        return Err(Failure::new("nothing was changed"));
    }
    let call = Call::put(path(&["v1", "node", &node.id, "drain"]), &request(args, &node)?);
    let answer = session.client.call(call).await?.value;
    if session.print_json(&answer)? && (args.disable || args.detach) {
        return Ok(Exit::Done);
    }
    let name = text::escape(&node.name);
    if args.disable {
        show::line(match (node.drain, args.keep_ineligible) {
            (true, true) => format!("drain of {name} canceled; it stays ineligible"),
            (true, false) => format!("drain of {name} canceled; it takes new work again"),
            (false, true) => format!("node {name} does not drain; nothing changed"),
            (false, false) => format!("node {name} does not drain; it takes new work"),
        });
        return Ok(Exit::Done);
    }
    if args.detach {
        show::line(format_args!("node {name} ({}) drains", session.id(&node.id)));
        return Ok(Exit::Done);
    }
    follow(&node, session).await
}

/// The request, with the deadline as the API writes it: nanoseconds, 0 for none, -1 for at once.
fn request(args: &Args, node: &Node) -> Result<Value, Failure> {
    let mut meta = BTreeMap::new();
    for pair in &args.meta {
        let (key, value) =
            pair.split_once('=').ok_or_else(|| Failure::new(format!("-meta {pair}: it is not KEY=VALUE")))?;
        meta.insert(key.to_owned(), value.to_owned());
    }
    if let Some(message) = &args.message {
        meta.insert("message".into(), message.clone());
    }
    let deadline = match (args.force, args.no_deadline) {
        (true, _) => -1,
        (false, true) => 0,
        (false, false) => i64::try_from(args.deadline.as_nanos()).unwrap_or(i64::MAX),
    };
    let spec = args.enable.then(|| json!({ "Deadline": deadline, "IgnoreSystemJobs": args.ignore_system }));
    Ok(json!({
        "NodeID": node.id,
        "DrainSpec": spec,
        "MarkEligible": args.disable && !args.keep_ineligible,
        "Meta": meta,
    }))
}

async fn follow(node: &Node, session: &Session) -> Result<Exit, Failure> {
    tokio::select! {
        ended = watch(node, session) => ended,
        _ = tokio::signal::ctrl_c() => {
            let name = text::escape(&node.name);
            show::hint(format_args!("no longer watching; the drain goes on: `sched node drain -monitor {name}`"));
            Ok(Exit::Failed)
        }
    }
}

async fn watch(node: &Node, session: &Session) -> Result<Exit, Failure> {
    let began = tokio::time::Instant::now();
    let mut contact = began;
    let mut said = Said::default();
    let name = text::escape(&node.name);
    loop {
        match session.client.read::<DrainStatus>(Call::get(path(&["v1", "node", &node.id, "drain", "status"]))).await {
            Ok(status) => {
                contact = tokio::time::Instant::now();
                if status.status != "none" {
                    said.news(&status).iter().for_each(show::note);
                }
                let (total, took) = (status.total, time::took(began.elapsed()));
                let say = |text: String| if session.json { show::note(text) } else { show::line(text) };
                match status.status.as_str() {
                    "draining" => {}
                    "complete" => {
                        let instances = text::count(total, "allocation");
                        say(Tone::Good.paint(&format!("drained {name} in {took}: {instances} observed gone")));
                        return Ok(Exit::Done);
                    }
                    "canceled" => return Err(Failure::new(format!("the drain of {name} was canceled after {took}"))),
                    _ => {
                        return Err(Failure::new(format!("node {name} does not drain"))
                            .hint(format!("begin with `sched node drain -enable {name}`")));
                    }
                }
            }
            Err(error @ (Error::Refused { .. } | Error::Nonsense { .. } | Error::Address { .. })) => {
                return Err(error.into());
            }
            Err(error) if contact.elapsed() > CONTACT_PATIENCE => return Err(error.into()),
            Err(_) => {}
        }
        tokio::time::sleep(LOOK_PAUSE).await;
    }
}

/// What was last said of each allocation, and how many were gone.
#[derive(Default)]
struct Said {
    states: BTreeMap<String, String>,
    gone: Option<u64>,
}

impl Said {
    /// The lines that tell what is new.
    fn news(&mut self, status: &DrainStatus) -> Vec<String> {
        let mut lines = Vec::new();
        for one in &status.allocations {
            let detail = if one.detail.is_empty() { String::new() } else { format!(": {}", one.detail) };
            let words = text::escape(&format!("{} {}{detail}", one.name, one.state));
            if self.states.get(&one.id) != Some(&words) {
                lines.push(format!("  {}", Tone::of_status(&one.state).paint(&words)));
                self.states.insert(one.id.clone(), words);
            }
        }
        if self.gone != Some(status.gone) {
            self.gone = Some(status.gone);
            let left = if status.deadline > 0 && status.status == "draining" {
                format!(", deadline {}", time::ago(status.deadline, time::now()))
            } else {
                String::new()
            };
            lines.push(Tone::Bold.paint(&format!("{}/{} gone{left}", status.gone, status.total)));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::http::typed;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        args: Args,
    }

    #[track_caller]
    fn check(flags: &str, wanted: Value) {
        let args = Only::try_parse_from(["drain"].into_iter().chain(flags.split(' '))).unwrap().args;
        let node = Node { id: "n".into(), ..Node::default() };
        let mut request = request(&args, &node).unwrap();
        request.as_object_mut().unwrap().remove("NodeID");
        assert_eq!(request, wanted);
    }

    #[test]
    fn flags_become_the_request() {
        let spec = |deadline: i64| json!({ "Deadline": deadline, "IgnoreSystemJobs": false });
        let wanted = |spec: Value, eligible: bool| json!({ "DrainSpec": spec, "MarkEligible": eligible, "Meta": {} });
        check("--enable n1", wanted(spec(3_600_000_000_000), false));
        check("--enable --deadline 5m n1", wanted(spec(300_000_000_000), false));
        check("--enable --force n1", wanted(spec(-1), false));
        check("--enable --no-deadline n1", wanted(spec(0), false));
        check("--disable n1", wanted(Value::Null, true));
        check("--disable --keep-ineligible n1", wanted(Value::Null, false));
        check(
            "--disable -m why --meta a=b n1",
            json!({ "DrainSpec": null, "MarkEligible": true, "Meta": { "a": "b", "message": "why" } }),
        );
    }

    #[test]
    fn only_news_is_told() {
        let status = |state: &str, gone: u64| -> DrainStatus {
            typed(&json!({ "Status": "draining", "Total": 1, "Gone": gone,
                "Allocations": [{ "ID": "a", "Name": "web[0]", "State": state, "Detail": "" }] }))
            .unwrap()
        };
        let mut said = Said::default();
        let plain = |lines: Vec<String>| anstream::adapter::strip_str(&lines.join("|")).to_string();
        assert_eq!(plain(said.news(&status("waiting", 0))), "  web[0] waiting|0/1 gone");
        assert_eq!(plain(said.news(&status("waiting", 0))), "");
        assert_eq!(plain(said.news(&status("gone", 1))), "  web[0] gone|1/1 gone");
    }
}
