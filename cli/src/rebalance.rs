//! `sched rebalance`: one file per subcommand.

mod apply;
mod cancel;
mod plan;
mod status;

use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::find;
use crate::session::Session;

/// What can be done about instances that would be better off on other nodes.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show which moves would pay, what they bring and what they disturb, without moving anything
    Plan(plan::Args),
    /// Move instances to better nodes, a few at a time, and show how far it is
    Apply(apply::Args),
    /// Show how far the rebalance is that runs, or how the last one ended
    Status(status::Args),
    /// End the rebalance that runs; what moves already moves on
    Cancel(cancel::Args),
}

/// Runs the subcommand.
pub async fn run(command: Command, session: &Session) -> Result<Exit, Failure> {
    match command {
        Command::Plan(args) => plan::run(&args, session).await,
        Command::Apply(args) => apply::run(&args, session).await,
        Command::Status(args) => status::run(&args, session).await,
        Command::Cancel(args) => cancel::run(&args, session).await,
    }
}

/// What a rebalance shall bring about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Goal {
    Spread,
    Pack,
    Empty,
}

/// What is asked of a rebalance, the same for its plan and for carrying it out.
#[derive(ClapArgs, Debug)]
struct Ask {
    /// What it shall bring about: groups apart and nodes evenly loaded, few nodes in use, or one node emptied
    #[arg(long, value_enum, default_value = "spread")]
    goal: Goal,
    /// With -goal empty: the node's name or id, or the beginning of either
    #[arg(required_if_eq("goal", "empty"))]
    node: Option<String>,
    /// Move instances of this job only
    #[arg(long, value_name = "JOB")]
    job: Option<String>,
    /// Move what runs on nodes of this pool only
    #[arg(long, value_name = "NAME")]
    node_pool: Option<String>,
    /// Move also what is the only instance of its group
    #[arg(long)]
    singletons: bool,
    /// Moves in all [default: 20]
    #[arg(long, value_name = "NUMBER")]
    max_moves: Option<u32>,
    /// Moves at a time [default: 2]
    #[arg(long, value_name = "NUMBER")]
    max_at_once: Option<u32>,
    /// Moves of one job at a time [default: 1]
    #[arg(long, value_name = "NUMBER")]
    max_per_job: Option<u32>,
    /// Leave alone what was moved within this time [default: 10m]
    #[arg(long, value_name = "DURATION", value_parser = crate::arguments::duration)]
    cool_down: Option<Duration>,
}

impl Ask {
    /// The request, with the node's id in place of its name.
    async fn request(&self, session: &Session) -> Result<Value, Failure> {
        let node = match (&self.node, self.goal) {
            (Some(name), Goal::Empty) => Some(find::node(session, name).await?.id),
            (Some(name), Goal::Spread | Goal::Pack) => {
                return Err(Failure::new(format!("a node ({name}) is named only with -goal empty"))
                    .hint("-node-pool limits a rebalance to the nodes of a pool"));
            }
            (None, _) => None,
        };
        Ok(self.body(node.as_deref()))
    }

    fn body(&self, node: Option<&str>) -> Value {
        let goal = match self.goal {
            Goal::Spread => "spread",
            Goal::Pack => "pack",
            Goal::Empty => "empty",
        };
        let mut body = json!({ "Goal": goal, "Singletons": self.singletons });
        let cool_down = self.cool_down.map(|time| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX));
        let more = [
            ("NodeID", node.map(Value::from)),
            ("JobID", self.job.as_deref().map(Value::from)),
            ("NodePool", self.node_pool.as_deref().map(Value::from)),
            ("MaxMoves", self.max_moves.map(Value::from)),
            ("MaxAtOnce", self.max_at_once.map(Value::from)),
            ("MaxPerJob", self.max_per_job.map(Value::from)),
            ("CoolDown", cool_down.map(Value::from)),
        ];
        for (name, value) in more {
            if let Some(value) = value {
                body[name] = value;
            }
        }
        body
    }

    /// The flags as they are typed, to be repeated.
    fn words(&self) -> String {
        let mut words = vec![match self.goal {
            Goal::Spread => "-goal spread".to_string(),
            Goal::Pack => "-goal pack".to_string(),
            Goal::Empty => "-goal empty".to_string(),
        }];
        let quoted = crate::show::text::shell_quoted;
        words.extend(self.node.as_deref().map(quoted));
        words.extend(self.job.as_deref().map(|job| format!("-job {}", quoted(job))));
        words.extend(self.node_pool.as_deref().map(|pool| format!("-node-pool {}", quoted(pool))));
        words.extend(self.singletons.then(|| "-singletons".to_string()));
        words.extend(self.max_moves.map(|number| format!("-max-moves {number}")));
        words.extend(self.max_at_once.map(|number| format!("-max-at-once {number}")));
        words.extend(self.max_per_job.map(|number| format!("-max-per-job {number}")));
        let span = |time: Duration| humantime::format_duration(time).to_string().replace(' ', "");
        words.extend(self.cool_down.map(|time| format!("-cool-down {}", span(time))));
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        ask: Ask,
    }

    fn ask(flags: &str) -> Option<Ask> {
        let flags = flags.split(' ').filter(|flag| !flag.is_empty());
        Only::try_parse_from(["rebalance"].into_iter().chain(flags)).ok().map(|only| only.ask)
    }

    #[test]
    fn flags_become_the_request_and_can_be_typed_again() {
        let usual = ask("").unwrap();
        assert_eq!(usual.body(None), json!({ "Goal": "spread", "Singletons": false }));
        assert_eq!(usual.words(), "-goal spread");
        let all = ask("--goal empty n3 --job web --node-pool gpu --singletons --max-moves 5 --max-at-once 2 \
                       --max-per-job 1 --cool-down 5m")
        .unwrap();
        let wanted = json!({
            "Goal": "empty", "Singletons": true, "NodeID": "id", "JobID": "web", "NodePool": "gpu", "MaxMoves": 5,
            "MaxAtOnce": 2, "MaxPerJob": 1, "CoolDown": 300_000_000_000_i64,
        });
        assert_eq!(all.body(Some("id")), wanted);
        assert_eq!(
            all.words(),
            "-goal empty n3 -job web -node-pool gpu -singletons -max-moves 5 -max-at-once 2 -max-per-job 1 \
             -cool-down 5m"
        );
    }

    #[test]
    fn a_node_to_empty_must_be_named() {
        assert!(ask("--goal empty").is_none());
        assert!(ask("--goal tidy").is_none());
    }
}
