//! Points in time as Nomad writes them: RFC 3339 with as many digits as needed, or Go's zero.

use model::Timestamp;
use serde::{Serialize, Serializer};

/// How Go writes a time that was never set.
const ZERO: &str = "0001-01-01T00:00:00Z";

/// A point in time that may not be set.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct GoTime(pub(in crate::http) Option<Timestamp>);

impl Serialize for GoTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let known = self.0.and_then(|at| jiff::Timestamp::from_nanosecond(at.nanoseconds().into()).ok());
        match known {
            Some(at) => serializer.collect_str(&at),
            None => serializer.serialize_str(ZERO),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_with_nanoseconds_and_zero_is_gos() {
        let text = |at| serde_json::to_string(&GoTime(at)).unwrap();
        assert_eq!(text(Some(Timestamp(1_700_000_000_123_456_789))), "\"2023-11-14T22:13:20.123456789Z\"");
        assert_eq!(text(Some(Timestamp::from_seconds(1_700_000_000))), "\"2023-11-14T22:13:20Z\"");
        assert_eq!(text(None), "\"0001-01-01T00:00:00Z\"");
    }
}
