//! Runs the binary and compares what it printed with a snapshot.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::fixture::Server;

/// What one run printed and how it ended.
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// Standard output, untouched.
    pub stdout: Vec<u8>,
    /// Standard output as text.
    pub out: String,
    /// Standard error as text.
    pub err: String,
}

/// Runs `sched` with the arguments, separated by spaces, against the addresses.
pub async fn sched(addresses: &str, arguments: &str) -> Ran {
    sched_with_input(addresses, arguments, "").await
}

/// The same with standard input.
pub async fn sched_with_input(addresses: &str, arguments: &str, input: &str) -> Ran {
    let mut child = command(addresses, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built for this test");
    let mut stdin = child.stdin.take().expect("it is piped");
    // A command that reads nothing closes the pipe, which is no fault.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = child.wait_with_output().await.expect("the child was started by us");
    Ran {
        code: output.status.code().expect("no signal ends it"),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
        stdout: output.stdout,
    }
}

/// The exit code where nobody reads what is printed.
pub async fn sched_unread(addresses: &str, arguments: &str) -> i32 {
    let (reader, writer) = std::io::pipe().expect("the system has a pipe left");
    drop(reader);
    let mut command = command(addresses, arguments);
    let status = command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::null()).status().await;
    status.expect("the binary was built for this test").code().expect("no signal ends it")
}

/// The binary with its arguments, in the tests' folder and without anything of this environment.
pub fn command(addresses: &str, arguments: &str) -> Command {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sched"));
    command
        .args(arguments.split(' ').filter(|argument| !argument.is_empty()))
        .env_clear()
        .envs([("SCHED_ADDR", addresses), ("TZ", "UTC"), ("HOME", "/nonexistent")])
        .current_dir(folder)
        .kill_on_drop(true);
    command
}

/// Runs each line against the server and compares everything with the snapshot of that name.
pub async fn check(name: &str, server: &Server, lines: &[&str]) {
    let mut text = String::new();
    for line in lines {
        let ran = sched(&server.url(), line).await;
        write_run(&mut text, line, &ran, server);
    }
    compare(name, &text);
}

/// Adds a run to the text of a snapshot.
pub fn write_run(text: &mut String, line: &str, ran: &Ran, server: &Server) {
    let normal = |text: &str| normalise(&text.replace(&server.url(), "http://server"));
    if !text.is_empty() {
        text.push('\n');
    }
    let _ = writeln!(text, "$ sched {line}");
    text.push_str(&normal(&ran.out));
    for err in normal(&ran.err).lines() {
        let _ = writeln!(text, "! {err}");
    }
    let _ = writeln!(text, "[exit {}]", ran.code);
}

/// Compares with the snapshot, or rewrites it where UPDATE is set.
#[track_caller]
pub fn compare(name: &str, got: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cli/snapshots/{name}.txt"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, got).expect("the snapshot can be written");
        return;
    }
    let wanted = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        got == wanted,
        "{name} is not as in {} (UPDATE=1 rewrites it)\n--- wanted\n{wanted}\n--- got\n{got}",
        file.display()
    );
}

/// Durations in seconds become `_ s`, so that a slow machine prints the same.
fn normalise(text: &str) -> String {
    let mut normal = String::new();
    for line in text.split_inclusive('\n') {
        let mut rest = line;
        while let Some(position) = rest.find(" s") {
            let (before, after) = rest.split_at(position);
            let digits = before.trim_end_matches(|one: char| one.is_ascii_digit());
            let ends = after[2..].chars().next().is_none_or(|next| !next.is_alphanumeric());
            if digits.len() < before.len() && ends {
                normal.push_str(digits);
                normal.push('_');
            } else {
                normal.push_str(before);
            }
            normal.push_str(" s");
            rest = &after[2..];
        }
        normal.push_str(rest);
    }
    normal
}

#[test]
fn seconds_are_normalised() {
    assert_eq!(normalise("in 12 s\n   3 s  a 5 servers\n"), "in _ s\n   _ s  a 5 servers\n");
}
