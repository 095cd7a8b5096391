//! What each path answers. A request and the service's state in, an answer or a deed out; no sockets, no exit.
//! Called by `serve`, which also performs the deeds.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::http::{Answer, Request};

/// The most that one `/leak` may ask for, in MiB: a slip of the hand must not take a host without limits down.
pub const LEAK_MB_MAX: u32 = 4096;

/// What `serve` does for a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Deed {
    /// Send this.
    Answer(Answer),
    /// Take and touch this much memory and keep it, then answer.
    Leak {
        /// How much, in MiB.
        mb: u32,
    },
    /// Exit at once with this code, without an answer.
    Crash {
        /// The exit code.
        code: i32,
    },
}

/// Who this instance is, as the scheduler told it.
pub struct Identity {
    allocation: String,
    node: String,
    version: String,
}

impl Identity {
    /// Reads `NOMAD_ALLOC_ID`, `NODE_NAME` or `NOMAD_NODE_NAME`, and `VERSION`; empty where nothing is said.
    pub fn from_environment() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
        Self {
            allocation: variable("NOMAD_ALLOC_ID").unwrap_or_default(),
            node: variable("NODE_NAME").or_else(|| variable("NOMAD_NODE_NAME")).unwrap_or_default(),
            version: variable("VERSION").unwrap_or_else(|| env!("CARGO_PKG_VERSION").into()),
        }
    }

    /// The basket and who hands it out, as one JSON object.
    pub fn json(&self) -> String {
        let (allocation, node, version) = (quoted(&self.allocation), quoted(&self.node), quoted(&self.version));
        format!(r#"{{"basket":["apple","pear","plum"],"allocation":{allocation},"node":{node},"version":{version}}}"#)
    }
}

/// The service between two requests.
pub struct Basket {
    identity: Identity,
    healthy: AtomicBool,
}

impl Basket {
    /// A healthy service.
    pub fn new(identity: Identity) -> Self {
        Self { identity, healthy: AtomicBool::new(true) }
    }

    /// Decides on one request; `/fail` and `/heal` change what `/health` answers from then on.
    pub fn handle(&self, request: &Request) -> Deed {
        if request.method != "GET" && request.method != "POST" {
            return Deed::Answer(Answer::new(405, format!("{} is not served: use GET", request.method)));
        }
        let deed = match request.path.as_str() {
            "/" => Ok(Deed::Answer(Answer::new(200, self.identity.json()))),
            "/health" if self.healthy.load(Ordering::Relaxed) => Ok(Deed::Answer(Answer::new(200, "healthy"))),
            "/health" => Ok(Deed::Answer(Answer::new(503, "unhealthy: somebody asked for /fail; /heal undoes it"))),
            "/fail" => Ok(self.turn(false, "/health answers 503 from now on; /heal undoes it")),
            "/heal" => Ok(self.turn(true, "/health answers 200 from now on")),
            "/leak" => leak(request),
            "/crash" => request.number("code").map(|code| Deed::Crash { code: code.unwrap_or(1) as i32 }),
            path => Ok(Deed::Answer(Answer::new(404, format!("{path} is not served")))),
        };
        deed.unwrap_or_else(|message| Deed::Answer(Answer::new(400, message)))
    }

    fn turn(&self, healthy: bool, body: &str) -> Deed {
        self.healthy.store(healthy, Ordering::Relaxed);
        Deed::Answer(Answer::new(200, body))
    }
}

fn leak(request: &Request) -> Result<Deed, String> {
    let mb = request.number("mb")?.ok_or("say how much: /leak?mb=64")?;
    if mb > LEAK_MB_MAX {
        return Err(format!("mb={mb} is more than {LEAK_MB_MAX}"));
    }
    Ok(Deed::Leak { mb })
}

/// A JSON string. Environment variables may hold anything, so everything that JSON forbids is escaped.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", control as u32)),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basket() -> Basket {
        let identity = Identity { allocation: "a1".into(), node: "n\"1\n".into(), version: "2".into() };
        Basket::new(identity)
    }

    fn get(basket: &Basket, path: &str) -> Deed {
        basket.handle(&Request::parse(&format!("GET {path} HTTP/1.1\r\n\r\n")).expect("a good request"))
    }

    fn status(deed: &Deed) -> Option<u16> {
        match deed {
            Deed::Answer(answer) => Some(answer.status),
            Deed::Leak { .. } | Deed::Crash { .. } => None,
        }
    }

    #[test]
    fn the_basket_says_who_hands_it_out() {
        let expected = r#"{"basket":["apple","pear","plum"],"allocation":"a1","node":"n\"1\u000a","version":"2"}"#;
        assert_eq!(get(&basket(), "/"), Deed::Answer(Answer::new(200, expected)));
    }

    #[test]
    fn fail_and_heal_switch_the_health() {
        let basket = basket();
        let health = || status(&get(&basket, "/health"));
        assert_eq!(health(), Some(200));
        get(&basket, "/fail");
        assert_eq!(health(), Some(503));
        get(&basket, "/heal");
        assert_eq!(health(), Some(200));
    }

    #[test]
    fn leaks_and_crashes_are_deeds() {
        assert_eq!(get(&basket(), "/leak?mb=64"), Deed::Leak { mb: 64 });
        assert_eq!(get(&basket(), "/crash?code=7"), Deed::Crash { code: 7 });
        assert_eq!(get(&basket(), "/crash"), Deed::Crash { code: 1 });
    }

    #[test]
    fn a_leak_has_a_limit() {
        assert_eq!(get(&basket(), &format!("/leak?mb={LEAK_MB_MAX}")), Deed::Leak { mb: LEAK_MB_MAX });
        assert_eq!(status(&get(&basket(), &format!("/leak?mb={}", LEAK_MB_MAX + 1))), Some(400));
    }

    #[test]
    fn mistakes_are_answered() {
        assert_eq!(status(&get(&basket(), "/leak")), Some(400));
        assert_eq!(status(&get(&basket(), "/leak?mb=-1")), Some(400));
        assert_eq!(status(&get(&basket(), "/crash?code=x")), Some(400));
        assert_eq!(status(&get(&basket(), "/nothing")), Some(404));
        let delete = Request::parse("DELETE / HTTP/1.1\r\n\r\n").expect("a good request");
        assert_eq!(status(&basket().handle(&delete)), Some(405));
    }
}
