//! From the configuration to running servers and agents.

use crate::config::Config;
use crate::exit::Exit;
use crate::failure::Failure;

/// Runs the server and/or the client agent until the process is told to stop.
pub fn run(config: Config) -> Result<Exit, Failure> {
    Err(Failure::new("this build holds neither the server nor the client agent").at(config.name))
}
