//! The difference between two versions of a job, as `job plan` and `job history -p` print it.

use crate::api::{Change, Diff, FieldChange, ObjectChange, TaskChange};
use crate::show::{self, Tone, text};

/// Prints the difference; fields that did not change only if asked for.
pub fn print(diff: &Diff, unchanged: bool) {
    for line in lines(diff, unchanged) {
        show::line(line);
    }
}

/// The lines of the difference.
fn lines(diff: &Diff, unchanged: bool) -> Vec<String> {
    let mut page = Page { unchanged, lines: Vec::new() };
    page.push(0, diff.kind, &format!("Job: \"{}\"", diff.id));
    page.fields(1, &diff.fields);
    page.objects(1, &diff.objects);
    for group in diff.task_groups.iter().filter(|group| unchanged || group.kind.is_change()) {
        page.push(1, group.kind, &format!("Group: \"{}\"", group.name));
        page.fields(2, &group.fields);
        page.objects(2, &group.objects);
        for task in group.tasks.iter().filter(|task| unchanged || task.kind.is_change()) {
            page.task(task);
        }
    }
    page.lines
}

struct Page {
    unchanged: bool,
    lines: Vec<String>,
}

impl Page {
    fn push(&mut self, depth: usize, change: Change, words: &str) {
        let (mark, tone) = mark(change);
        let line = format!("{mark} {:width$}{}", "", text::escape(words), width = depth * 2);
        self.lines.push(tone.paint(&line));
    }

    fn task(&mut self, task: &TaskChange) {
        let note =
            if task.annotations.is_empty() { String::new() } else { format!(" ({})", task.annotations.join(", ")) };
        self.push(2, task.kind, &format!("Task: \"{}\"{note}", task.name));
        self.fields(3, &task.fields);
        self.objects(3, &task.objects);
    }

    fn fields(&mut self, depth: usize, fields: &[FieldChange]) {
        let unchanged = self.unchanged;
        for field in fields.iter().filter(|field| unchanged || field.kind.is_change()) {
            let values = match field.kind {
                Change::Added => format!("\"{}\"", field.new),
                Change::Deleted | Change::None => format!("\"{}\"", field.old),
                Change::Edited => format!("\"{}\" => \"{}\"", field.old, field.new),
            };
            let note = if field.annotations.is_empty() {
                String::new()
            } else {
                format!(" ({})", field.annotations.join(", "))
            };
            self.push(depth, field.kind, &format!("{}: {values}{note}", field.name));
        }
    }

    fn objects(&mut self, depth: usize, objects: &[ObjectChange]) {
        let unchanged = self.unchanged;
        for object in objects.iter().filter(|object| unchanged || object.kind.is_change()) {
            self.push(depth, object.kind, &format!("{} {{", object.name));
            self.fields(depth + 1, &object.fields);
            self.objects(depth + 1, &object.objects);
            self.push(depth, object.kind, "}");
        }
    }
}

fn mark(change: Change) -> (char, Tone) {
    match change {
        Change::None => (' ', Tone::Plain),
        Change::Added => ('+', Tone::Good),
        Change::Deleted => ('-', Tone::Bad),
        Change::Edited => ('~', Tone::Busy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_difference_reads_from_job_to_field() {
        let diff: Diff = serde_json::from_value(json!({
            "Type": "Edited", "ID": "web",
            "Fields": [{ "Type": "None", "Name": "Priority", "Old": "50", "New": "50" }],
            "TaskGroups": [{ "Type": "Edited", "Name": "web", "Fields": [
                { "Type": "Edited", "Name": "Count", "Old": "3", "New": "5", "Annotations": ["forces create"] }],
                "Tasks": [{ "Type": "Edited", "Name": "app", "Annotations": ["forces create/destroy update"],
                    "Objects": [{ "Type": "Added", "Name": "Env", "Fields": [
                        { "Type": "Added", "Name": "X", "Old": "", "New": "1\u{1b}" }] }] }] }]
        }))
        .unwrap();
        let text = anstream::adapter::strip_str(&lines(&diff, false).join("\n")).to_string();
        assert_eq!(
            text,
            "~ Job: \"web\"\n~   Group: \"web\"\n~     Count: \"3\" => \"5\" (forces create)\n\
             ~     Task: \"app\" (forces create/destroy update)\n+       Env {\n+         X: \"1\\u{1b}\"\n+       }"
        );
        assert!(lines(&diff, true).iter().any(|line| line.contains("Priority")));
    }
}
