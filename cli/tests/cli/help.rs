//! The help of every command, since it is documentation.

use crate::invocation::{compare, sched};

const COMMANDS: [&str; 64] = [
    "",
    "agent",
    "job",
    "job run",
    "job plan",
    "job status",
    "job stop",
    "job inspect",
    "job validate",
    "job history",
    "job revert",
    "job why",
    "deployment",
    "deployment list",
    "deployment status",
    "deployment fail",
    "deployment promote",
    "alloc",
    "alloc status",
    "alloc logs",
    "alloc stop",
    "alloc restart",
    "node",
    "node status",
    "node drain",
    "node eligibility",
    "node why",
    "capacity",
    "rebalance",
    "rebalance plan",
    "rebalance apply",
    "rebalance status",
    "rebalance cancel",
    "server",
    "server init",
    "server members",
    "server join",
    "server leave",
    "server rejoin",
    "server health",
    "server transfer",
    "server autopilot",
    "server recover",
    "snapshot",
    "snapshot save",
    "snapshot inspect",
    "snapshot verify",
    "snapshot restore",
    "snapshot diff",
    "service",
    "service list",
    "service info",
    "volume",
    "volume create",
    "volume register",
    "volume status",
    "volume delete",
    "volume claim",
    "volume claim list",
    "volume claim delete",
    "events",
    "status",
    "version",
    "completion",
];

/// The heading of the flags that every command takes; they are shown once.
const COMMON: &str = "\nConnection and output:\n";

#[tokio::test]
async fn every_command_explains_itself() {
    let mut text = String::new();
    for command in COMMANDS {
        let ran = sched("", &format!("{command} --help")).await;
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{command}");
        let own = match ran.out.split_once(COMMON) {
            Some((own, common)) if !command.is_empty() => {
                let after = common.split_once("\n\n").map_or("", |(_, after)| after);
                format!("{own}\n{after}")
            }
            _ => ran.out,
        };
        text.push_str(&format!("$ sched {command} --help\n{}\n\n", own.trim_end()));
    }
    compare("help", &text);
}

#[tokio::test]
async fn help_is_also_a_command() {
    let asked = sched("", "help job run").await;
    assert_eq!((asked.code, asked.out), (0, sched("", "job run --help").await.out), "{}", asked.err);
}

#[tokio::test]
async fn completion_knows_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = sched("", &format!("completion {shell}")).await;
        assert_eq!(ran.code, 0);
        assert!(ran.out.contains("eligibility"), "{shell}");
    }
}
