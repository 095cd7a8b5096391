//! A line about a job, as a change of its document.

use model::{
    Affinity, Algorithm, Constraint, DelayFunction, Group, Job, JobType, Operator, Reconcile, Reschedule, Spread,
    SpreadTarget, Update,
};

use super::equipment;
use super::words::{Words, duration};

/// Bends `job` as a `job` line says, which speaks of its first group too.
pub fn bend(job: &mut Job, mut words: Words) {
    if let Some(kind) = words.value("type") {
        let kind = match kind.as_str() {
            "service" => JobType::Service,
            "batch" => JobType::Batch,
            "system" => JobType::System,
            "sysbatch" => JobType::SysBatch,
            other => panic!("there are no {other} jobs"),
        };
        *job = job.clone().of_type(kind);
        job.groups[0].update = None;
    }
    job.priority = words.number("priority").unwrap_or(job.priority);
    job.all_at_once |= words.flag("all_at_once");
    if let Some(globs) = words.value("dc") {
        job.datacenters = globs.split(',').map(String::from).collect();
    }
    job.node_pool = words.value("pool").unwrap_or(job.node_pool.clone());
    if let Some(name) = words.value("algorithm") {
        let known = [Algorithm::Binpack, Algorithm::Spread].into_iter().find(|known| known.as_str() == name);
        job.scheduler_algorithm = Some(known.unwrap_or_else(|| panic!("{name} is no algorithm")));
    }
    while let Some(text) = words.value("job_constraint") {
        job.constraints.push(constraint(&text));
    }
    if let Some(gone) = words.value("without") {
        job.groups.retain(|group| group.name != gone);
    }
    bend_group(&mut job.groups[0], words);
}

/// Bends one group.
pub fn bend_group(group: &mut Group, mut words: Words) {
    group.count = words.number("count").unwrap_or(group.count);
    group.ephemeral_disk.size_mb = words.number("disk").unwrap_or(group.ephemeral_disk.size_mb);
    group.ephemeral_disk.sticky |= words.flag("sticky");
    if words.flag("never_rebalance") {
        group.meta.insert("sched_rebalance".into(), "never".into());
    }
    let task = &mut group.tasks[0];
    task.resources.cpu = words.number("cpu").unwrap_or(task.resources.cpu);
    task.resources.memory = words.number("mem").unwrap_or(task.resources.memory);
    task.resources.memory_max = words.number("memory_max").unwrap_or(task.resources.memory_max);
    task.driver = words.value("driver").unwrap_or(task.driver.clone());
    match words.value("change").as_deref() {
        None => {}
        Some("env") => drop(task.env.insert(format!("CHANGE_{}", task.env.len()), "yes".into())),
        Some("meta") => drop(group.meta.insert(format!("change_{}", group.meta.len()), "yes".into())),
        Some("tags") => change_tags(group),
        Some(other) => panic!("{other} can't be changed"),
    }
    bend_rules(group, &mut words);
    bend_placement(group, &mut words);
    equipment::ask(group, &mut words);
    equipment::ask_ports(group, &mut words);
    words.end();
}

/// A group with another tag on its service, which it has from the first time on: no two of a group have the same name.
fn change_tags(group: &mut Group) {
    if group.services.is_empty() {
        group.services.push(model::Service { name: group.name.clone(), ..Default::default() });
    }
    let tags = &mut group.services[0].tags;
    tags.push(format!("change-{}", tags.len()));
}

