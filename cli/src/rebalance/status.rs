//! `sched rebalance status`: how far the rebalance is that runs, or how the last one ended.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args as ClapArgs;

use crate::api::{Rebalance, RebalanceMove, decode};
use crate::exit::{self, Exit};
use crate::failure::Failure;
use crate::http::{Call, Error};
use crate::session::Session;
use crate::show::{self, Cell, Pairs, Table, Tone, text, time};

/// Pause between two looks at the progress.
const LOOK_PAUSE: Duration = Duration::from_millis(500);
/// How long the servers may be out of reach before following ends.
const CONTACT_PATIENCE: Duration = Duration::from_secs(30);

/// Arguments of `rebalance status`.
#[derive(ClapArgs, Debug)]
#[command(after_help = exit::HELP_REBALANCE)]
pub struct Args {
    /// Show the progress until it is over
    #[arg(long)]
    monitor: bool,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    if args.monitor {
        return follow(None, session).await;
    }
    let answer = session.client.call(Call::get("/v1/rebalance")).await?.value;
    if session.print_json(&answer)? {
        return Ok(Exit::Done);
    }
    let rebalance: Rebalance = decode(&answer)?;
    if rebalance.status == "none" {
        show::line("No rebalance was begun.");
        return Ok(Exit::Done);
    }
    let mut pairs = Pairs::new();
    pairs.add("Rebalance", rebalance.rebalance);
    pairs.add("Goal", &rebalance.goal);
    pairs.add("Status", Cell::status(&rebalance.status));
    pairs.add_if("Description", &rebalance.description);
    pairs.add("Begun", session.time(rebalance.started_at));
    pairs.add("Moves over", format!("{} of {}", rebalance.over, rebalance.total));
    pairs.print();
    show::line("");
    let mut table = Table::new(&["Instance", "From", "To", "State", "Gain", "Detail"]);
    for one in &rebalance.moves {
        let state = Cell::status(&one.state);
        let cells = [&one.name, &one.from, &one.to].map(Cell::from);
        table.row(cells.into_iter().chain([state, Cell::from(&one.gain), Cell::from(&one.detail)]));
    }
    show::line(table);
    Ok(Exit::Done)
}

/// Shows the progress of the rebalance of that index, or of the one that is there, until it is over.
pub async fn follow(index: Option<u64>, session: &Session) -> Result<Exit, Failure> {
    tokio::select! {
        ended = watch(index, session) => ended,
        _ = tokio::signal::ctrl_c() => {
            show::hint("no longer watching; the rebalance goes on: `sched rebalance status -monitor`, \
                        `sched rebalance cancel`");
            Ok(Exit::Failed)
        }
    }
}

async fn watch(index: Option<u64>, session: &Session) -> Result<Exit, Failure> {
    let began = tokio::time::Instant::now();
    let mut contact = began;
    let mut said = Said::default();
    loop {
        match session.client.read::<Rebalance>(Call::get("/v1/rebalance")).await {
            Ok(rebalance) => {
                contact = tokio::time::Instant::now();
                if index.is_some_and(|index| index != rebalance.rebalance) {
                    return Err(Failure::new("another rebalance has begun since"));
                }
                said.news(&rebalance).iter().for_each(show::note);
                if let Some(ended) = ended(&rebalance, &time::took(began.elapsed())) {
                    let words = ended?;
                    if session.json {
                        show::note(words)
                    } else {
                        show::line(words)
                    }
                    return Ok(Exit::Done);
                }
            }
            Err(error @ (Error::Refused { .. } | Error::Nonsense { .. } | Error::Address { .. })) => {
                return Err(error.into());
            }
            Err(error) if contact.elapsed() > CONTACT_PATIENCE => return Err(error.into()),
            Err(_) => {}
        }
        tokio::time::sleep(LOOK_PAUSE).await;
    }
}

/// How a rebalance ended; none while it goes on.
fn ended(rebalance: &Rebalance, took: &str) -> Option<Result<String, Failure>> {
    let number = |state: &str| rebalance.moves.iter().filter(|one| one.state == state).count() as u64;
    let counts = format!("{} done, {} skipped", text::count(number("done"), "move"), number("skipped"));
    let why = || match rebalance.description.as_str() {
        "" => String::new(),
        why => format!(": {why}"),
    };
    match rebalance.status.as_str() {
        "running" | "cancelling" | "aborting" => None,
        "complete" => Some(Ok(Tone::Good.paint(&format!("rebalanced in {took}: {counts}")))),
        "none" => Some(Err(Failure::new("no rebalance was begun").hint("begin with `sched rebalance apply`"))),
        other => Some(Err(Failure::new(format!("the rebalance was {other}{}; {counts}", why())))),
    }
}

/// What was last said of each move, and how many were over.
#[derive(Default)]
struct Said {
    states: BTreeMap<String, String>,
    over: Option<u64>,
}

impl Said {
    /// The lines that tell what is new.
    fn news(&mut self, rebalance: &Rebalance) -> Vec<String> {
        let mut lines = Vec::new();
        for one in rebalance.moves.iter().filter(|one| one.state != "waiting") {
            let words = words(one);
            if self.states.get(&one.alloc_id) != Some(&words) {
                lines.push(format!("  {}", Tone::of_status(&one.state).paint(&words)));
                self.states.insert(one.alloc_id.clone(), words);
            }
        }
        if self.over != Some(rebalance.over) && rebalance.total > 0 {
            self.over = Some(rebalance.over);
            lines.push(Tone::Bold.paint(&format!("{}/{} over", rebalance.over, rebalance.total)));
        }
        lines
    }
}

fn words(one: &RebalanceMove) -> String {
    let detail = if one.detail.is_empty() { String::new() } else { format!(": {}", one.detail) };
    text::escape(&format!("{} {} -> {} {}{detail}", one.name, one.from, one.to, one.state))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::typed;

    fn rebalance(status: &str, state: &str, over: u64) -> Rebalance {
        typed(&json!({ "Status": status, "Rebalance": 7, "Total": 1, "Over": over, "Description": "why",
            "Moves": [{ "AllocID": "a", "Name": "web[0]", "From": "n1", "To": "n2", "State": state, "Detail": "" }] }))
        .unwrap()
    }

    #[test]
    fn only_news_is_told_and_nothing_of_what_waits() {
        let mut said = Said::default();
        let plain = |lines: Vec<String>| anstream::adapter::strip_str(&lines.join("|")).to_string();
        assert_eq!(plain(said.news(&rebalance("running", "waiting", 0))), "0/1 over");
        assert_eq!(plain(said.news(&rebalance("running", "moving", 0))), "  web[0] n1 -> n2 moving");
        assert_eq!(plain(said.news(&rebalance("running", "moving", 0))), "");
        assert_eq!(plain(said.news(&rebalance("complete", "done", 1))), "  web[0] n1 -> n2 done|1/1 over");
    }

    #[test]
    fn only_a_complete_one_is_a_success() {
        assert!(ended(&rebalance("running", "moving", 0), "3s").is_none());
        let words = ended(&rebalance("complete", "done", 1), "3s").unwrap().unwrap();
        assert_eq!(anstream::adapter::strip_str(&words).to_string(), "rebalanced in 3s: 1 move done, 0 skipped");
        for status in ["aborted", "cancelled", "none"] {
            assert!(ended(&rebalance(status, "failed", 1), "3s").unwrap().is_err(), "{status}");
        }
    }
}
