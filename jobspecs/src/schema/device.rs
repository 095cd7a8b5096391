//! `device` and `numa`.

use super::kind::AMOUNT;
use super::placement::{AFFINITY, CONSTRAINT};
use super::{Block, Kind, Times, attribute, block};

pub(super) static DEVICE: Block = Block::new(
    "device",
    "A device such as a GPU.",
    &[
        attribute("", "Name", Kind::Text, "vendor/type/name, given as the label."),
        attribute("count", "Count", AMOUNT, "How many; 1 unless given."),
        attribute("share", "Share", Kind::Whole(1, 1000), "How much of each, in thousandths; 1000 unless given."),
        block("constraint", "Constraints", &CONSTRAINT, Times::Many),
        block("affinity", "Affinities", &AFFINITY, Times::Many),
    ],
)
.labelled("Name")
.of::<model::Device>();

pub(super) static NUMA: Block = Block::new(
    "numa",
    "Cores and devices near to each other.",
    &[
        attribute("affinity", "Affinity", Kind::Choice(&["none", "prefer", "require"]), "How strictly."),
        attribute("devices", "Devices", Kind::Texts, "Which devices."),
    ],
)
.of::<model::Numa>();
