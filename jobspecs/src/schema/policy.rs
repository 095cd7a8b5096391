//! The rules of a group: restarts, new placements, rollouts, migrations, disconnects.

use super::kind::COUNT;
use super::{Block, Kind, attribute};

const HEALTH_CHECKS: &[&str] = &["checks", "task_states", "manual"];

pub(super) static RESTART: Block = Block::new(
    "restart",
    "Restarts of a task on the node where it runs.",
    &[
        attribute("attempts", "Attempts", COUNT, "Restarts per interval; by type 2 or 3 unless given."),
        attribute("interval", "Interval", Kind::Duration, "The time in which attempts are counted."),
        attribute("delay", "Delay", Kind::Duration, "Wait before a restart; 15s unless given."),
        attribute("mode", "Mode", Kind::Choice(&["fail", "delay"]), "What happens when the attempts are used up."),
        attribute("render_templates", "RenderTemplates", Kind::Bool, "Render templates anew on restart.").not_yet(),
    ],
)
.of::<model::Restart>();

pub(super) static RESCHEDULE: Block = Block::new(
    "reschedule",
    "New placements of an instance that failed.",
    &[
        attribute("attempts", "Attempts", COUNT, "New placements per interval."),
        attribute("interval", "Interval", Kind::Duration, "The time in which attempts are counted."),
        attribute("delay", "Delay", Kind::Duration, "Wait before the first new placement."),
        attribute(
            "delay_function",
            "DelayFunction",
            Kind::Choice(&["constant", "exponential", "fibonacci"]),
            "How the wait grows.",
        ),
        attribute("max_delay", "MaxDelay", Kind::Duration, "The longest wait."),
        attribute("unlimited", "Unlimited", Kind::Bool, "Whether attempts are not counted."),
    ],
)
.of::<model::Reschedule>();

pub(super) static UPDATE: Block = Block::new(
    "update",
    "How a new version replaces the old one.",
    &[
        attribute("max_parallel", "MaxParallel", COUNT, "Instances replaced at a time; 0 for all at once."),
        attribute("health_check", "HealthCheck", Kind::Choice(HEALTH_CHECKS), "What makes an instance healthy."),
        attribute("min_healthy_time", "MinHealthyTime", Kind::Duration, "How long it must stay healthy."),
        attribute("healthy_deadline", "HealthyDeadline", Kind::Duration, "When it counts as unhealthy."),
        attribute("progress_deadline", "ProgressDeadline", Kind::Duration, "When a rollout without progress fails."),
        attribute("auto_revert", "AutoRevert", Kind::Bool, "Go back to the last stable version on failure."),
        attribute("canary", "Canary", COUNT, "Instances beside the old ones until promoted."),
        attribute("auto_promote", "AutoPromote", Kind::Bool, "Whether healthy canaries promote themselves."),
        attribute("stagger", "Stagger", Kind::Duration, "Pause between batches of old system updates."),
    ],
)
.of::<model::Update>();

pub(super) static MIGRATE: Block = Block::new(
    "migrate",
    "The pace at which a drain or a rebalance moves the group.",
    &[
        attribute("max_parallel", "MaxParallel", COUNT, "Instances moved at a time; 1 unless given."),
        attribute("health_check", "HealthCheck", Kind::Choice(HEALTH_CHECKS), "What makes a replacement healthy."),
        attribute("min_healthy_time", "MinHealthyTime", Kind::Duration, "How long it must stay healthy."),
        attribute("healthy_deadline", "HealthyDeadline", Kind::Duration, "When it counts as unhealthy."),
    ],
)
.of::<model::Migrate>();

pub(super) static DISCONNECT: Block = Block::new(
    "disconnect",
    "What happens while the node is out of contact.",
    &[
        attribute("lost_after", "LostAfter", Kind::Duration, "How long instances are unknown before they are lost."),
        attribute("stop_on_client_after", "StopOnClientAfter", Kind::Duration, "When the agent stops them itself."),
        attribute("replace", "Replace", Kind::Bool, "Whether a replacement runs meanwhile."),
        attribute(
            "reconcile",
            "Reconcile",
            Kind::Choice(&["best_score", "keep_original", "keep_replacement", "longest_running"]),
            "Which of the two stays.",
        ),
    ],
)
.of::<model::Disconnect>();
