//! The exit codes, in one place: what a deploy script may trust.
//!
//! Every command ends in an [`Exit`]; `main` turns it into the process's code. The numbers are those that scripts
//! written for Nomad's commands expect.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// What was asked for is done. For `job plan` and `rebalance plan`: nothing would change.
    Done,
    /// An error, or a deployment that failed.
    Failed,
    /// The evaluation is complete, but instances found no node (`job run`, `job stop`, `job revert`,
    /// `alloc stop`, `deployment promote`). For `capacity`: something would not fit.
    PlacementsFailed,
    /// `job plan` and `rebalance plan`: carrying it out would change something.
    Changes,
    /// `job plan` and `rebalance plan`: an error, since 1 already has a meaning there.
    PlanFailed,
}

impl Exit {
    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed | Exit::Changes => 1,
            Exit::PlacementsFailed => 2,
            Exit::PlanFailed => 255,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

/// Printed at the end of `sched --help`.
pub const HELP: &str = "\
Exit codes:
  0    done; for `job plan` and `rebalance plan`: nothing would change
  1    an error, a failed deployment, a rebalance that was aborted or cancelled; for `job plan` and
       `rebalance plan`: changes
  2    evaluated, but instances found no node: `job run`, `job stop`, `job revert`, `alloc stop`,
       `deployment promote`; for `capacity`: something would not fit
  255  `job plan`, `rebalance plan`: an error

Environment:
  SCHED_ADDR, NOMAD_ADDR            servers' addresses, comma separated, tried in turn
  SCHED_NAMESPACE, NOMAD_NAMESPACE  namespace of jobs, `*` for all
  SCHED_REGION, NOMAD_REGION        region
  SCHED_TOKEN, NOMAD_TOKEN          token
  NO_COLOR                          no colours

Long flags are accepted with one dash or two: `-json` and `--json`.";

/// Printed at the end of the help of commands that follow an evaluation.
pub const HELP_FOLLOW: &str = "\
Exit codes:
  0  evaluation complete and deployment successful (with -detach: accepted)
  1  an error or a failed deployment
  2  evaluation complete, but instances found no node";

/// Printed at the end of the help of `job plan`.
pub const HELP_PLAN: &str = "\
Exit codes:
  0    nothing would change
  1    running the job would change something
  255  an error";

/// Printed at the end of the help of `rebalance plan`.
pub const HELP_REBALANCE_PLAN: &str = "\
Exit codes:
  0    no move would pay
  1    there are moves that would
  255  an error";

/// Printed at the end of the help of commands that follow a rebalance.
pub const HELP_REBALANCE: &str = "\
Exit codes:
  0  every move is over, or none would pay (with -detach: begun)
  1  an error, or the rebalance was aborted or cancelled";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_documented_ones() {
        let codes = [Exit::Done, Exit::Failed, Exit::PlacementsFailed, Exit::Changes, Exit::PlanFailed].map(Exit::code);
        assert_eq!(codes, [0, 1, 2, 1, 255]);
    }
}
