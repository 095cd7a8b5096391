//! How an event of a task is written: with names for people, and else as an array, in which a number stands for words that
//! agents use again and again. There may be millions of instances, of most of which the same three things are to be told.
//!
//! ```text
//!   [number of known words, at]                what is known, of which there are no facts
//!   [kind, at, message]                        anything else
//!   [kind, at, message, details]
//! ```
//!
//! Earlier releases wrote names for programs as well, and are read.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::TaskEvent;
use crate::Timestamp;

/// Kinds and messages, known by their places: none may ever change or go, new ones come behind.
const KNOWN: [(&str, &str); 4] = [
    ("Received", "Task received by client"),
    ("Task Setup", "Preparing the task"),
    ("Started", "Task started by client"),
    ("Killed", "Task successfully killed"),
];

/// With names.
#[derive(Serialize, Deserialize)]
struct Named {
    kind: String,
    at: Timestamp,
    message: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    details: BTreeMap<String, String>,
}

/// What an array begins with.
#[derive(Deserialize)]
#[serde(untagged)]
enum Begin {
    Known(usize),
    Kind(String),
}

impl Serialize for TaskEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { kind, at, message, details } = self;
        if serializer.is_human_readable() {
            let (kind, message) = (kind.clone(), message.clone());
            return Named { kind, at: *at, message, details: details.clone() }.serialize(serializer);
        }
        let known = KNOWN.iter().position(|words| *words == (kind, message)).filter(|_| details.is_empty());
        match known {
            Some(place) => (place, at).serialize(serializer),
            None if details.is_empty() => (kind, at, message).serialize(serializer),
            None => (kind, at, message, details).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for TaskEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

/// Takes either form.
struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = TaskEvent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event of a task")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TaskEvent, A::Error> {
        let Named { kind, at, message, details } = Named::deserialize(MapAccessDeserializer::new(map))?;
        Ok(TaskEvent { kind, at, message, details })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<TaskEvent, A::Error> {
        let lacks = |what| A::Error::custom(format!("an event of a task lacks its {what}"));
        let begin = array.next_element()?.ok_or_else(|| lacks("kind"))?;
        let at = array.next_element()?.ok_or_else(|| lacks("time"))?;
        let (kind, message) = match begin {
            Begin::Kind(kind) => (kind, array.next_element()?.ok_or_else(|| lacks("message"))?),
            // Words of a later release, which this one does not know.
            Begin::Known(place) => {
                let (kind, message) = KNOWN.get(place).copied().unwrap_or_default();
                (kind.to_owned(), message.to_owned())
            }
        };
        let details = array.next_element()?.unwrap_or_default();
        // What a later release tells beyond that.
        while array.next_element::<serde::de::IgnoredAny>()?.is_some() {}
        Ok(TaskEvent { kind, at, message, details })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, message: &str, details: &[(&str, &str)]) -> TaskEvent {
        let details = details.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        TaskEvent { kind: kind.into(), at: Timestamp::from_seconds(1_000_000_000), message: message.into(), details }
    }

    #[test]
    fn an_event_is_read_as_it_was_written_and_known_words_take_a_dozen_bytes() {
        for (event, bytes) in [
            (event("Started", "Task started by client", &[]), 11),
            (event("Started", "Otherwise", &[]), 28),
            (event("Terminated", "Exit code 1", &[("exit_code", "1")]), 46),
            (event("Started", "Task started by client", &[("fact", "1")]), 49),
        ] {
            let written = rmp_serde::to_vec_named(&event).unwrap();
            assert_eq!((rmp_serde::from_slice::<TaskEvent>(&written).unwrap(), written.len()), (event.clone(), bytes));
            let written = serde_json::to_value(&event).unwrap();
            assert_eq!(written["kind"], event.kind.as_str(), "people read names");
            assert_eq!(serde_json::from_value::<TaskEvent>(written).unwrap(), event);
        }
    }

    #[test]
    fn events_of_earlier_and_of_later_releases_are_read() {
        let started = event("Started", "Task started by client", &[]);
        let (kind, message) = (started.kind.clone(), started.message.clone());
        let earlier = Named { kind, at: started.at, message, details: BTreeMap::new() };
        let earlier = rmp_serde::to_vec_named(&earlier).unwrap();
        assert_eq!(rmp_serde::from_slice::<TaskEvent>(&earlier).unwrap(), started);
        let none = BTreeMap::<String, String>::new();
        let longer = rmp_serde::to_vec(&("Started", started.at, "Task started by client", none, "more"));
        assert_eq!(rmp_serde::from_slice::<TaskEvent>(&longer.unwrap()).unwrap(), started);
        let unknown = rmp_serde::to_vec(&(KNOWN.len(), started.at)).unwrap();
        assert_eq!(rmp_serde::from_slice::<TaskEvent>(&unknown).unwrap(), event("", "", &[]));
    }
}
