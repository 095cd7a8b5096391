//! Where a listener may listen, and by which names it may be addressed.
//!
//! There are no tokens in this release, so whoever reaches the listener may do everything: it stays on loopback. A web
//! page elsewhere can still make a browser on this host connect to loopback under a name of its own (DNS rebinding);
//! the `Host` header gives that away.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use http::header::HOST;
use thiserror::Error;

/// The address is one that others could reach.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "refusing to serve HTTP on {address}: it is reachable from other hosts, and this release has neither tokens nor TLS \
     for HTTP; bind a loopback address (127.0.0.0/8 or ::1) and reach it through `ssh -L`"
)]
pub struct BindError {
    address: SocketAddr,
}

/// Whether a listener may be bound to `address`.
pub fn check_bind(address: SocketAddr) -> Result<(), BindError> {
    if address.ip().is_loopback() { Ok(()) } else { Err(BindError { address }) }
}

/// Whether the `Host` of a request names this listener: by a loopback address, `localhost`, or one of `names`.
pub(super) fn host_is_ours(headers: &HeaderMap, names: &[String]) -> bool {
    // Without a `Host` there is no browser that was led astray.
    let Some(host) = headers.get(HOST) else { return true };
    let Ok(host) = host.to_str() else { return false };
    let name = without_port(host);
    let is_loopback = name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    is_loopback || name.eq_ignore_ascii_case("localhost") || names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn without_port(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    host.split(':').next().unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_may_be_bound() {
        assert_eq!(check_bind("127.0.0.3:4646".parse().unwrap()), Ok(()));
        assert_eq!(check_bind("[::1]:4646".parse().unwrap()), Ok(()));
        let error = check_bind("0.0.0.0:4646".parse().unwrap()).unwrap_err();
        assert!(error.to_string().starts_with("refusing to serve HTTP on 0.0.0.0:4646"), "{error}");
        assert!(check_bind("192.0.2.1:4646".parse().unwrap()).is_err());
    }

    #[track_caller]
    fn check(host: &str, wanted: bool) {
        let headers = HeaderMap::from_iter([(HOST, host.parse().unwrap())]);
        assert_eq!(host_is_ours(&headers, &["sched.example".into()]), wanted, "{host}");
    }

    #[test]
    fn a_name_that_was_rebound_is_refused() {
        check("127.0.0.1:4646", true);
        check("127.0.0.3", true);
        check("[::1]:4646", true);
        check("LocalHost:4646", true);
        check("sched.example:80", true);
        check("evil.example:4646", false);
        check("127.0.0.1.evil.example", false);
        check("192.0.2.1", false);
    }
}
