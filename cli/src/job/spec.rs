//! `sched job spec`: the jobspec's vocabulary at the terminal.

use clap::Args as ClapArgs;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::show;

/// Arguments of `job spec`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// A block: its path from the job, such as `group.task.resources`, or its name alone
    #[arg(value_name = "BLOCK", default_value = "job")]
    block: String,
}

/// Runs it.
pub fn run(args: &Args) -> Result<Exit, Failure> {
    let text = jobspecs::describe(&args.block).map_err(|hint| {
        let failure = Failure::new(format!("jobspecs have no block `{}`", args.block));
        failure.hint(hint.unwrap_or("`sched job spec` shows the outermost block and what stands in it".into()))
    })?;
    show::line(text.trim_end());
    Ok(Exit::Done)
}
