//! The other side of the service: fetches one URL every second and logs what came back. It shares a network namespace
//! with the service in the two-task example. Called by `main`.

use std::io::Write;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use crate::http::{self, Target};
use crate::log;
use crate::signal::Stop;

const INTERVAL: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(2);

/// Fetches until SIGTERM or SIGINT. A target that does not answer is logged and asked again.
pub fn run(target: &Target) -> std::io::Result<()> {
    let mut stop = Stop::install()?;
    log::line(&format!("start: fetches http://{}{} every second", target.authority, target.path));
    loop {
        let began = Instant::now();
        let result = fetch(target).unwrap_or_else(|error| format!("failed: {error}"));
        log::line(&format!("probe: {result}, {} us", began.elapsed().as_micros()));
        if stop.wait_at_most(INTERVAL)? {
            log::line("stop: asked to");
            return Ok(());
        }
    }
}

/// The status line that the target answers with.
fn fetch(target: &Target) -> std::io::Result<String> {
    let address = target.authority.to_socket_addrs()?.next();
    let address = address.ok_or_else(|| std::io::Error::other("the name has no address"))?;
    let mut connection = TcpStream::connect_timeout(&address, TIMEOUT)?;
    connection.set_read_timeout(Some(TIMEOUT))?;
    connection.set_write_timeout(Some(TIMEOUT))?;
    let (path, authority) = (&target.path, &target.authority);
    write!(connection, "GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n")?;
    let head = http::read_head(&mut connection)?;
    Ok(head.lines().next().unwrap_or_default().to_string())
}
