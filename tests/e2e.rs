//! The harness of the end-to-end tests: real processes of the built binary, real Docker, real sockets.
//!
//! It starts clusters on loopback addresses of their own, kills what a test wants dead, asks what a user would ask (HTTP,
//! the command line, `dig`, `docker`) and leaves nothing behind, also when a test panics or is killed. It decides nothing
//! about the product: that is done by the tests in `tests/end_to_end`.

pub mod auditor;
pub mod clock;
pub mod cluster;
pub mod command;
pub mod config;
pub mod dns;
pub mod docker;
pub mod http;
pub mod private_docker;
pub mod process;
pub mod servers;
pub mod shared;
pub mod sweeper;
pub mod wait;

use std::path::PathBuf;

/// The binary under test: `SCHED_BIN`, or `sched` in the folder of the profile that built this test.
pub fn binary() -> PathBuf {
    let binary = match std::env::var_os("SCHED_BIN") {
        Some(path) => PathBuf::from(path),
        None => profile_folder().join("sched"),
    };
    assert!(binary.is_file(), "{} is missing: build it with `cargo build --profile ci -p cli`", binary.display());
    binary
}

/// Where runs keep configuration, state and logs; the logs stay after a run.
pub fn runs_folder() -> PathBuf {
    profile_folder().join("e2e")
}

/// The checkout.
pub fn checkout() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate stands in the checkout").to_owned()
}

fn profile_folder() -> PathBuf {
    let test = std::env::current_exe().expect("a process knows its program");
    let folder = test.parent().and_then(|deps| deps.parent());
    folder.expect("cargo builds tests into target/<profile>/deps").to_owned()
}
