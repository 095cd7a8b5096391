//! Services and their checks.

use std::collections::BTreeSet;
use std::time::Duration;

use model::{Check, CheckKind, Group, Service};

use super::names::SERVICE_NAME_LENGTH_MAX;
use super::{Problems, duration_text};
use crate::nearest;

/// The least interval and timeout of a check.
pub(crate) const CHECK_INTERVAL_LEAST: Duration = Duration::from_secs(1);

pub(super) fn check_all(group: &Group, labels: &BTreeSet<&str>, path: &str, problems: &mut Problems) {
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    let of_group = group.services.iter().enumerate().map(|(at, service)| (format!("{path}.Services[{at}]"), service));
    let of_tasks = group.tasks.iter().enumerate().flat_map(|(task, owner)| {
        let services = owner.services.iter().enumerate();
        services.map(move |(at, service)| (format!("{path}.Tasks[{task}].Services[{at}]"), service))
    });
    for (path, service) in of_group.chain(of_tasks) {
        let key = (service.name.as_str(), service.port_label.as_str());
        if !seen.insert(key) {
            let message = format!("the service `{}` is given twice in group `{}`", service.name, group.name);
            problems.add(format!("{path}.Name"), message, "give it another name or another port");
        }
        check_service(group, labels, service, &path, problems);
    }
}

fn check_service(group: &Group, labels: &BTreeSet<&str>, service: &Service, path: &str, problems: &mut Problems) {
    let name = &service.name;
    // A name that is filled in when the task runs can't be checked before.
    if !name.contains("${") && !is_dns_label(name) {
        let message = format!("the service name `{name}` is not a name that DNS can serve");
        let hint = format!("use at most {SERVICE_NAME_LENGTH_MAX} letters, digits and dashes, no dash at the ends");
        problems.add(format!("{path}.Name"), message, hint);
    }
    check_port(labels, name, &service.port_label, &format!("{path}.PortLabel"), problems);
    if !service.task_name.is_empty() && !group.tasks.iter().any(|task| task.name == service.task_name) {
        let message =
            format!("the service `{name}` names the task `{}`, which its group does not have", service.task_name);
        let hint = nearest::did_you_mean(&service.task_name, group.tasks.iter().map(|task| task.name.as_str()));
        problems.add(format!("{path}.TaskName"), message, hint.unwrap_or_default());
    }
    super::mesh::check(service, path, problems);
    if let Some(identity) = &service.identity {
        super::identity::check_identity(identity, &format!("{path}.Identity"), problems);
    }
    for (at, check) in service.checks.iter().enumerate() {
        check_check(labels, service, check, &format!("{path}.Checks[{at}]"), problems);
    }
}

fn check_check(labels: &BTreeSet<&str>, service: &Service, check: &Check, path: &str, problems: &mut Problems) {
    let name = &service.name;
    for (word, value, json) in [("interval", check.interval, "Interval"), ("timeout", check.timeout, "Timeout")] {
        if value.is_zero() {
            let message = format!("the check of service `{name}` has no {word}");
            problems.add(format!("{path}.{json}"), message, format!("write: {word} = \"10s\""));
        } else if value < CHECK_INTERVAL_LEAST {
            let message = format!("the check's {word} of {} is too short", duration_text(value));
            let least = duration_text(CHECK_INTERVAL_LEAST);
            let hint = match value.as_nanos() {
                number @ ..1_000_000 => format!("a number without a unit counts nanoseconds: {word} = \"{number}s\""),
                _ => format!("the least is {least}"),
            };
            problems.add(format!("{path}.{json}"), message, hint);
        }
    }
    check_port(labels, name, &check.port_label, &format!("{path}.PortLabel"), problems);
    if check.kind != CheckKind::Script && check.port_label.is_empty() && service.port_label.is_empty() {
        let message = format!("the check of service `{name}` has no port");
        problems.add(path, message, "give the service a port: port = \"http\"");
    }
    if check.kind == CheckKind::Http {
        if check.path.is_empty() {
            let message = format!("the HTTP check of service `{name}` has no path");
            problems.add(format!("{path}.Path"), message, "write: path = \"/health\"");
        } else if !check.path.starts_with('/') {
            let message = format!("the path `{}` of a check must begin with a slash", check.path);
            problems.add(format!("{path}.Path"), message, format!("write: path = \"/{}\"", check.path));
        }
    }
    if check.kind == CheckKind::Script && check.command.is_empty() {
        let message = format!("the script check of service `{name}` has no command");
        problems.add(path, message, "write: command = \"/bin/program\"");
    }
    if matches!(check.kind, CheckKind::Grpc | CheckKind::Script) && service.provider == "nomad" {
        let word = if check.kind == CheckKind::Grpc { "grpc" } else { "script" };
        let message = format!("the provider `nomad` of service `{name}` has no checks of type `{word}`");
        problems.add(format!("{path}.Type"), message, "use type \"http\" or \"tcp\", or provider \"consul\"");
    }
}

fn check_port(labels: &BTreeSet<&str>, service: &str, label: &str, path: &str, problems: &mut Problems) {
    if label.is_empty() || label.contains("${") {
        return;
    }
    if let Ok(number) = label.parse::<i64>() {
        if !(1..=65_535).contains(&number) {
            let message = format!("the port {number} of service `{service}` is out of range, ports are 1 to 65535");
            problems.add(path, message, "write the label of a port of the group: port = \"http\"");
        }
        return;
    }
    if !labels.contains(label) {
        let message = format!("the service `{service}` uses the port `{label}`, which no network of its group has");
        problems.add(path, message, port_hint(label, labels));
    }
}

/// What to do about a port that the group does not have.
pub(super) fn port_hint(label: &str, labels: &BTreeSet<&str>) -> String {
    if let Some(hint) = nearest::did_you_mean(label, labels.iter().copied()) {
        return hint;
    }
    let parts: Vec<&str> = label.rsplitn(3, ':').collect();
    let number = |text: &str| text.split('/').next().is_some_and(|text| text.parse::<u16>().is_ok());
    match parts.as_slice() {
        [inside, outside, ..] if number(inside) && number(outside) => {
            let inside = inside.split('/').next().unwrap_or(inside);
            format!(
                "add a port to the group's network, with static = {outside} and to = {inside}, and give its label here: \
                 [\"http\"]"
            )
        }
        [inside] if number(inside) => {
            let inside = inside.split('/').next().unwrap_or(inside);
            format!("give its label here, and add to the group: network {{ port \"http\" {{ to = {inside} }} }}")
        }
        _ if labels.is_empty() => format!("add to the group: network {{ port \"{label}\" {{}} }}"),
        _ => {
            let known: Vec<&str> = labels.iter().copied().take(10).collect();
            format!("it has {}; or add to its network: port \"{label}\" {{}}", known.join(", "))
        }
    }
}

/// Letters, digits and dashes, no dash at the ends (RFC 1123).
fn is_dns_label(name: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    !name.is_empty()
        && name.len() <= SERVICE_NAME_LENGTH_MAX
        && name.chars().all(is_plain)
        && !name.starts_with('-')
        && !name.ends_with('-')
}
