//! `sched completion`: the completion script of a shell, made from the same tree of commands that is parsed.

use clap::{Args as ClapArgs, CommandFactory};
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::show;

/// Arguments of `completion`.
#[derive(ClapArgs, Debug)]
#[command(after_help = "Load it with, for example:  source <(sched completion bash)")]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Runs it.
pub fn run(args: &Args) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "sched", &mut script);
    show::line(String::from_utf8_lossy(&script).trim_end());
    Ok(Exit::Done)
}
