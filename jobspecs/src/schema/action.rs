//! `action` and `schedule`: what people may run in a task, and the hours in which it runs.

use super::{Block, Kind, Times, attribute, block};

pub(super) static ACTION: Block = Block::new(
    "action",
    "A command that people may run in the task.",
    &[
        attribute("", "Name", Kind::Text, "Its name, given as the label."),
        attribute("command", "Command", Kind::Text, "The command."),
        attribute("args", "Args", Kind::Texts, "Its arguments."),
    ],
)
.labelled("Name")
.of::<model::Action>();

pub(super) static SCHEDULE: Block =
    Block::new("schedule", "The hours in which the task runs.", &[block("cron", "Cron", &CRON, Times::Once)])
        .of::<model::Schedule>();

static CRON: Block = Block::new(
    "cron",
    "When the hours begin and end.",
    &[
        attribute("start", "Start", Kind::Text, "The beginning, as cron writes it."),
        attribute("end", "End", Kind::Text, "The end: minutes and hours."),
        attribute("timezone", "Timezone", Kind::Text, "The time zone."),
    ],
)
.of::<model::ScheduleCron>();
