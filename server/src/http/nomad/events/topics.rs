//! Which events a client wants: `topic=Job`, `topic=Allocation:<id>`, `topic=*`, repeated.

use super::event::Event;
use crate::http::failure::Failure;

/// The topics that there are.
const KNOWN: [&str; 7] = ["Job", "Evaluation", "Allocation", "Deployment", "Node", "Service", "HostVolume"];
const ANY: &str = "*";

/// Pairs of topic and key.
#[derive(Clone, Debug)]
pub(super) struct Topics {
    wanted: Vec<(String, String)>,
}

impl Topics {
    /// Reads the `topic` parameters; none means all.
    pub(super) fn parse<'a>(parameters: impl Iterator<Item = &'a str>) -> Result<Self, Failure> {
        let mut wanted = Vec::new();
        for parameter in parameters {
            let (topic, key) = parameter.split_once(':').unwrap_or((parameter, ANY));
            if topic != ANY && !KNOWN.contains(&topic) {
                let known = KNOWN.join(", ");
                return Err(Failure::bad_request(format!("unknown topic {topic:?}: expected one of {known} or *")));
            }
            wanted.push((topic.to_string(), if key.is_empty() { ANY } else { key }.to_string()));
        }
        if wanted.is_empty() {
            wanted.push((ANY.into(), ANY.into()));
        }
        Ok(Self { wanted })
    }

    /// Whether an event is among them.
    pub(super) fn hold(&self, event: &Event) -> bool {
        self.wanted.iter().any(|(topic, key)| {
            (topic == ANY || topic == event.topic)
                && (key == ANY || *key == event.key || event.filter_keys.iter().any(|known| known == key))
        })
    }
}
