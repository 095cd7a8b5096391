//! `sched rebalance plan`: which moves would pay, what they bring and what they disturb, without moving anything.

use clap::Args as ClapArgs;

use super::Ask;
use crate::api::{Balance, RebalancePlan, decode};
use crate::exit::{self, Exit};
use crate::failure::Failure;
use crate::http::Call;
use crate::session::Session;
use crate::show::{self, Pairs, Table, text};

/// Arguments of `rebalance plan`.
#[derive(ClapArgs, Debug)]
#[command(after_help = exit::HELP_REBALANCE_PLAN)]
pub struct Args {
    #[command(flatten)]
    ask: Ask,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let request = args.ask.request(session).await?;
    let answer = session.client.call(Call::put("/v1/rebalance/plan", &request)).await?.value;
    let plan: RebalancePlan = decode(&answer)?;
    let exit = if plan.moves.is_empty() { Exit::Done } else { Exit::Changes };
    if session.print_json(&answer)? {
        return Ok(exit);
    }
    print(&plan);
    if exit == Exit::Changes {
        show::hint(format_args!(
            "do exactly this with `sched rebalance apply -check-index {} {}`",
            plan.check_index,
            args.ask.words()
        ));
    }
    Ok(exit)
}

/// Prints a plan: its moves, the balance before and after, what it disturbs, and what is kept back.
pub fn print(plan: &RebalancePlan) {
    let mut table = Table::new(&["Instance", "From", "To", "Gain"]);
    for planned in &plan.moves {
        table.row(show::table::row![&planned.name, &planned.from, &planned.to, &planned.gain]);
    }
    table.print_or("No move would pay.");
    if !plan.moves.is_empty() {
        show::line("");
        balance(&plan.before, &plan.after).print();
        let disrupted = plan.disruptions.iter().map(|one| format!("{} {}", text::escape(&one.job_id), one.moves));
        show::line(format_args!("\nInstances replaced, by job: {}", disrupted.collect::<Vec<_>>().join(", ")));
    }
    if !plan.kept_back.is_empty() {
        show::heading("Kept back");
        let mut table = Table::new(&["Job", "Instances", "Reason"]);
        for held in &plan.kept_back {
            table.row(show::table::row![&held.job_id, held.count, &held.reason]);
        }
        show::line(table);
    }
    if plan.cut_short {
        show::note(format!(
            "a limit ended the search after {}; there may be more",
            text::count(plan.looked_at, "look")
        ));
    }
}

/// The balance before and after, what differs.
fn balance(before: &Balance, after: &Balance) -> Pairs {
    let mut pairs = Pairs::new();
    let change = |before: String, after: String| if before == after { before } else { format!("{before} -> {after}") };
    pairs.add("Out of place", change(before.out_of_place.to_string(), after.out_of_place.to_string()));
    pairs.add("Beside own group", change(before.crowded.to_string(), after.crowded.to_string()));
    pairs.add("Nodes in use", change(before.nodes_used.to_string(), after.nodes_used.to_string()));
    let percent = |percent: f64| format!("{percent:.1}%");
    pairs.add("Fullest node", change(percent(before.fullest_percent), percent(after.fullest_percent)));
    pairs.add("Emptiest node", change(percent(before.emptiest_percent), percent(after.emptiest_percent)));
    if let (Some(before), Some(after)) = (before.left, after.left) {
        pairs.add("Left on the node", change(before.to_string(), after.to_string()));
    }
    pairs
}
