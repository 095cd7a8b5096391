//! `sched job plan`: what running a job would change, without changing it.

use clap::Args as ClapArgs;
use serde_json::json;

use crate::api::{Plan, decode};
use crate::exit::{self, Exit};
use crate::failure::Failure;
use crate::follow;
use crate::http::{Call, path};
use crate::jobspec::{self, JobFile};
use crate::session::Session;
use crate::show::{self, Table, Tone, table::row, text};

/// Arguments of `job plan`.
#[derive(ClapArgs, Debug)]
#[command(after_help = exit::HELP_PLAN)]
pub struct Args {
    #[command(flatten)]
    file: JobFile,
    /// Show the difference to what runs now
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true",
          require_equals = true, value_name = "BOOL")]
    diff: bool,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let jobspec = jobspec::read(&args.file, session)?;
    let request = json!({ "Job": jobspec.job, "Diff": args.diff });
    let call = jobspec.within(Call::put(path(&["v1", "job", jobspec.id(), "plan"]), &request));
    let answer = session.client.call(call).await?.value;
    let plan: Plan = decode(&answer)?;
    let exit = if plan.changes() { Exit::Changes } else { Exit::Done };
    if session.print_json(&answer)? {
        return Ok(exit);
    }
    if args.diff {
        super::diff::print(&plan.diff, session.verbose);
        show::line("");
    }
    print_effects(&plan);
    print_placements(&plan);
    let warnings = jobspec.new_warnings(&plan.warnings);
    if !warnings.is_empty() {
        show::warning(&warnings);
    }
    show::line(format_args!("Job Modify Index: {}", plan.job_modify_index));
    show::hint(format_args!(
        "run exactly this with `sched job run -check-index {} {}`",
        plan.job_modify_index,
        text::escape(&args.file.words())
    ));
    Ok(exit)
}

fn print_effects(plan: &Plan) {
    for (group, updates) in &plan.annotations.updates {
        let effects: Vec<String> = updates
            .named()
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| format!("{count} {name}"))
            .collect();
        let effects = if effects.is_empty() { "nothing".into() } else { effects.join(", ") };
        show::line(format_args!("Group {}: {effects}", Tone::Bold.paint(&text::escape(group))));
    }
    if plan.failed_groups.is_empty() {
        show::line("All instances would be placed.");
    } else {
        show::line(Tone::Bad.paint("Not all instances would be placed:"));
        for (group, metric) in &plan.failed_groups {
            follow::unplaced_lines(group, metric).iter().for_each(show::line);
        }
    }
}

fn print_placements(plan: &Plan) {
    if !plan.placements.is_empty() {
        let mut table = Table::new(&["Instance", "Would run on"]);
        for placement in &plan.placements {
            table.row(row![&placement.name, &placement.node_name]);
        }
        show::line(table);
    }
    if !plan.preemptions.is_empty() {
        show::line(Tone::Bad.paint("Instances of other jobs would end to make room:"));
        let mut table = Table::new(&["Instance", "Runs on", "Ends for"]);
        for one in &plan.preemptions {
            table.row(row![&one.name, &one.node_name, &one.by]);
        }
        show::line(table);
    }
}
