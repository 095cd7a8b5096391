//! `sched volume status`: the list of volumes, or one with what uses it.

use clap::Args as ClapArgs;

use crate::api::{Volume, decode};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::find;
use crate::http::{Call, path};
use crate::session::Session;
use crate::show::{self, Cell, Pairs, Table, table::row};

/// Arguments of `volume status`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The volume's name or id, or the beginning of the id; all volumes unless given
    volume: Option<String>,
    /// Those of the node whose id begins so
    #[arg(long, value_name = "ID")]
    node: Option<String>,
    /// Those of the pool of that name
    #[arg(long, value_name = "NAME")]
    node_pool: Option<String>,
    /// The key-value block only
    #[arg(long)]
    short: bool,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let Some(given) = &args.volume else { return list(args, session).await };
    let found = find::volume(session, given).await?;
    let answer = session.client.call(Call::get(path(&["v1", "volume", "host", &found.id]))).await?.value;
    if session.print_json(&answer)? {
        return Ok(Exit::Done);
    }
    let volume: Volume = decode(&answer)?;
    let mut pairs = Pairs::new();
    pairs.add("ID", &volume.id);
    pairs.add("Name", &volume.name);
    pairs.add("Namespace", &volume.namespace);
    pairs.add("Plugin ID", &volume.plugin_id);
    pairs.add("Node ID", &volume.node_id);
    pairs.add("Node Pool", &volume.node_pool);
    pairs.add("State", Cell::status(&volume.state));
    pairs.add("Host Path", &volume.host_path);
    let uses = volume.requested_capabilities.iter();
    let uses: Vec<String> = uses.map(|one| format!("{} as {}", one.access_mode, one.attachment_mode)).collect();
    pairs.add("Capabilities", uses.join(", "));
    pairs.print();
    if !args.short {
        show::heading("Allocations");
        crate::job::print_allocations(&volume.allocations, session);
    }
    Ok(Exit::Done)
}

async fn list(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let mut call = Call::get("/v1/volumes").query("type", "host");
    if let Some(node) = &args.node {
        call = call.query("node_id", node);
    }
    if let Some(pool) = &args.node_pool {
        call = call.query("node_pool", pool);
    }
    let answer = session.client.call(call).await?.value;
    if session.print_json(&answer)? {
        return Ok(Exit::Done);
    }
    let mut volumes: Vec<Volume> = decode(&answer)?;
    volumes.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    let mut table = Table::new(&["ID", "Name", "Namespace", "Plugin ID", "Node ID", "Node Pool", "State"]);
    for volume in &volumes {
        let mut cells = Vec::from(row![
            session.id(&volume.id),
            &volume.name,
            &volume.namespace,
            &volume.plugin_id,
            session.id(&volume.node_id),
            &volume.node_pool
        ]);
        cells.push(Cell::status(&volume.state));
        table.row(cells);
    }
    table.print_or("No volumes");
    Ok(Exit::Done)
}
