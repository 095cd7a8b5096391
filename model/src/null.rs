//! Lists and maps whose emptiness is written as null, which is how Nomad's JSON has it. For `#[serde(with = "…")]`.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A list or map.
pub trait Holds {
    /// Whether there is nothing in it.
    fn is_empty(&self) -> bool;
}

impl<T> Holds for Vec<T> {
    fn is_empty(&self) -> bool {
        Vec::is_empty(self)
    }
}

impl<K, V> Holds for BTreeMap<K, V> {
    fn is_empty(&self) -> bool {
        BTreeMap::is_empty(self)
    }
}

/// Writes `value`, or null if there is nothing in it.
pub fn serialize<T: Holds + Serialize, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_empty() { serializer.serialize_none() } else { value.serialize(serializer) }
}

/// Reads what there is; null is nothing.
pub fn deserialize<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Document {
        #[serde(with = "crate::null")]
        list: Vec<u8>,
        #[serde(with = "crate::null")]
        map: BTreeMap<String, u8>,
    }

    #[test]
    fn null_absent_and_empty_are_the_same_and_written_as_null() {
        for text in ["{}", r#"{"list":null,"map":null}"#, r#"{"list":[],"map":{}}"#] {
            let read: Document = serde_json::from_str(text).unwrap();
            assert_eq!(read, Document::default());
            assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"list":null,"map":null}"#);
        }
        let full = r#"{"list":[1],"map":{"a":2}}"#;
        assert_eq!(serde_json::to_string(&serde_json::from_str::<Document>(full).unwrap()).unwrap(), full);
    }
}
