//! Identities, Vault, secrets and actions of a task.

use std::collections::BTreeSet;

use model::{DEFAULT_IDENTITY, Identity, Task};

use super::Problems;

pub(super) fn check(task: &Task, path: &str, problems: &mut Problems) {
    if let Some(identity) = &task.identity {
        check_identity(identity, &format!("{path}.Identity"), problems);
    }
    for (at, identity) in task.identities.iter().enumerate() {
        check_identity(identity, &format!("{path}.Identities[{at}]"), problems);
    }
    let identities = task.identity.iter().map(|identity| ("Identity".into(), identity.name.as_str()));
    let others = task.identities.iter().enumerate();
    let others = others.map(|(at, identity)| (format!("Identities[{at}]"), identity.name.as_str()));
    check_unique("identity", task, identities.chain(others), path, problems);
    let secrets = task.secrets.iter().enumerate();
    let secrets = secrets.map(|(at, secret)| (format!("Secrets[{at}]"), secret.name.as_str()));
    check_unique("secret", task, secrets, path, problems);
    let actions = task.actions.iter().enumerate();
    let actions = actions.map(|(at, action)| (format!("Actions[{at}]"), action.name.as_str()));
    check_unique("action", task, actions, path, problems);
    for (at, secret) in task.secrets.iter().enumerate() {
        if secret.provider.is_empty() {
            let message = format!("the secret `{}` has no provider", secret.name);
            problems.add(format!("{path}.Secrets[{at}]"), message, "write: provider = \"file\"");
        }
        if secret.path.is_empty() {
            let message = format!("the secret `{}` has no path", secret.name);
            problems.add(format!("{path}.Secrets[{at}]"), message, "write: path = \"where/it/lies\"");
        }
    }
    for (at, action) in task.actions.iter().enumerate() {
        if action.command.is_empty() {
            let message = format!("the action `{}` has no command", action.name);
            problems.add(format!("{path}.Actions[{at}]"), message, "write: command = \"/bin/program\"");
        }
    }
}

/// An identity of a task or service.
pub(super) fn check_identity(identity: &Identity, path: &str, problems: &mut Problems) {
    let name = &identity.name;
    if !name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter)) {
        let message = format!("the name {name:?} of an identity has other letters than a-z, 0-9, - and _");
        problems.add(format!("{path}.Name"), message, "it becomes part of a variable's name");
    }
    if identity.change_mode == "signal" && identity.change_signal.is_empty() {
        let message = format!("the identity `{name}` has the change mode `signal` and no signal");
        problems.add(format!("{path}.ChangeMode"), message, "write: change_signal = \"SIGHUP\"");
    }
    if identity.change_mode != "signal" && !identity.change_signal.is_empty() {
        let message = format!("the identity `{name}` has a signal, but not the change mode `signal`");
        problems.add(format!("{path}.ChangeSignal"), message, "write: change_mode = \"signal\"");
    }
    if name == DEFAULT_IDENTITY && !identity.ttl.is_zero() {
        let message = "the default identity can't have a `ttl`";
        problems.add(format!("{path}.TTL"), message, "give the identity a name: identity \"name\" { … }");
    }
}

fn check_unique<'a>(
    word: &str,
    task: &Task,
    named: impl Iterator<Item = (String, &'a str)>,
    path: &str,
    problems: &mut Problems,
) {
    let mut seen = BTreeSet::new();
    for (place, name) in named {
        if name.is_empty() {
            let message = format!("a task's {word} has no name");
            problems.add(format!("{path}.{place}"), message, format!("write: {word} \"name\" {{ … }}"));
        } else if !seen.insert(name) {
            let message = format!("the {word} `{name}` is given twice in task `{}`", task.name);
            problems.add(format!("{path}.{place}.Name"), message, "give each a name of its own");
        }
    }
}
