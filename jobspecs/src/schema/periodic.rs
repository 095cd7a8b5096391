//! `periodic`, `parameterized` and `dispatch_payload`: jobs that are forms for others.

use super::{Block, Kind, attribute};

pub(super) static PERIODIC: Block = Block::new(
    "periodic",
    "Starts a batch job at given times.",
    &[
        attribute("cron", "Spec", Kind::Text, "When, as cron writes it."),
        attribute("crons", "Specs", Kind::Texts, "The same, several times."),
        attribute("", "SpecType", Kind::Choice(&["cron"]), "The language of the times."),
        attribute("prohibit_overlap", "ProhibitOverlap", Kind::Bool, "Skip a start while the last run is on."),
        attribute("time_zone", "TimeZone", Kind::Text, "The time zone; UTC unless given."),
        attribute("enabled", "Enabled", Kind::Bool, "Whether it starts at all."),
    ],
)
.of::<model::Periodic>();

pub(super) static PARAMETERIZED: Block = Block::new(
    "parameterized",
    "Makes the job a form for others.",
    &[
        attribute(
            "payload",
            "Payload",
            Kind::Choice(&["optional", "required", "forbidden"]),
            "Whether it takes a payload.",
        ),
        attribute("meta_required", "MetaRequired", Kind::Texts, "Values that must be given."),
        attribute("meta_optional", "MetaOptional", Kind::Texts, "Values that may be given."),
    ],
)
.of::<model::Parameterized>();

pub(super) static DISPATCH_PAYLOAD: Block = Block::new(
    "dispatch_payload",
    "Where the payload is written.",
    &[attribute("file", "File", Kind::Text, "The file, below `local`.")],
)
.of::<model::DispatchPayload>();
