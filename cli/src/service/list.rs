//! `sched service list`.

use clap::Args as ClapArgs;

use crate::api::{ServicesOfNamespace, decode};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::Call;
use crate::session::Session;
use crate::show::{Table, table::row};

/// Arguments of `service list`.
#[derive(ClapArgs, Debug)]
pub struct Args {}

/// Runs it.
pub async fn run(_: &Args, session: &Session) -> Result<Exit, Failure> {
    let answer = session.client.call(Call::get("/v1/services")).await?.value;
    if session.print_json(&answer)? {
        return Ok(Exit::Done);
    }
    let namespaces: Vec<ServicesOfNamespace> = decode(&answer)?;
    let all = session.client.namespace() == Some("*");
    let columns: &[&str] = if all { &["Service Name", "Namespace", "Tags"] } else { &["Service Name", "Tags"] };
    let mut table = Table::new(columns);
    for namespace in &namespaces {
        for service in &namespace.services {
            let tags = format!("[{}]", service.tags.join(","));
            match all {
                true => table.row(row![&service.service_name, &namespace.namespace, tags]),
                false => table.row(row![&service.service_name, tags]),
            }
        }
    }
    table.print_or("No services");
    Ok(Exit::Done)
}
