//! `sched deployment list`.

use clap::Args as ClapArgs;

use crate::api::{Deployment, decode};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::Call;
use crate::session::Session;
use crate::show::{Cell, Table, table::row};

/// Arguments of `deployment list`.
#[derive(ClapArgs, Debug)]
pub struct Args {}

/// Runs it.
pub async fn run(_: &Args, session: &Session) -> Result<Exit, Failure> {
    let answer = session.client.call(Call::get("/v1/deployments")).await?.value;
    if session.print_json(&answer)? {
        return Ok(Exit::Done);
    }
    let mut deployments: Vec<Deployment> = decode(&answer)?;
    deployments.sort_by_key(|one| std::cmp::Reverse(one.create_index));
    let mut table = Table::new(&["ID", "Job ID", "Job Version", "Status", "Description"]);
    for one in &deployments {
        let status = Cell::status(&one.status);
        table.row(row![session.id(&one.id), &one.job_id, one.job_version, status, &one.status_description]);
    }
    table.print_or("No deployments");
    Ok(Exit::Done)
}
