//! The command line as clap reads it, and the way from there to the command's own file.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::exit::{self, Exit};
use crate::failure::Failure;
use crate::http::Client;
use crate::session::Session;
use crate::{
    agent, alloc, capacity, completion, deployment, events, job, node, rebalance, server, service, snapshot, status,
    version, volume,
};

/// Where servers listen unless told otherwise.
const DEFAULT_ADDRESS: &str = "http://127.0.0.1:4646";

/// Runs a cluster's containers: servers, agents, and the commands that speak to them
#[derive(Debug, Parser)]
#[command(name = "sched", version, after_help = exit::HELP, max_term_width = 110, arg_required_else_help = true)]
pub struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

/// Flags that every command takes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Connection and output")]
struct Options {
    /// Servers' HTTP addresses, comma separated [env: SCHED_ADDR or NOMAD_ADDR] [default: http://127.0.0.1:4646]
    #[arg(long, global = true, value_name = "URLS")]
    address: Option<String>,
    /// Namespace of jobs, `*` for all [env: SCHED_NAMESPACE or NOMAD_NAMESPACE]
    #[arg(long, global = true, value_name = "NAME")]
    namespace: Option<String>,
    /// Region [env: SCHED_REGION or NOMAD_REGION]
    #[arg(long, global = true, value_name = "NAME")]
    region: Option<String>,
    /// Token sent with each request [env: SCHED_TOKEN or NOMAD_TOKEN]
    #[arg(long, global = true, value_name = "SECRET")]
    token: Option<String>,
    /// How long to wait for one answer
    #[arg(long, global = true, value_name = "DURATION", default_value = "30s", value_parser = crate::arguments::duration)]
    timeout: Duration,
    /// Print the API's JSON
    #[arg(long, global = true, alias = "json-output")]
    json: bool,
    /// Print full ids and absolute times
    #[arg(long, global = true)]
    verbose: bool,
    /// No colours, also on a terminal
    #[arg(long, global = true, conflicts_with = "force_color")]
    no_color: bool,
    /// Colours, also into a pipe
    #[arg(long, global = true)]
    force_color: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a server and/or a client agent in this process
    Agent(Box<agent::Args>),
    /// Run, change and explain jobs
    #[command(subcommand)]
    Job(job::Command),
    /// Follow, promote and fail rolling updates
    #[command(subcommand)]
    Deployment(deployment::Command),
    /// Look at instances and their logs
    #[command(subcommand)]
    Alloc(alloc::Command),
    /// Look at nodes, drain them
    #[command(subcommand)]
    Node(node::Command),
    /// Move instances to better nodes where that pays
    #[command(subcommand)]
    Rebalance(rebalance::Command),
    /// Set up and change the servers of a cluster
    #[command(subcommand)]
    Server(server::Command),
    /// Take, check, compare and restore backups
    #[command(subcommand)]
    Snapshot(snapshot::Command),
    /// Look at the catalog of services
    #[command(subcommand)]
    Service(service::Command),
    /// Make, register and delete volumes of hosts
    #[command(subcommand)]
    Volume(volume::Command),
    /// Show what happens in the cluster, one sentence per event
    Events(events::Args),
    /// Show what is free, or what would fit if something were different
    Capacity(capacity::Args),
    /// Show the cluster on one page: leader, servers, nodes, jobs, what is blocked
    Status(status::Args),
    /// Show the release of this command and of the server
    Version(version::Args),
    /// Print the completion script of a shell
    Completion(completion::Args),
}

/// Runs the command to its end.
pub fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { options, command } = arguments;
    choose_colours(&options);
    match command {
        Command::Agent(args) => agent::start(*args, given(&options.region, "REGION")),
        Command::Completion(args) => completion::run(&args),
        command => {
            let session = connect(&options)?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(dispatch(command, &session))
        }
    }
}

async fn dispatch(command: Command, session: &Session) -> Result<Exit, Failure> {
    match command {
        Command::Job(command) => job::run(command, session).await,
        Command::Deployment(command) => deployment::run(command, session).await,
        Command::Alloc(command) => alloc::run(command, session).await,
        Command::Node(command) => node::run(command, session).await,
        Command::Rebalance(command) => rebalance::run(command, session).await,
        Command::Server(command) => server::run(command, session).await,
        Command::Snapshot(command) => snapshot::run(command, session).await,
        Command::Service(command) => service::run(command, session).await,
        Command::Volume(command) => volume::run(command, session).await,
        Command::Events(args) => events::run(&args, session).await,
        Command::Capacity(args) => capacity::run(&args, session).await,
        Command::Status(args) => status::run(&args, session).await,
        Command::Version(args) => version::run(&args, session).await,
        Command::Agent(_) | Command::Completion(_) => unreachable!("`run` takes these, they need no server"),
    }
}

fn connect(options: &Options) -> Result<Session, Failure> {
    let addresses = given(&options.address, "ADDR").unwrap_or_else(|| DEFAULT_ADDRESS.into());
    let client = Client::new(&addresses)?
        .with_namespace(given(&options.namespace, "NAMESPACE"))
        .with_region(given(&options.region, "REGION"))
        .with_token(given(&options.token, "TOKEN"))
        .with_timeout(options.timeout);
    Ok(Session { client, json: options.json, verbose: options.verbose })
}

/// A setting from its flag, or else from the environment.
fn given(flag: &Option<String>, name: &str) -> Option<String> {
    flag.clone().or_else(|| environment(name))
}

/// A setting from the environment: our name for it, or else Nomad's. An empty value counts as none.
fn environment(name: &str) -> Option<String> {
    ["SCHED_", "NOMAD_"]
        .iter()
        .find_map(|prefix| std::env::var(format!("{prefix}{name}")).ok().filter(|value| !value.is_empty()))
}

/// A duration as it is written.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "a duration is written as `90s`, `15m` or `1h30m`".into())
}

fn choose_colours(options: &Options) {
    if options.no_color {
        anstream::ColorChoice::Never.write_global();
    } else if options.force_color {
        anstream::ColorChoice::Always.write_global();
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn a_duration_is_a_number_with_a_unit() {
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(90 * 60)));
        assert!(duration("soon").unwrap_err().contains("90s"));
    }

    #[test]
    fn clap_finds_no_fault_in_the_tree_of_commands() {
        Arguments::command().debug_assert();
    }
}
