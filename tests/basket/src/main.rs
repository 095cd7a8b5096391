//! `basket`: the small web service that the demo, the examples and the end-to-end tests run in containers.
//!
//! It answers, turns unhealthy, leaks memory, crashes and stops on request, so that each thing a scheduler must notice
//! can be caused by one `curl`. It uses the standard library only and is linked statically, so that its image is one
//! file on `FROM scratch`. It is no example of a web server: one thread per connection, one request per connection.

mod arguments;
mod http;
mod log;
mod probe;
mod routes;
mod serve;
mod signal;

use std::process::ExitCode;

use arguments::Mode;

fn main() -> ExitCode {
    let mode = match arguments::parse(std::env::args().skip(1)) {
        Ok(mode) => mode,
        Err(message) => {
            eprintln!("basket: {message}\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    match mode {
        Mode::Help => {
            log::line(arguments::USAGE);
            ExitCode::SUCCESS
        }
        Mode::Once { code } => {
            log::line(&format!("once: {}, exits with {code}", routes::Identity::from_environment().json()));
            ExitCode::from(code)
        }
        Mode::Probe { target } => finish(probe::run(&target)),
        Mode::Serve => finish(serve::run()),
    }
}

/// Exit code 0 for a clean stop on SIGTERM; 1, with the reason, when the service could not run.
fn finish(outcome: std::io::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::line(&format!("failed: {error}"));
            ExitCode::FAILURE
        }
    }
}
