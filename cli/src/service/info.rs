//! `sched service info`.

use clap::Args as ClapArgs;

use crate::api::{ServiceInstance, ServicesOfNamespace, decode};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::{Call, path};
use crate::session::Session;
use crate::show::{Table, table::row, text};

/// Arguments of `service info`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The service's name
    service: String,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let answer = match session.client.call(Call::get(path(&["v1", "service", &args.service]))).await {
        Ok(answer) => answer.value,
        Err(error) if error.is_not_found() => return Err(none(args, session).await?),
        Err(error) => return Err(error.into()),
    };
    let mut instances: Vec<ServiceInstance> = decode(&answer)?;
    if instances.is_empty() {
        return Err(none(args, session).await?);
    }
    if session.print_json(&answer)? {
        return Ok(Exit::Done);
    }
    instances.sort_by(|left, right| (&left.job_id, &left.alloc_id).cmp(&(&right.job_id, &right.alloc_id)));
    let mut table = Table::new(&["Job ID", "Address", "Tags", "Node ID", "Alloc ID"]);
    for one in &instances {
        let host = if one.address.contains(':') { format!("[{}]", one.address) } else { one.address.clone() };
        let tags = format!("[{}]", one.tags.join(","));
        table.row(row![
            &one.job_id,
            format!("{host}:{}", one.port),
            tags,
            session.id(&one.node_id),
            session.id(&one.alloc_id)
        ]);
    }
    table.print_or("No instances");
    Ok(Exit::Done)
}

/// Nothing passes: either nothing is called so, or its instances fail.
async fn none(args: &Args, session: &Session) -> Result<Failure, Failure> {
    let namespaces: Vec<ServicesOfNamespace> = session.client.read(Call::get("/v1/services")).await?;
    let names = || namespaces.iter().flat_map(|one| &one.services).map(|service| service.service_name.as_str());
    let failure = Failure::new(format!("service `{}` has no passing instance", args.service));
    Ok(match (names().any(|name| name == args.service), text::nearest(&args.service, names())) {
        (false, Some(name)) => failure.hint(format!("did you mean `{name}`?")),
        _ => failure.hint("`sched service list` lists the services; `sched alloc status` shows checks that fail"),
    })
}
