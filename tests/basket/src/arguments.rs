//! The command line of `basket`: text in, one `Mode` out. Called by `main`, and does nothing else.

use crate::http::Target;

/// What `--help` prints, and what follows a mistake.
pub const USAGE: &str = "\
usage: basket                  serve on PORT, else NOMAD_PORT_http, else 8080
       basket --once [--code N] print one line and exit with N (default 0)
       basket --probe URL      fetch the URL every second and log the answer, until SIGTERM";

/// What this process is to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Mode {
    /// Serve HTTP until SIGTERM.
    Serve,
    /// Print one line and exit with this code: the shape of a batch task.
    Once {
        /// The exit code.
        code: u8,
    },
    /// Fetch this every second until SIGTERM: the shape of a client beside the service.
    Probe {
        /// What to fetch.
        target: Target,
    },
    /// Print the usage.
    Help,
}

/// Reads the arguments after the program's name; the error is a sentence for the user.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Mode, String> {
    let mut arguments = arguments.into_iter();
    let (mut once, mut code, mut target) = (false, None, None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => return Ok(Mode::Help),
            "--once" => once = true,
            "--code" => {
                let value = arguments.next().ok_or("--code needs a number from 0 to 255")?;
                code = Some(value.parse().map_err(|_| format!("--code {value:?} is not a number from 0 to 255"))?);
            }
            "--probe" => {
                let url = arguments.next().ok_or("--probe needs a URL")?;
                target = Some(Target::parse(&url)?);
            }
            other => return Err(format!("unknown argument {other:?}")),
        }
    }
    match (once, code, target) {
        (false, None, None) => Ok(Mode::Serve),
        (true, code, None) => Ok(Mode::Once { code: code.unwrap_or(0) }),
        (false, None, Some(target)) => Ok(Mode::Probe { target }),
        (false, Some(_), _) => Err("--code belongs to --once".into()),
        (true, _, Some(_)) => Err("--once and --probe exclude each other".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Mode, String> {
        parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn each_mode_has_its_arguments() {
        assert_eq!(of(""), Ok(Mode::Serve));
        assert_eq!(of("--once"), Ok(Mode::Once { code: 0 }));
        assert_eq!(of("--once --code 3"), Ok(Mode::Once { code: 3 }));
        assert!(matches!(of("--probe http://127.0.0.1:80/x"), Ok(Mode::Probe { .. })));
    }

    #[test]
    fn mistakes_are_named() {
        for (line, part) in [
            ("--code 3", "belongs to --once"),
            ("--once --code 256", "not a number from 0 to 255"),
            ("--once --code", "needs a number"),
            ("--probe", "needs a URL"),
            ("--probe https://x", "http://"),
            ("--once --probe http://x", "exclude"),
            ("--bogus", "unknown argument"),
        ] {
            let error = of(line).expect_err(line);
            assert!(error.contains(part), "{line}: {error}");
        }
    }
}
