//! A Docker engine of a test's own, for what must not happen to the one that all share. It is alone in a network namespace,
//! because an engine that is told to have no bridge takes the other's away: what runs there has no network.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::command::{run, succeed};
use super::sweeper::Sweeper;
use super::wait;

const SOCKET: &str = "docker.sock";
/// How long it may take to answer.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// Ends the engine whose process id is in the file `$3`, which lies outside of the folder that is emptied. It takes its time to
/// stop what runs.
const SWEEP: &str = r#"
if [ -s "$3" ]; then
    engine=$(cat "$3")
    kill "$engine"
    for _ in $(seq 150); do
        kill -0 "$engine" || break
        sleep 0.2
    done
fi
rm -rf "$1" "$3"
"#;

/// The engine, which ends with this.
#[derive(Debug)]
pub struct PrivateDocker {
    folder: PathBuf,
    process: Child,
    // Dropped last: it ends the engine where this is not dropped at all.
    _sweeper: Sweeper,
}

impl PrivateDocker {
    /// Starts one that keeps everything in the folder `data`, and has the image of the examples. It writes to `log`.
    ///
    /// # Panics
    /// If it does not answer in time.
    #[track_caller]
    pub fn start(data: &Path, log: &Path) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        // Paths of sockets must be short, and a checkout may lie deep.
        let folder = std::env::temp_dir().join(format!("sched-docker-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        let path = |name: &str| folder.join(name).display().to_string();
        let (socket, id) = (folder.join(SOCKET), folder.with_extension("pid"));
        let sweeper = Sweeper::with(&folder, "sched.cluster_name=none", SWEEP, &id.display().to_string());
        let log = File::create(log).expect("the log can be written");
        let errors = log.try_clone().expect("a file can be shared");
        let mut command = Command::new("unshare");
        command.args(["--net", "dockerd"]);
        command.args(["--data-root", &data.display().to_string(), "--exec-root", &path("exec")]);
        command.args(["--pidfile", &id.display().to_string(), "-H", &format!("unix://{}", socket.display())]);
        command.args(["--bridge=none", "--iptables=false", "--ip-masq=false"]);
        let process = command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn().expect("there is unshare");
        let docker = Self { folder, process, _sweeper: sweeper };
        wait::until("an engine", READY_WITHIN, || {
            let asked = run(&mut docker.command(&["version"]));
            wait::check(asked.code == 0, || asked.stderr)
        });
        let image = docker.folder.join("image.tar").display().to_string();
        succeed("docker", &["save", "-o", &image, "basket:demo"]);
        run(&mut docker.command(&["load", "-i", &image])).expect(0);
        docker
    }

    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        self.folder.join(SOCKET)
    }

    /// The full ids of the containers that run.
    #[track_caller]
    pub fn running(&self) -> Vec<String> {
        let shown = run(&mut self.command(&["ps", "-q", "--no-trunc"])).expect(0).stdout;
        shown.split_whitespace().map(str::to_owned).collect()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.arg("-H").arg(format!("unix://{}", self.socket().display())).args(arguments);
        command
    }
}

impl Drop for PrivateDocker {
    fn drop(&mut self) {
        run(Command::new("kill").arg(self.process.id().to_string()));
        // It gives what runs there some seconds, and then ends in any case.
        if let Err(error) = self.process.wait() {
            eprintln!("the engine cannot be waited for: {error}");
        }
    }
}
