//! Cleans up after a run, however that ends: a small shell waits for the end of its standard input, which the test
//! process holds. When that process drops it, panics or is killed, the shell kills what the run started (found by the
//! configuration files and state folders on their command lines), removes the containers that bear the run's label, and
//! deletes everything in its folder but the logs.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What the shell does with `$1`, the folder, and `$2`, the label. Containers are removed twice: an agent that was
/// creating one when it died may have been faster than the first look.
const SCRIPT: &str = r#"
read -r _
for comm in $(grep -slx sched /proc/[0-9]*/comm); do
    process=${comm%/comm}
    if tr '\0' '\n' <"$process/cmdline" 2>/dev/null | grep -qF -- "$1/"; then kill -9 "${process#/proc/}"; fi
done
for round in 1 2; do
    containers=$(docker ps -aq --filter "label=$2")
    if [ -n "$containers" ]; then docker rm -f -v $containers; fi
done
find "$1" -mindepth 1 -maxdepth 1 ! -name '*.log' -exec rm -rf {} +
"#;

/// The one who sweeps when this is dropped.
#[derive(Debug)]
pub struct Sweeper {
    shell: Child,
}

impl Sweeper {
    /// Takes care of the processes that have a path in `folder` on their command line, and of containers with `label`.
    pub fn new(folder: &Path, label: &str) -> Self {
        Self::with(folder, label, "", "")
    }

    /// The same, and then runs `script`, whose `$3` is `argument`.
    pub fn with(folder: &Path, label: &str, script: &str, argument: &str) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{SCRIPT}{script}"), "sweeper"]).arg(folder).args([label, argument]);
        // In a process group of its own, an interrupt from the terminal ends the tests and not the sweeper.
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        Self { shell: shell.spawn().expect("there is a shell") }
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        if let Err(error) = self.shell.wait() {
            eprintln!("the sweeper cannot be waited for: {error}");
        }
    }
}
