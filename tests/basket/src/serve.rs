//! The service: accepts, reads a request, does the deed, logs a line; on SIGTERM lets the requests in flight finish.
//! Every decision is in `routes`. Called by `main`.

use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::http::{self, Answer, Request};
use crate::log;
use crate::routes::{Basket, Deed, Identity};
use crate::signal::Stop;

/// Requests served at one time; one more is told to come back.
const REQUESTS_MAX: usize = 256;
/// How long a client may take to send its request or read its answer.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a stop waits for the requests in flight.
const STOP_GRACE: Duration = Duration::from_secs(3);

/// Serves until SIGTERM or SIGINT. An error when the port is no port or cannot be bound.
pub fn run() -> std::io::Result<()> {
    let mut stop = Stop::install()?;
    let identity = Identity::from_environment();
    let listener = TcpListener::bind(("0.0.0.0", port()?))?;
    log::line(&format!("start: listening on {}, {}", listener.local_addr()?, identity.json()));

    let basket = Arc::new(Basket::new(identity));
    let in_flight = Arc::new(InFlight::default());
    let counted = Arc::clone(&in_flight);
    thread::spawn(move || accept(&listener, &basket, &counted));

    stop.wait()?;
    let left = in_flight.drain(STOP_GRACE);
    log::line(&format!("stop: asked to, {left} requests cut off"));
    Ok(())
}

fn port() -> std::io::Result<u16> {
    let said =
        ["PORT", "NOMAD_PORT_http"].into_iter().find_map(|name| std::env::var(name).ok().map(|text| (name, text)));
    let Some((name, text)) = said else { return Ok(8080) };
    text.parse().map_err(|_| std::io::Error::other(format!("{name}={text:?} is not a port")))
}

fn accept(listener: &TcpListener, basket: &Arc<Basket>, in_flight: &Arc<InFlight>) {
    for connection in listener.incoming() {
        // An error here belongs to one client (it hung up, or descriptors ran out for a moment).
        let Ok(mut connection) = connection else { continue };
        if !in_flight.enter() {
            let _ = Answer::new(503, "too many requests at once").send(&mut connection);
            continue;
        }
        let (basket, counted) = (Arc::clone(basket), Arc::clone(in_flight));
        thread::spawn(move || {
            serve(&mut connection, &basket);
            counted.leave();
        });
    }
}

fn serve(connection: &mut TcpStream, basket: &Basket) {
    let began = Instant::now();
    let peer = connection.peer_addr().map_or_else(|_| "?".into(), |peer| peer.ip().to_string());
    let limits = connection.set_read_timeout(Some(CLIENT_TIMEOUT));
    let head =
        limits.and(connection.set_write_timeout(Some(CLIENT_TIMEOUT))).and_then(|()| http::read_head(connection));
    let Ok(head) = head else {
        log::line(&format!("request from {peer}: broken off"));
        return;
    };
    let (what, deed) = match Request::parse(&head) {
        Some(request) => (format!("{} {}", request.method, request.path), basket.handle(&request)),
        None => ("not HTTP".into(), Deed::Answer(Answer::new(400, "this is not HTTP/1"))),
    };
    let answer = match deed {
        Deed::Answer(answer) => answer,
        Deed::Crash { code } => {
            log::line(&format!("request {what} from {peer}: stop: crashes with {code}, as asked"));
            std::process::exit(code);
        }
        Deed::Leak { mb } => {
            log::line(&format!("request {what} from {peer}: takes {mb} MiB and keeps them"));
            leak(mb);
            Answer::new(200, format!("leaked {mb} MiB"))
        }
    };
    let sent = answer.send(connection);
    let outcome = if sent.is_ok() { "" } else { ", which nobody read" };
    log::line(&format!("request {what} from {peer}: {}{outcome}, {} us", answer.status, began.elapsed().as_micros()));
}

/// Takes memory for good, MiB by MiB, with something in each page: untouched pages cost nothing and would never meet
/// the limit, and pages of zeroes may be shared.
fn leak(mb: u32) {
    for _ in 0..mb {
        std::mem::forget(vec![0xA5_u8; 1024 * 1024]);
    }
}

/// How many requests are being served.
#[derive(Default)]
struct InFlight {
    count: Mutex<usize>,
    fell: Condvar,
}

impl InFlight {
    /// Counts one more, or refuses.
    fn enter(&self) -> bool {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let room = *count < REQUESTS_MAX;
        *count += usize::from(room);
        room
    }

    fn leave(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.fell.notify_all();
    }

    /// Waits until none is left, at most `grace`; says how many are left.
    fn drain(&self, grace: Duration) -> usize {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.fell.wait_timeout_while(count, grace, |count| *count > 0);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_requests_as_the_limit_and_no_more() {
        let in_flight = InFlight::default();
        assert!((0..REQUESTS_MAX).all(|_| in_flight.enter()));
        assert!(!in_flight.enter());
        in_flight.leave();
        assert!(in_flight.enter());
    }

    #[test]
    fn a_stop_waits_for_the_last_request() {
        let in_flight = Arc::new(InFlight::default());
        assert!(in_flight.enter());
        assert_eq!(in_flight.drain(Duration::ZERO), 1);
        let other = Arc::clone(&in_flight);
        let worker = thread::spawn(move || other.leave());
        assert_eq!(in_flight.drain(Duration::from_secs(60)), 0);
        worker.join().expect("the worker does not panic");
    }
}
