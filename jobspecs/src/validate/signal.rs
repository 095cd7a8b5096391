//! The names of signals.

use model::Task;

use super::Problems;
use crate::nearest;

/// What a driver can be asked to send.
const SIGNALS: &[&str] = &[
    "SIGABRT",
    "SIGALRM",
    "SIGBUS",
    "SIGCHLD",
    "SIGCONT",
    "SIGFPE",
    "SIGHUP",
    "SIGILL",
    "SIGINT",
    "SIGIO",
    "SIGIOT",
    "SIGKILL",
    "SIGPIPE",
    "SIGPOLL",
    "SIGPROF",
    "SIGPWR",
    "SIGQUIT",
    "SIGRTMAX",
    "SIGRTMIN",
    "SIGSEGV",
    "SIGSTKFLT",
    "SIGSTOP",
    "SIGSYS",
    "SIGTERM",
    "SIGTRAP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGUSR1",
    "SIGUSR2",
    "SIGVTALRM",
    "SIGWINCH",
    "SIGXCPU",
    "SIGXFSZ",
];

pub(super) fn check(task: &Task, path: &str, problems: &mut Problems) {
    check_name(&task.kill_signal, &format!("{path}.KillSignal"), problems);
    for (at, template) in task.templates.iter().enumerate() {
        check_name(&template.change_signal, &format!("{path}.Templates[{at}].ChangeSignal"), problems);
    }
    if let Some(vault) = &task.vault {
        check_name(&vault.change_signal, &format!("{path}.Vault.ChangeSignal"), problems);
    }
    if let Some(identity) = &task.identity {
        check_name(&identity.change_signal, &format!("{path}.Identity.ChangeSignal"), problems);
    }
    for (at, identity) in task.identities.iter().enumerate() {
        check_name(&identity.change_signal, &format!("{path}.Identities[{at}].ChangeSignal"), problems);
    }
}

fn check_name(given: &str, path: &str, problems: &mut Problems) {
    // Letters of any case are taken; what is filled in when the task runs can't be checked before.
    let upper = given.to_uppercase();
    if given.is_empty() || given.contains("${") || SIGNALS.contains(&upper.as_str()) {
        return;
    }
    let whole = format!("SIG{upper}");
    let hint = match SIGNALS.iter().find(|signal| **signal == whole) {
        Some(signal) => format!("write: \"{signal}\""),
        None => match upper.parse::<u32>() {
            Ok(_) => "signals are given by name: \"SIGTERM\"".into(),
            Err(_) => nearest::did_you_mean(&upper, SIGNALS.iter().copied())
                .unwrap_or_else(|| "usual are SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1".into()),
        },
    };
    problems.add(path, format!("there is no signal `{given}`"), hint);
}
