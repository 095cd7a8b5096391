//! One request, taken apart: its route, what its path and query say, its body, and what its caller may do.

use bytes::Bytes;
use http::HeaderMap;
use model::DEFAULT_NAMESPACE;

use super::body::Fields;
use super::failure::Failure;
use super::gate::Gate;
use super::query::Query;
use super::route::Route;

/// A request whose route is known.
#[derive(Debug)]
pub(super) struct Call {
    /// The route.
    pub(super) route: &'static Route,
    /// What stands in the path for each of the route's parameters.
    pub(super) parameters: Vec<(&'static str, String)>,
    /// The query.
    pub(super) query: Query,
    /// The headers.
    pub(super) headers: HeaderMap,
    /// The body.
    pub(super) body: Bytes,
    /// What the caller may do.
    pub(super) gate: Gate,
}

/// The namespaces that a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Namespaces<'a> {
    /// `namespace=*`.
    All,
    /// One.
    One(&'a str),
}

impl Namespaces<'_> {
    /// Whether `namespace` is among them.
    pub(super) fn hold(self, namespace: &str) -> bool {
        match self {
            Namespaces::All => true,
            Namespaces::One(one) => one == namespace,
        }
    }
}

impl Call {
    /// What stands in the path for the parameter of that name.
    pub(super) fn parameter(&self, name: &str) -> &str {
        let found = self.parameters.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// The namespaces that are asked for.
    pub(super) fn namespaces(&self) -> Namespaces<'_> {
        match self.query.text("namespace") {
            Some("*") => Namespaces::All,
            Some(one) => Namespaces::One(one),
            None => Namespaces::One(DEFAULT_NAMESPACE),
        }
    }

    /// The one namespace that is asked for; `*` makes no sense where one object is named.
    pub(super) fn namespace(&self) -> &str {
        match self.namespaces() {
            Namespaces::All => DEFAULT_NAMESPACE,
            Namespaces::One(one) => one,
        }
    }

    /// The fields of the body, which must not be empty.
    pub(super) fn fields(&self) -> Result<Fields, Failure> {
        Fields::parse(&self.body)
    }

    /// The fields of the body, none where it is empty: for routes whose path says all that is needed.
    pub(super) fn fields_if_any(&self) -> Result<Fields, Failure> {
        if self.body.is_empty() { Ok(Fields::default()) } else { self.fields() }
    }

    /// The id under which the change is applied at most once, if the client gave a token for it.
    pub(super) fn idempotency(&self) -> Option<[u8; 16]> {
        let token = self.query.text("idempotency_token")?;
        // A token counts per route, so that one that is used for two deeds does not swallow the second.
        let id = model::EvaluationId::derive(&[b"idempotency", self.route.path.as_bytes(), token.as_bytes()]);
        Some(*id.as_bytes())
    }
}
