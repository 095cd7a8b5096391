//! `sched server autopilot`: shows how servers are judged and dead ones removed, and sets it.

use std::time::Duration;

use clap::Args as ClapArgs;
use serde_json::{Map, Value, json};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::Call;
use crate::session::Session;
use crate::show::{self, Pairs};

const PATH: &str = "/v1/operator/autopilot/configuration";

/// Arguments of `server autopilot`. What is not given stays as it is.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// Whether dead servers are removed
    #[arg(long, value_name = "true|false", action = clap::ArgAction::Set)]
    cleanup_dead_servers: Option<bool>,
    /// How long a server is silent before it counts as dead
    #[arg(long, value_name = "DURATION", value_parser = crate::arguments::duration)]
    dead_server_after: Option<Duration>,
    /// How many voters are left at least
    #[arg(long, value_name = "NUMBER")]
    min_quorum: Option<u32>,
    /// Silence beyond which a server counts as unhealthy
    #[arg(long, value_name = "DURATION", value_parser = crate::arguments::duration)]
    last_contact_threshold: Option<Duration>,
    /// Entries that a healthy server may be behind
    #[arg(long, value_name = "NUMBER")]
    max_trailing_logs: Option<u64>,
    /// How long a server must have been well to count as stable
    #[arg(long, value_name = "DURATION", value_parser = crate::arguments::duration)]
    server_stabilization_time: Option<Duration>,
}

impl Args {
    /// What was given, as the API takes it.
    fn changes(&self) -> Map<String, Value> {
        let text = |duration: Duration| format!("{}ms", duration.as_millis());
        let given = [
            ("CleanupDeadServers", self.cleanup_dead_servers.map(Value::from)),
            ("DeadServerAfter", self.dead_server_after.map(text).map(Value::from)),
            ("MinQuorum", self.min_quorum.map(Value::from)),
            ("LastContactThreshold", self.last_contact_threshold.map(text).map(Value::from)),
            ("MaxTrailingLogs", self.max_trailing_logs.map(Value::from)),
            ("ServerStabilizationTime", self.server_stabilization_time.map(text).map(Value::from)),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let changes = args.changes();
    if !changes.is_empty() {
        let answer = session.client.call(Call::put(PATH, &json!(changes))).await?.value;
        if !session.print_json(&answer)? {
            show::line("the configuration of autopilot is set");
        }
        return Ok(Exit::Done);
    }
    let answer = session.client.call(Call::get(PATH)).await?.value;
    if session.print_json(&answer)? {
        return Ok(Exit::Done);
    }
    let mut pairs = Pairs::new();
    let of = |name: &str| answer[name].as_str().map_or_else(|| answer[name].to_string(), str::to_owned);
    for name in [
        "CleanupDeadServers",
        "DeadServerAfter",
        "MinQuorum",
        "LastContactThreshold",
        "MaxTrailingLogs",
        "ServerStabilizationTime",
    ] {
        pairs.add(name, of(name));
    }
    pairs.print();
    Ok(Exit::Done)
}
