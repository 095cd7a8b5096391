//! Waiting for SIGTERM or SIGINT. As process 1 of a container a program without a handler never gets either, so this
//! installs one; all it does is write a byte into a socket pair, which is allowed inside a handler. Called by `serve`
//! and `probe`.

use std::io::{ErrorKind, Read};
use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;
const SIG_ERR: usize = usize::MAX;

/// The end of the pair that the handler writes to; -1 until `Stop::install`.
static WRITER: AtomicI32 = AtomicI32::new(-1);

/// Becomes ready when the process is asked to stop.
pub struct Stop {
    reader: UnixStream,
}

impl Stop {
    /// Installs the handlers. Called once, before anything else runs.
    pub fn install() -> std::io::Result<Self> {
        let (reader, writer) = UnixStream::pair()?;
        writer.set_nonblocking(true)?;
        // The writer lives as long as the process: the handler may run at any time.
        WRITER.store(writer.into_raw_fd(), Ordering::SeqCst);
        for number in [SIGTERM, SIGINT] {
            handle(number)?;
        }
        Ok(Self { reader })
    }

    /// Waits until the process is asked to stop.
    pub fn wait(&mut self) -> std::io::Result<()> {
        self.reader.set_read_timeout(None)?;
        self.arrived().map(|_| ())
    }

    /// Waits at most `limit`; true when the process was asked to stop.
    pub fn wait_at_most(&mut self, limit: Duration) -> std::io::Result<bool> {
        self.reader.set_read_timeout(Some(limit))?;
        self.arrived()
    }

    fn arrived(&mut self) -> std::io::Result<bool> {
        loop {
            match self.reader.read(&mut [0]) {
                Ok(_) => return Ok(true),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }
}

#[allow(unsafe_code)]
mod raw {
    //! The two calls into the C library that the standard library links anyway.

    unsafe extern "C" {
        pub fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
        pub fn write(fd: i32, bytes: *const u8, length: usize) -> isize;
    }

    pub extern "C" fn on_signal(_number: i32) {
        let fd = super::WRITER.load(super::Ordering::SeqCst);
        // SAFETY: `write` may be called from a signal handler; the byte is static, the descriptor is never closed, and
        // a full socket (the stop is then known already) gives an error that may be ignored.
        unsafe {
            write(fd, c"!".as_ptr().cast(), 1);
        }
    }
}

#[allow(unsafe_code)]
fn handle(number: i32) -> std::io::Result<()> {
    // SAFETY: the handler has the signature that `signal` demands and only does what a handler may do.
    let previous = unsafe { raw::signal(number, raw::on_signal) };
    if previous == SIG_ERR { Err(std::io::Error::last_os_error()) } else { Ok(()) }
}
