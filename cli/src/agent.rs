//! `sched agent`: reads flags and configuration files, then becomes a server and/or a client agent.

mod run;

pub use run::{AGENT_TOKEN_FILE, FolderLock, NAME_FILE, chain};

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::config::{self, Config};
use crate::exit::Exit;
use crate::failure::Failure;

/// Arguments of `agent`. A flag wins over the configuration files.
#[derive(ClapArgs, Debug, Default)]
pub struct Args {
    /// A configuration file, or a folder of `.hcl` files; may be repeated, later ones win
    #[arg(long, value_name = "PATH")]
    config: Vec<PathBuf>,
    /// A server and a client agent on loopback, ready to use, without a configuration file
    #[arg(long)]
    dev: bool,
    /// With -dev: forget the state and remove the containers at the end
    #[arg(long, requires = "dev")]
    ephemeral: bool,
    /// Be a server
    #[arg(long)]
    server: bool,
    /// Be a client agent, which runs containers
    #[arg(long)]
    client: bool,
    /// Where state is kept
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// The name of this process in the cluster [default: the host's name]
    #[arg(long, alias = "node", value_name = "NAME")]
    name: Option<String>,
    /// The address on which all ports are opened
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<String>,
    /// The datacenter
    #[arg(long = "dc", value_name = "NAME")]
    datacenter: Option<String>,
    /// Servers to join or to connect to, comma separated; may be repeated
    #[arg(long, alias = "servers", value_delimiter = ',', value_name = "ADDRESSES")]
    join: Vec<String>,
    /// The token that `sched server join` printed
    #[arg(long, value_name = "TOKEN")]
    join_token: Option<String>,
    /// The pool of this node
    #[arg(long, value_name = "NAME")]
    node_pool: Option<String>,
    /// The class of this node
    #[arg(long, value_name = "NAME")]
    node_class: Option<String>,
    /// Free key-value pairs of this node; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    meta: Vec<String>,
    /// trace, debug, info, warn or error
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
    /// Log in JSON
    #[arg(long)]
    log_json: bool,
}

/// Reads the configuration and runs until told to stop.
pub fn start(args: Args, region: Option<String>) -> Result<Exit, Failure> {
    run::run(configure(args, region)?)
}

/// The complete configuration: files, then flags, then defaults.
fn configure(args: Args, region: Option<String>) -> Result<Config, Failure> {
    let mut config = config::read(&args.config)?;
    if args.dev {
        config.make_dev(args.ephemeral)?;
    }
    config.server.enabled |= args.server;
    config.client.enabled |= args.client;
    config.log_json |= args.log_json;
    set(&mut config.data_dir, args.data_dir.map(Some));
    set(&mut config.name, args.name);
    set(&mut config.bind, args.bind);
    set(&mut config.datacenter, args.datacenter);
    set(&mut config.region, region);
    set(&mut config.log_level, args.log_level);
    set(&mut config.join_token, args.join_token.map(Some));
    set(&mut config.client.node_pool, args.node_pool);
    set(&mut config.client.node_class, args.node_class);
    if config.server.enabled {
        config.server.join.extend(args.join.iter().cloned());
    }
    if config.client.enabled {
        config.client.servers.extend(args.join);
    }
    for pair in &args.meta {
        let (key, value) =
            pair.split_once('=').ok_or_else(|| Failure::new(format!("-meta {pair}: it is not KEY=VALUE")))?;
        config.client.meta.insert(key.to_owned(), value.to_owned());
    }
    config.check()?;
    Ok(config)
}

fn set<T>(field: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *field = given;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dev_needs_nothing_else() {
        let config = configure(Args { dev: true, ephemeral: true, ..Args::default() }, None).unwrap();
        assert!(config.server.enabled && config.client.enabled && config.dev && config.ephemeral);
        assert_eq!(config.bind, "127.0.0.1");
        assert!(config.data_dir.is_some());
    }

    #[test]
    fn flags_win_over_defaults() {
        let args = Args {
            server: true,
            data_dir: Some("/var/lib/x".into()),
            name: Some("s1".into()),
            join: vec!["10.0.0.1".into(), "10.0.0.2".into()],
            ..Args::default()
        };
        let config = configure(args, Some("eu".into())).unwrap();
        assert_eq!((config.name.as_str(), config.region.as_str()), ("s1", "eu"));
        assert_eq!(config.server.join, ["10.0.0.1", "10.0.0.2"]);
        assert!(config.client.servers.is_empty());
    }

    #[test]
    fn without_a_role_it_says_how_to_choose_one() {
        let failure = configure(Args::default(), None).unwrap_err().to_string();
        assert!(failure.contains("neither a server nor a client") && failure.contains("-dev"), "{failure}");
    }
}
