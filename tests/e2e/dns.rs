//! DNS as a user asks it: through `dig`.

use std::net::SocketAddr;
use std::process::Command;

use super::command::run;

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// `NOERROR`, `NXDOMAIN`, ...; empty without an answer.
    pub status: String,
    /// The data of the records in the answer, sorted, such as `127.0.0.11` or `1 1 20000 name.`.
    pub records: Vec<String>,
    /// The data of address records in the additional section, sorted.
    pub additional: Vec<String>,
    /// Everything, for messages.
    pub text: String,
}

/// Asks once. `options` are dig's, such as `+tcp`.
pub fn ask(server: SocketAddr, name: &str, kind: &str, options: &[&str]) -> Answer {
    let (at, port) = (format!("@{}", server.ip()), server.port().to_string());
    let mut dig = Command::new("dig");
    dig.args(["+time=2", "+tries=1", "+nocmd", &at, "-p", &port, name, kind]).args(options);
    let text = run(&mut dig).stdout;
    let status = text.split_once("status: ").map(|(_, rest)| rest.split(',').next().unwrap_or_default().to_owned());
    Answer {
        status: status.unwrap_or_default(),
        records: section(&text, ";; ANSWER SECTION:", kind),
        additional: section(&text, ";; ADDITIONAL SECTION:", "A"),
        text,
    }
}

fn section(text: &str, heading: &str, kind: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|line| *line != heading).skip(1);
    let mut records: Vec<String> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            (words.get(3) == Some(&kind)).then(|| words[4..].join(" "))
        })
        .collect();
    records.sort();
    records
}
