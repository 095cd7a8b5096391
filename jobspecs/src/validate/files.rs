//! Templates and artifacts: the files that a task finds.

use model::{Artifact, Task, Template};

use super::{Problems, duration_text as show};

pub(super) fn check(task: &Task, path: &str, problems: &mut Problems) {
    for (at, template) in task.templates.iter().enumerate() {
        check_template(&task.name, template, &format!("{path}.Templates[{at}]"), problems);
    }
    for (at, artifact) in task.artifacts.iter().enumerate() {
        check_artifact(&task.name, artifact, &format!("{path}.Artifacts[{at}]"), problems);
    }
}

fn check_template(task: &str, template: &Template, path: &str, problems: &mut Problems) {
    match (template.source_path.is_empty(), template.embedded_tmpl.is_empty()) {
        (true, true) => {
            let message = format!("a template of task `{task}` has neither `data` nor `source`");
            problems.add(path, message, "write the text into `data`, or name its file in `source`");
        }
        (false, false) => {
            let message = "`data` and `source` exclude each other";
            problems.add(format!("{path}.SourcePath"), message, "keep one of the two");
        }
        (true, false) | (false, true) => {}
    }
    if template.dest_path.is_empty() {
        let message = format!("a template of task `{task}` has no destination");
        problems.add(path, message, "write: destination = \"local/file\"");
    }
    let script = template.change_script.as_ref();
    let has_command = script.is_some_and(|script| !script.command.is_empty());
    if template.change_mode == "script" && !has_command {
        let message = "the change mode `script` needs a command";
        problems.add(format!("{path}.ChangeMode"), message, "write: change_script { command = \"/bin/reload\" }");
    }
    if template.change_mode != "script" && script.is_some() {
        let message = "a `change_script` runs only with the change mode `script`";
        problems.add(format!("{path}.ChangeScript"), message, "write: change_mode = \"script\"");
    }
    let perms = &template.perms;
    if perms.is_empty() || perms.len() > 4 || !perms.chars().all(|digit| ('0'..='7').contains(&digit)) {
        let message = format!("`{perms}` is not the mode of a file");
        problems.add(format!("{path}.Perms"), message, "write: perms = \"0644\"");
    }
    if let Some(wait) = &template.wait
        && !wait.max.is_zero()
        && wait.min > wait.max
    {
        let message = format!("the least wait of {} is above the longest of {}", show(wait.min), show(wait.max));
        problems.add(format!("{path}.Wait.Min"), message, "min must not exceed max");
    }
}

fn check_artifact(task: &str, artifact: &Artifact, path: &str, problems: &mut Problems) {
    if artifact.getter_source.is_empty() {
        let message = format!("an artifact of task `{task}` has no source");
        problems.add(path, message, "write: source = \"https://example.com/file\"");
    }
    if artifact.relative_dest.split('/').any(|part| part == "..") {
        let message = format!("the destination `{}` of an artifact leaves the task's folder", artifact.relative_dest);
        problems.add(format!("{path}.RelativeDest"), message, "write: destination = \"local/\"");
    }
}
