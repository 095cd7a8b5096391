//! What every command that speaks to a server is given: the connection and how to print.

use std::io::Write;

use serde_json::Value;

use crate::failure::Failure;
use crate::http::Client;
use crate::show;

/// The connection and the choices that hold for all commands.
#[derive(Debug)]
pub struct Session {
    /// The way to the servers.
    pub client: Client,
    /// Print the API's JSON instead of text.
    pub json: bool,
    /// Full ids and absolute times.
    pub verbose: bool,
}

impl Session {
    /// Eight characters of an id, or all with -verbose.
    pub fn id<'a>(&self, id: &'a str) -> &'a str {
        if self.verbose { id } else { show::text::short(id) }
    }

    /// A time as the tables show it: `5m3s ago`, or the date with -verbose.
    pub fn time(&self, nanoseconds: i64) -> String {
        match (nanoseconds, self.verbose) {
            (..=0, _) => "-".into(),
            (_, true) => show::time::date(nanoseconds),
            (_, false) => show::time::ago(nanoseconds, show::time::now()),
        }
    }

    /// Prints the JSON if it was asked for, and says whether it did.
    pub fn print_json(&self, value: &Value) -> Result<bool, Failure> {
        if self.json {
            show::json(value)?;
        }
        Ok(self.json)
    }

    /// Asks a yes-or-no question on the terminal. Where nobody can answer, it is a failure that names the flag.
    pub fn confirm(&self, question: &str) -> Result<bool, Failure> {
        use std::io::IsTerminal;
        if !std::io::stdin().is_terminal() {
            return Err(Failure::new(format!("{question} Nobody is here to answer"))
                .hint("say -yes to do it without being asked"));
        }
        let mut terminal = anstream::stderr();
        write!(terminal, "{} [y/N] ", show::text::escape(question))?;
        terminal.flush()?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
    }
}
