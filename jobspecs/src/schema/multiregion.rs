//! `multiregion`: a job in several regions.

use super::kind::COUNT;
use super::{Block, Kind, Times, attribute, block};

pub(super) static MULTIREGION: Block = Block::new(
    "multiregion",
    "Runs the job in several regions.",
    &[block("strategy", "Strategy", &STRATEGY, Times::Once), block("region", "Regions", &REGION, Times::Many)],
)
.of::<model::Multiregion>();

static STRATEGY: Block = Block::new(
    "strategy",
    "How the regions follow one another.",
    &[
        attribute("max_parallel", "MaxParallel", COUNT, "Regions that roll out at a time; 0 for all."),
        attribute(
            "on_failure",
            "OnFailure",
            Kind::Choice(&["fail_all", "fail_local"]),
            "What a region's failure means for the others.",
        ),
    ],
)
.of::<model::RegionStrategy>();

static REGION: Block = Block::new(
    "region",
    "A region, with its own counts.",
    &[
        attribute("", "Name", Kind::Text, "The region, given as the label."),
        attribute("count", "Count", COUNT, "Instances for groups that give no count."),
        attribute("datacenters", "Datacenters", Kind::Texts, "Datacenters, in place of the job's."),
        attribute("node_pool", "NodePool", Kind::Text, "The node pool, in place of the job's."),
        attribute("meta", "Meta", Kind::TextMap, "Free values by name, beside the job's."),
    ],
)
.labelled("Name")
.of::<model::JobRegion>();
