//! Jobs that are forms for others, and what only jobs that end may say.

use std::collections::BTreeSet;

use model::{Group, Job, Parameterized, Periodic};

use super::{Problems, cron};

/// The most characters of a job's description.
pub(crate) const DESCRIPTION_LENGTH_MAX: usize = 1000;

pub(super) fn check_job(job: &Job, problems: &mut Problems) {
    let kind = job.kind.as_str();
    let ends = job.kind.runs_to_completion();
    for (word, path, is_given) in [
        ("periodic", "Periodic", job.periodic.is_some()),
        ("parameterized", "ParameterizedJob", job.parameterized.is_some()),
    ] {
        if is_given && !ends {
            let message = format!("a {kind} job can't have a `{word}` block");
            problems.add(path, message, "it is for jobs that end: type = \"batch\" or \"sysbatch\"");
        }
    }
    if let Some(periodic) = &job.periodic {
        check_periodic(periodic, problems);
    }
    if let Some(parameterized) = &job.parameterized {
        check_parameterized(parameterized, problems);
    }
    if let Some(multiregion) = &job.multiregion {
        let mut seen = BTreeSet::new();
        for (at, region) in multiregion.regions.iter().enumerate() {
            if !seen.insert(&region.name) {
                let message = format!("the region `{}` is given twice", region.name);
                problems.add(format!("Multiregion.Regions[{at}].Name"), message, "give each region once");
            }
        }
    }
    let description = job.ui.as_ref().map_or(0, |ui| ui.description.chars().count());
    if description > DESCRIPTION_LENGTH_MAX {
        let message = format!("the description has {description} characters, the limit is {DESCRIPTION_LENGTH_MAX}");
        problems.add("UI.Description", message, "make it shorter, and link to the rest");
    }
    for (at, link) in job.ui.iter().flat_map(|ui| &ui.links).enumerate() {
        if link.label.is_empty() || link.url.is_empty() {
            let message = "a link needs a label and a URL";
            problems.add(format!("UI.Links[{at}]"), message, "write: label = \"Docs\" and url = \"https://…\"");
        }
    }
}

pub(super) fn check_group(job: &Job, group: &Group, path: &str, problems: &mut Problems) {
    if group.max_run_duration.is_some() && !job.kind.runs_to_completion() {
        let message = format!("a {} job can't have `max_run_duration`", job.kind.as_str());
        let hint = "it is for jobs that end: type = \"batch\" or \"sysbatch\"";
        problems.add(format!("{path}.MaxRunDuration"), message, hint);
    }
    for (at, task) in group.tasks.iter().enumerate() {
        let path = format!("{path}.Tasks[{at}]");
        if let Some(payload) = &task.dispatch_payload
            && payload.file.is_empty()
        {
            let message = format!("the payload of task `{}` needs a file", task.name);
            problems.add(format!("{path}.DispatchPayload"), message, "write: file = \"input.json\"");
        }
        if let Some(cron) = task.schedule.as_ref().and_then(|schedule| schedule.cron.as_ref()) {
            check_cron(&cron.start, &format!("{path}.Schedule.Cron.Start"), problems);
        }
    }
}

fn check_periodic(periodic: &Periodic, problems: &mut Problems) {
    match (periodic.spec.is_empty(), periodic.specs.is_empty()) {
        (true, true) => problems.add("Periodic", "the `periodic` block has no time", "write: cron = \"@daily\""),
        (false, false) => {
            problems.add("Periodic.Specs", "`cron` and `crons` exclude each other", "put all times into `crons`");
        }
        (false, true) => check_cron(&periodic.spec, "Periodic.Spec", problems),
        (true, false) => {
            for (at, spec) in periodic.specs.iter().enumerate() {
                check_cron(spec, &format!("Periodic.Specs[{at}]"), problems);
            }
        }
    }
    let zone = &periodic.time_zone;
    if zone.contains(char::is_whitespace) {
        let message = format!("the time zone {zone:?} has spaces");
        problems.add("Periodic.TimeZone", message, "write: time_zone = \"Europe/Berlin\"");
    }
}

fn check_cron(spec: &str, path: &str, problems: &mut Problems) {
    if let Some((message, hint)) = cron::fault(spec) {
        problems.add(path, message, hint);
    }
}

fn check_parameterized(parameterized: &Parameterized, problems: &mut Problems) {
    let required: BTreeSet<&String> = parameterized.meta_required.iter().collect();
    for (at, name) in parameterized.meta_optional.iter().enumerate() {
        if required.contains(name) {
            let message = format!("the value `{name}` is required and optional");
            problems.add(format!("ParameterizedJob.MetaOptional[{at}]"), message, "keep it in one of the two lists");
        }
    }
}
