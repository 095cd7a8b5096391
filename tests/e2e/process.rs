//! One running `sched agent`: started with its output in a file, killed by -9 or stopped as a service manager would.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::{binary, wait};

/// Lines of a log that are shown when something fails.
const TAIL_LINES: usize = 25;
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// A process that this test started.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `sched agent` with these arguments; its output is appended to `log`.
    pub fn agent(arguments: &[&str], log: &Path) -> Self {
        Self::start(Command::new(binary()), arguments, log)
    }

    /// The same, standing back behind other processes by so much niceness.
    pub fn nice_agent(nice: &str, arguments: &[&str], log: &Path) -> Self {
        let mut command = Command::new("nice");
        command.args(["-n", nice]).arg(binary());
        Self::start(command, arguments, log)
    }

    /// The same, in a network namespace.
    pub fn agent_in(space: &str, arguments: &[&str], log: &Path) -> Self {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", space]).arg(binary());
        Self::start(command, arguments, log)
    }

    /// The same under strace, which makes system calls fail or wait as `faults` says, and writes them to `trace`. The
    /// child is the agent and not strace.
    pub fn traced_agent(faults: &[&str], trace: &Path, arguments: &[&str], log: &Path) -> Self {
        let mut command = Command::new("strace");
        command.args(["-D", "-f", "-qq", "-ttt", "-o"]).arg(trace).args(["-e", "trace=fsync,fdatasync,exit_group"]);
        for fault in faults {
            command.args(["-e", fault]);
        }
        command.arg(binary());
        Self::start(command, arguments, log)
    }

    fn start(mut command: Command, arguments: &[&str], log: &Path) -> Self {
        let output = File::options().create(true).append(true).open(log).expect("the log can be written");
        let errors = output.try_clone().expect("a file can be shared");
        command.arg("agent").args(arguments).stdin(Stdio::null()).stdout(output).stderr(errors);
        for variable in ["SCHED_ADDR", "NOMAD_ADDR", "SCHED_REGION", "NOMAD_REGION"] {
            command.env_remove(variable);
        }
        Self { child: command.spawn().expect("the binary starts"), log: log.to_owned() }
    }

    /// The id that the system knows it by.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Ends it without a word, as the loss of its host would.
    pub fn kill(mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    /// Stops it where it is: it keeps its connections and does nothing, as in a virtual machine that is held.
    #[track_caller]
    pub fn pause(&self) {
        super::command::succeed("kill", &["-STOP", &self.child.id().to_string()]);
    }

    /// Lets it go on.
    #[track_caller]
    pub fn resume(&self) {
        super::command::succeed("kill", &["-CONT", &self.child.id().to_string()]);
    }

    /// Asks it to end and waits until it has.
    #[track_caller]
    pub fn stop(mut self) {
        super::command::succeed("kill", &["-TERM", &self.child.id().to_string()]);
        wait::until("stop on SIGTERM", STOP_WITHIN, || self.child.try_wait().ok().flatten().ok_or_else(|| self.tail()));
    }

    /// The end of its log.
    pub fn tail(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        // The auditor looks twice in a second.
        let lines: Vec<&str> = log.lines().filter(|line| !line.contains("/v1/operator/snapshot")).collect();
        let end = lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n");
        format!("the end of {}:\n{end}", self.log.display())
    }
}
