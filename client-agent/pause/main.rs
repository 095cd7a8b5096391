//! Holds a network namespace open for a group's tasks: waits until it is told to end.
//!
//! The build script compiles this file alone, as a static program for an image without anything else in it. As the
//! first process of its container it gets no signal that it has no handler for, hence the handler.

#![deny(missing_docs)]

const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

// The C library is linked anyway, by the standard library; these are the three calls that it has no words for.
unsafe extern "C" {
    fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
    fn pause() -> i32;
    fn _exit(code: i32) -> !;
}

extern "C" fn end(_number: i32) {
    // SAFETY: `_exit` may be called in a signal handler.
    unsafe { _exit(0) }
}

fn main() {
    // SAFETY: both handlers do nothing but exit, and `pause` touches no memory.
    unsafe {
        signal(SIGINT, end);
        signal(SIGTERM, end);
        loop {
            pause();
        }
    }
}
