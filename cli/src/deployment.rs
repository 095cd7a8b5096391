//! `sched deployment`: one file per subcommand, and the block that shows a deployment.

mod fail;
mod list;
mod promote;
mod status;

use clap::Subcommand;

use crate::api::Deployment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{self, Cell, Pairs, Table, Tone, table::row, time};

/// What can be done with deployments.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the deployments
    List(list::Args),
    /// Show a deployment, and follow it with -monitor
    Status(status::Args),
    /// Give a deployment up; its job goes back where auto_revert says so
    Fail(fail::Args),
    /// Let a deployment go on after its canaries
    Promote(promote::Args),
}

/// Runs the subcommand.
pub async fn run(command: Command, session: &Session) -> Result<Exit, Failure> {
    match command {
        Command::List(args) => list::run(&args, session).await,
        Command::Status(args) => status::run(&args, session).await,
        Command::Fail(args) => fail::run(&args, session).await,
        Command::Promote(args) => promote::run(&args, session).await,
    }
}

/// Prints a deployment under a heading.
pub fn print(deployment: &Deployment, session: &Session, heading: &str) {
    show::heading(heading);
    print_pairs(deployment, session, false);
    print_groups(deployment, session);
}

fn print_pairs(deployment: &Deployment, session: &Session, with_job: bool) {
    let mut pairs = Pairs::new();
    pairs.add("ID", session.id(&deployment.id));
    if with_job {
        pairs.add("Job ID", &deployment.job_id);
        pairs.add("Job Version", deployment.job_version);
    }
    pairs.add("Status", Cell::status(&deployment.status));
    pairs.add("Description", &deployment.status_description);
    pairs.print();
}

fn print_groups(deployment: &Deployment, session: &Session) {
    show::heading("Deployed");
    let groups = || deployment.task_groups.values();
    let (reverts, canaries) =
        (groups().any(|group| group.auto_revert), groups().any(|group| group.desired_canaries > 0));
    let mut columns = vec!["Task Group"];
    if reverts {
        columns.push("Auto Revert");
    }
    if canaries {
        columns.push("Promoted");
    }
    columns.push("Desired");
    if canaries {
        columns.push("Canaries");
    }
    columns.extend(["Placed", "Healthy", "Unhealthy", "Progress Deadline"]);
    let mut table = Table::new(&columns);
    for (name, group) in &deployment.task_groups {
        let unhealthy = if group.unhealthy_allocs > 0 { Tone::Bad } else { Tone::Plain };
        let deadline = time::parse(&group.require_progress_by).filter(|_| deployment.is_active());
        let deadline = deadline.map_or("N/A".into(), |deadline| session.time(deadline));
        let mut cells = vec![Cell::from(name)];
        if reverts {
            cells.push(group.auto_revert.into());
        }
        if canaries {
            cells.push(if group.desired_canaries == 0 { "N/A".into() } else { group.promoted.into() });
        }
        cells.push(group.desired_total.into());
        if canaries {
            cells.push(group.desired_canaries.into());
        }
        cells.extend(row![
            group.placed_allocs,
            group.healthy_allocs,
            Cell::toned(group.unhealthy_allocs.to_string(), unhealthy),
            deadline
        ]);
        table.row(cells);
    }
    table.print_or("No groups");
}
