//! `sched job init`: a jobspec to start from.

use std::io::Write;

use clap::Args as ClapArgs;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::show::{self, text};

const EXAMPLE: &str = include_str!("init.hcl");

/// Arguments of `job init`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// Where it is written; a file that is there is left alone. `-` prints it
    #[arg(value_name = "FILE", default_value = "example.nomad.hcl")]
    file: String,
    /// Without comments
    #[arg(long)]
    short: bool,
}

/// Runs it.
pub fn run(args: &Args) -> Result<Exit, Failure> {
    let example = if args.short { without_comments(EXAMPLE) } else { EXAMPLE.to_owned() };
    if args.file == "-" {
        std::io::stdout().write_all(example.as_bytes())?;
        return Ok(Exit::Done);
    }
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::new("the file is there already").at(&args.file).hint("give another name: `sched job init FILE`")
        }
        _ => Failure::new(error.to_string()).at(&args.file),
    };
    let mut file = std::fs::File::create_new(&args.file).map_err(failed)?;
    file.write_all(example.as_bytes()).map_err(failed)?;
    let name = text::escape(&args.file);
    show::line(show::as_called(&format!("wrote {name}; run it with `sched job run {name}`")));
    Ok(Exit::Done)
}

/// The lines that are no comments, and never two empty ones in a row.
fn without_comments(text: &str) -> String {
    let mut short = String::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let follows_nothing = short.is_empty() || short.ends_with("\n\n") || short.ends_with("{\n");
        if !(line.is_empty() && follows_nothing) {
            short.push_str(line);
            short.push('\n');
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use jobspecs::{Inputs, Source};

    use super::*;

    #[test]
    fn what_one_starts_from_is_valid_and_laid_out_in_both_forms() {
        let short = without_comments(EXAMPLE);
        let jobs = [EXAMPLE, &short].map(|text| {
            let source = Source::new("example.nomad.hcl", text);
            let parsed = jobspecs::parse(&source, &Inputs::default()).unwrap_or_else(|wrong| panic!("{wrong}"));
            assert!(parsed.warnings.is_empty(), "{:?}", parsed.warnings);
            assert_eq!(jobspecs::format(&source).unwrap(), text);
            parsed.job
        });
        assert_eq!(jobs[0], jobs[1]);
        assert!(!short.contains('#') && !short.contains("\n\n\n"), "{short}");
    }
}
