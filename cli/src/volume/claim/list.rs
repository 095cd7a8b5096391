//! `sched volume claim list`.

use clap::Args as ClapArgs;

use crate::api::{VolumeClaim, decode};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::Call;
use crate::session::Session;
use crate::show::{Table, table::row};

/// Arguments of `volume claim list`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// Those of the job of that name
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
    /// Those of groups of that name
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Those to volumes of that name
    #[arg(long, value_name = "NAME")]
    volume_name: Option<String>,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let mut call = Call::get("/v1/volumes/claims");
    let asked = [("job_id", &args.job), ("task_group", &args.group), ("volume_name", &args.volume_name)];
    for (name, value) in asked {
        if let Some(value) = value {
            call = call.query(name, value);
        }
    }
    let answer = session.client.call(call).await?.value;
    if session.print_json(&answer)? {
        return Ok(Exit::Done);
    }
    let claims: Vec<VolumeClaim> = decode(&answer)?;
    let mut table = Table::new(&["ID", "Namespace", "Instance", "Group", "Volume Name", "Node ID"]);
    for claim in &claims {
        table.row(row![
            session.id(&claim.id),
            &claim.namespace,
            format!("{}[{}]", claim.job_id, claim.index),
            &claim.task_group_name,
            &claim.volume_name,
            session.id(&claim.node_id)
        ]);
    }
    table.print_or("No volume claims");
    Ok(Exit::Done)
}
