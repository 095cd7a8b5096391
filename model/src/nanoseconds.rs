//! Durations as whole nanoseconds, which is how Nomad's JSON carries them. For `#[serde(with = "…")]`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer};

/// Writes `duration` as nanoseconds; what exceeds an `i64` is cut to its maximum (292 years).
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
}

/// Reads nanoseconds; a negative number is an error.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let nanoseconds = i64::deserialize(deserializer)?;
    u64::try_from(nanoseconds)
        .map(Duration::from_nanos)
        .map_err(|_| serde::de::Error::custom(format!("a duration must not be negative, got {nanoseconds} ns")))
}

/// The same for a duration that may be absent.
pub mod option {
    use super::*;

    /// Writes nanoseconds or null.
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => super::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads nanoseconds or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        #[derive(Deserialize)]
        struct Wrapped(#[serde(with = "crate::nanoseconds")] Duration);
        Ok(Option::<Wrapped>::deserialize(deserializer)?.map(|wrapped| wrapped.0))
    }
}