fn bend_rules(group: &mut Group, words: &mut Words) {
    if let Some(max_parallel) = words.number("max_parallel") {
        group.update.get_or_insert_default().max_parallel = max_parallel;
    }
    if let Some(canary) = words.number("canary") {
        group.update.get_or_insert_with(Update::default).canary = canary;
    }
    if let Some(deadline) = words.value("progress_deadline") {
        group.update.get_or_insert_default().progress_deadline = duration(&deadline);
    }
    if words.flag("auto_revert") {
        group.update.get_or_insert_default().auto_revert = true;
    }
    if words.flag("auto_promote") {
        group.update.get_or_insert_default().auto_promote = true;
    }
    match words.value("reschedule").as_deref() {
        None => {}
        Some("never") => group.reschedule = None,
        Some(delay) => {
            let policy = group.reschedule.get_or_insert_with(Reschedule::default);
            policy.delay = duration(delay);
        }
    }
    if let Some(attempts) = words.number("attempts") {
        let policy = group.reschedule.get_or_insert_with(Reschedule::default);
        policy.unlimited = false;
        policy.attempts = attempts;
        policy.interval = words.value("interval").map_or(duration("24h"), |interval| duration(&interval));
    }
    if let Some(function) = words.value("delay") {
        let policy = group.reschedule.get_or_insert_with(Reschedule::default);
        policy.delay_function = match function.as_str() {
            "constant" => DelayFunction::Constant,
            "exponential" => DelayFunction::Exponential,
            "fibonacci" => DelayFunction::Fibonacci,
            other => panic!("no delay is {other}"),
        };
    }
    if let Some(max_delay) = words.value("max_delay") {
        group.reschedule.get_or_insert_with(Reschedule::default).max_delay = duration(&max_delay);
    }
    if let Some(max_parallel) = words.number("migrate") {
        group.migrate.get_or_insert_default().max_parallel = max_parallel;
    }
    if let Some(kill_timeout) = words.value("kill_timeout") {
        group.tasks[0].kill_timeout = duration(&kill_timeout);
    }
    if let Some(max_run) = words.value("max_run") {
        group.max_run_duration = Some(duration(&max_run));
    }
    bend_disconnect(group, words);
}

/// What a group wants while its node is out of contact.
fn bend_disconnect(group: &mut Group, words: &mut Words) {
    if words.flag("keep") {
        group.disconnect.get_or_insert_default().replace = false;
    }
    if let Some(lost_after) = words.value("lost_after") {
        group.disconnect.get_or_insert_default().lost_after = duration(&lost_after);
    }
    if let Some(after) = words.value("stop_on_client_after") {
        group.disconnect.get_or_insert_default().stop_on_client_after = Some(duration(&after));
    }
    if let Some(strategy) = words.value("reconcile") {
        group.disconnect.get_or_insert_default().reconcile = match strategy.as_str() {
            "best_score" => Reconcile::BestScore,
            "keep_original" => Reconcile::KeepOriginal,
            "keep_replacement" => Reconcile::KeepReplacement,
            "longest_running" => Reconcile::LongestRunning,
            other => panic!("nobody reconciles by {other}"),
        };
    }
}

fn bend_placement(group: &mut Group, words: &mut Words) {
    while let Some(text) = words.value("constraint") {
        group.constraints.push(constraint(&text));
    }
    while let Some(text) = words.value("task_constraint") {
        group.tasks[0].constraints.push(constraint(&text));
    }
    if words.flag("distinct_hosts") {
        group.constraints.push(Constraint { operator: Operator::DistinctHosts, ..Constraint::default() });
    }
    if let Some(property) = words.value("distinct_property") {
        let (name, limit) = property.split_once(':').unwrap_or((&property, "1"));
        let attribute = format!("${{meta.{name}}}");
        group.constraints.push(Constraint { attribute, value: limit.into(), operator: Operator::DistinctProperty });
    }
    while let Some(text) = words.value("affinity") {
        let (weight, condition) = text.split_once(' ').expect("an affinity begins with its weight");
        let Constraint { attribute, value, operator } = constraint(condition);
        let weight = weight.parse().expect("a weight is a number");
        group.affinities.push(Affinity { attribute, value, operator, weight });
    }
    while let Some(text) = words.value("spread") {
        let (name, targets) = text.split_once(':').unwrap_or((&text, ""));
        let target = |target: &str| {
            let (value, percent) = target.split_once(':').expect("a target is value:percent");
            SpreadTarget { value: value.into(), percent: percent.parse().expect("a percentage is a number") }
        };
        let targets = targets.split(',').filter(|target| !target.is_empty()).map(target).collect();
        let attribute = if name.contains('.') { name.to_string() } else { format!("meta.{name}") };
        group.spreads.push(Spread { attribute: format!("${{{attribute}}}"), targets, ..Spread::default() });
    }
}

/// A constraint as people write it: `${meta.rack} = r1`, `${meta.rack} is_set`.
pub fn constraint(text: &str) -> Constraint {
    let (attribute, rest) = text.split_once(' ').expect("a constraint has an operator");
    let (operator, value) = rest.split_once(' ').unwrap_or((rest, ""));
    let known = Operator::ALL.iter().find(|(word, _)| *word == operator);
    let (_, operator) = known.unwrap_or_else(|| panic!("there is no operator {operator}"));
    Constraint { attribute: attribute.into(), value: value.into(), operator: *operator }
}
