//! Identifiers: a type for each kind of thing, so that a node's id can't be passed for an allocation's.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// Position of an entry in the replicated log; also the "modify index" that clients wait on.
pub type Index = u64;
/// Raft term of a leader.
pub type Term = u64;
/// Number of a server, never used twice in the life of a cluster.
pub type ServerId = u64;

/// The text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{kind} id must be 36 characters of hexadecimal and dashes, got `{text}`")]
pub struct ParseIdError {
    kind: &'static str,
    text: String,
}

/// Parts that an id is derived from. Where many ids begin with the same parts, those are hashed once.
#[derive(Clone)]
pub struct Derivation(blake3::Hasher);

impl Derivation {
    /// Of these parts.
    pub fn of(parts: &[&[u8]]) -> Self {
        parts.iter().fold(Self(blake3::Hasher::new()), |derivation, part| derivation.and(part))
    }

    /// Of one part more, whose border to the others counts too.
    pub fn and(mut self, part: &[u8]) -> Self {
        self.0.update(&(part.len() as u64).to_le_bytes());
        self.0.update(part);
        self
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(Uuid);

        impl $name {
            /// The id whose 128 bits are taken from `hash`, marked as a UUID of version 8 (custom, RFC 9562).
            pub fn from_hash(hash: [u8; 16]) -> Self {
                Self(uuid::Builder::from_custom_bytes(hash).into_uuid())
            }

            /// The id derived from `parts` by BLAKE3: equal parts give equal ids on every server.
            pub fn derive(parts: &[&[u8]]) -> Self {
                Self::derived(&Derivation::of(parts))
            }

            /// The id derived from the parts of `derivation`.
            pub fn derived(derivation: &Derivation) -> Self {
                let mut hash = [0; 16];
                hash.copy_from_slice(&derivation.0.finalize().as_bytes()[..16]);
                Self::from_hash(hash)
            }

            /// The 16 bytes, in the order in which they are printed.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The first eight digits, which is what people type.
            pub fn short(&self) -> String {
                self.to_string()[..8].to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0.hyphenated(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let wrong = || ParseIdError { kind: $kind, text: text.to_string() };
                if text.len() != 36 {
                    return Err(wrong());
                }
                Uuid::try_parse(text).map(Self).map_err(|_| wrong())
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    serializer.serialize_bytes(self.0.as_bytes())
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(IdVisitor).map(Self)
            }
        }
    };
}

uuid_id!(
    /// Identifies one placement of one instance of a group. A replacement has a new id.
    AllocationId,
    "allocation"
);
uuid_id!(
    /// Identifies one run of the scheduler for one job.
    EvaluationId,
    "evaluation"
);
uuid_id!(
    /// Identifies the rollout of one version of a job.
    DeploymentId,
    "deployment"
);
uuid_id!(
    /// Identifies a node for as long as its agent keeps its state directory.
    NodeId,
    "node"
);
uuid_id!(
    /// Identifies the cluster; containers and certificates carry it.
    ClusterId,
    "cluster"
);

uuid_id!(
    /// Identifies a volume that was made or registered while the cluster runs.
    VolumeId,
    "volume"
);
uuid_id!(
    /// Identifies the claim of an instance to a sticky volume.
    VolumeClaimId,
    "volume claim"
);

/// Reads an id from text (JSON) or from 16 bytes (MessagePack).
struct IdVisitor;

impl serde::de::Visitor<'_> for IdVisitor {
    type Value = Uuid;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a UUID")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Uuid, E> {
        Uuid::try_parse(text).map_err(E::custom)
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Uuid, E> {
        Uuid::from_slice(bytes).map_err(E::custom)
    }
}

/// Names a job: its namespace and its id within it. In order of namespaces, then of ids.
#[derive(Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct JobKey {
    /// The namespace; jobs of different namespaces may share an id.
    #[serde(deserialize_with = "read_namespace")]
    pub namespace: Arc<str>,
    /// The id, as the jobspec's label gives it.
    pub id: Arc<str>,
}

impl JobKey {
    /// The key of job `id` in `namespace`.
    pub fn new(namespace: &str, id: &str) -> Self {
        Self { namespace: shared(namespace), id: id.into() }
    }
}

/// The namespace of that name. Nearly all jobs are in one, whose name they share: tables are full of such keys, and what is
/// shared need not be fetched from memory again and again, neither to copy it nor to compare it.
fn shared(namespace: &str) -> Arc<str> {
    static DEFAULT: LazyLock<Arc<str>> = LazyLock::new(|| crate::DEFAULT_NAMESPACE.into());
    if **DEFAULT == *namespace { DEFAULT.clone() } else { namespace.into() }
}

fn read_namespace<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
    std::borrow::Cow::<str>::deserialize(deserializer).map(|namespace| shared(&namespace))
}

impl Ord for JobKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = |one: &Arc<str>, other: &Arc<str>| {
            if Arc::ptr_eq(one, other) { Ordering::Equal } else { one.cmp(other) }
        };
        order(&self.namespace, &other.namespace).then_with(|| order(&self.id, &other.id))
    }
}

impl PartialOrd for JobKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for JobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.id, self.namespace)
    }
}

impl fmt::Debug for JobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_parts_derive_equal_ids_and_part_borders_count() {
        assert_eq!(NodeId::derive(&[b"a", b"bc"]), NodeId::derive(&[b"a", b"bc"]));
        assert_ne!(NodeId::derive(&[b"a", b"bc"]), NodeId::derive(&[b"ab", b"c"]));
        assert_eq!(NodeId::derived(&Derivation::of(&[b"a"]).and(b"bc")), NodeId::derive(&[b"a", b"bc"]));
    }

    #[test]
    fn an_id_is_printed_as_a_uuid_of_version_8_and_read_back() {
        let id = AllocationId::derive(&[b"x"]);
        assert_eq!(&id.to_string()[14..15], "8");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn a_wrong_id_says_what_it_should_be() {
        let error = "abc".parse::<NodeId>().unwrap_err();
        assert_eq!(error.to_string(), "node id must be 36 characters of hexadecimal and dashes, got `abc`");
    }

    #[test]
    fn jobs_are_in_order_of_namespaces_and_those_of_the_usual_one_share_its_name() {
        let keys = [("a", "z"), ("default", "a"), ("default", "b"), ("z", "a")].map(|(of, id)| JobKey::new(of, id));
        assert!(keys.is_sorted());
        let written = serde_json::to_string(&keys[1]).unwrap();
        let read: JobKey = serde_json::from_str(&written).unwrap();
        assert_eq!(read, keys[1]);
        assert!(Arc::ptr_eq(&read.namespace, &keys[2].namespace));
    }
}
