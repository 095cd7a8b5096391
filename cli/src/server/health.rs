//! `sched server health`: how each server does, as the leader sees it, how many may fail, and the alarms that the server
//! that answers has raised.

use clap::Args as ClapArgs;
use serde_json::Value;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::{Call, Error};
use crate::session::Session;
use crate::show::{self, Cell, Pairs, Table, Tone, table::row, text, time};

/// Arguments of `server health`.
#[derive(ClapArgs, Debug)]
pub struct Args {}

/// The status with which the API answers while a server is not well.
const UNHEALTHY: u16 = 429;

/// Runs it.
pub async fn run(_: &Args, session: &Session) -> Result<Exit, Failure> {
    let answer = match session.client.call(Call::get("/v1/operator/autopilot/health")).await {
        Ok(answer) => answer.value,
        Err(Error::Refused { status, body, .. }) if status.as_u16() == UNHEALTHY => {
            serde_json::from_str(&body).map_err(|error| Failure::new(format!("the answer is not JSON: {error}")))?
        }
        Err(error) => return Err(error.into()),
    };
    let healthy = answer["Healthy"] == true;
    if !session.print_json(&answer)? {
        print(&answer, healthy);
        print_alarms(&session.client.call(Call::get("/v1/operator/alarms")).await?.value);
    }
    Ok(if healthy { Exit::Done } else { Exit::Failed })
}

fn print(answer: &Value, healthy: bool) {
    let of = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let tolerance = answer["FailureTolerance"].as_u64().unwrap_or(0);
    let mut pairs = Pairs::new();
    pairs.add("Healthy", Cell::toned(healthy.to_string(), if healthy { Tone::Good } else { Tone::Bad }));
    pairs.add("May fail", text::count(tolerance, "server"));
    pairs.print();
    show::line("");
    let mut table =
        Table::new(&["ID", "Name", "Address", "Status", "Leader", "Voter", "Last Contact", "Last Index", "Healthy"]);
    for server in answer["Servers"].as_array().into_iter().flatten() {
        let well = server["Healthy"] == true;
        table.row(row![
            of(&server["ID"]),
            of(&server["Name"]),
            of(&server["Address"]),
            Cell::status(&of(&server["SerfStatus"])),
            of(&server["Leader"]),
            of(&server["Voter"]),
            of(&server["LastContact"]),
            of(&server["LastIndex"]),
            Cell::toned(well.to_string(), if well { Tone::Good } else { Tone::Bad })
        ]);
    }
    table.print_or("No servers");
    if tolerance == 0 {
        show::warning("no server may fail now: with one more gone, nothing can be changed");
    }
}

/// What must never be, and was. Nothing is printed where there is none of it.
fn print_alarms(answer: &Value) {
    let raised = answer["Raised"].as_u64().unwrap_or(0);
    if raised == 0 {
        return;
    }
    show::line("");
    let mut table = Table::new(&["Time", "Index", "Invariant", "What"]);
    let now = time::now();
    for alarm in answer["Alarms"].as_array().into_iter().flatten() {
        table.row(row![
            time::ago(alarm["Time"].as_i64().unwrap_or_default(), now),
            &alarm["Index"].to_string(),
            alarm["Invariant"].as_str().unwrap_or_default(),
            alarm["What"].as_str().unwrap_or_default()
        ]);
    }
    table.print_or("No alarms are kept");
    let count = text::count(raised, "alarm");
    show::warning(&format!("{count} since this server started: please report it, with the log of the servers"));
}
