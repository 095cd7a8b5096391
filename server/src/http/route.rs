//! A route: method, path, the action that it needs, and its handler. A route can't be written down without an action.
//!
//! Paths are matched by their segments. `{id}` stands for one segment, `{id*}` for one or more, because ids of jobs may
//! hold slashes, raw or as `%2F`. Where several paths match, the one with more literal segments does.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::response::Response;
use http::Method;
use server_core::authorize::Action;

use super::Api;
use super::call::Call;
use super::failure::Failure;
use super::limits::{BACKUP_BODY_BYTES_MAX, BODY_BYTES_MAX, DOCUMENT_BODY_BYTES_MAX};
use super::query::decode;
use super::read::ReadFn;

/// One line of the table.
#[derive(Debug)]
pub(super) struct Route {
    /// The methods.
    pub(super) verb: Verb,
    /// The path.
    pub(super) path: &'static str,
    /// What the caller must be allowed to do.
    pub(super) action: Action,
    /// A sentence for the description of the API.
    pub(super) summary: &'static str,
    /// Bytes that the body may have.
    pub(super) body_bytes_max: usize,
    /// What answers.
    pub(super) handler: Handler,
}

/// Methods that belong together; clients use PUT and POST alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// GET, and HEAD.
    Get,
    /// PUT and POST.
    Put,
    /// DELETE.
    Delete,
}

impl Verb {
    /// The methods, for people and clients.
    pub(super) fn methods(self) -> &'static [&'static str] {
        match self {
            Verb::Get => &["GET"],
            Verb::Put => &["PUT", "POST"],
            Verb::Delete => &["DELETE"],
        }
    }

    /// The methods that are answered.
    fn answered(self) -> &'static [&'static str] {
        match self {
            Verb::Get => &["GET", "HEAD"],
            Verb::Put | Verb::Delete => self.methods(),
        }
    }

    fn is(self, method: &Method) -> bool {
        self.answered().contains(&method.as_str())
    }
}

/// What answers a request.
#[derive(Clone, Copy)]
pub(super) enum Handler {
    /// A function of one state, which can wait for news.
    Read(ReadFn),
    /// Everything else.
    Act(ActFn),
}

impl std::fmt::Debug for Handler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Handler::Read(_) => f.write_str("Read"),
            Handler::Act(_) => f.write_str("Act"),
        }
    }
}

/// An answer that is being made.
pub(super) type Acting = Pin<Box<dyn Future<Output = Result<Response, Failure>> + Send>>;
/// Makes an answer.
pub(super) type ActFn = fn(Arc<Api>, Arc<Call>) -> Acting;

impl Route {
    /// A route that reads.
    pub(super) const fn read(path: &'static str, action: Action, summary: &'static str, read: ReadFn) -> Self {
        Self { verb: Verb::Get, path, action, summary, body_bytes_max: 0, handler: Handler::Read(read) }
    }

    /// A GET that is more than a function of a state.
    pub(super) const fn get(path: &'static str, action: Action, summary: &'static str, act: ActFn) -> Self {
        Self { verb: Verb::Get, path, action, summary, body_bytes_max: 0, handler: Handler::Act(act) }
    }

    /// A route that changes something.
    pub(super) const fn put(path: &'static str, action: Action, summary: &'static str, act: ActFn) -> Self {
        Self { verb: Verb::Put, path, action, summary, body_bytes_max: BODY_BYTES_MAX, handler: Handler::Act(act) }
    }

    /// A route that removes something.
    pub(super) const fn delete(path: &'static str, action: Action, summary: &'static str, act: ActFn) -> Self {
        Self { verb: Verb::Delete, path, action, summary, body_bytes_max: BODY_BYTES_MAX, handler: Handler::Act(act) }
    }

    /// The route with a body that may hold a job's document.
    pub(super) const fn takes_document(self) -> Self {
        Self { body_bytes_max: DOCUMENT_BODY_BYTES_MAX, ..self }
    }

    /// The route with a body that is a backup.
    pub(super) const fn takes_backup(self) -> Self {
        Self { body_bytes_max: BACKUP_BODY_BYTES_MAX, ..self }
    }

    fn literals(&self) -> usize {
        self.path.split('/').filter(|segment| !segment.is_empty() && !segment.starts_with('{')).count()
    }

    /// What stands for each parameter, if the path is this route's. Segments are as they came, encoded.
    fn matches(&self, segments: &[&str]) -> Option<Vec<(&'static str, String)>> {
        let pattern: Vec<&'static str> = self.path.split('/').skip(1).collect();
        let mut parameters = Vec::new();
        let mut rest = segments;
        for (at, part) in pattern.iter().enumerate() {
            let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
                let (first, after) = rest.split_first()?;
                if decode(first, false).ok()?.as_str() != *part {
                    return None;
                }
                rest = after;
                continue;
            };
            let taken = match name.strip_suffix('*') {
                Some(_) => rest.len().checked_sub(pattern.len() - at - 1).filter(|taken| *taken > 0)?,
                None => 1,
            };
            let (these, after) = rest.split_at_checked(taken)?;
            let decoded: Result<Vec<_>, _> = these.iter().map(|segment| decode(segment, false)).collect();
            parameters.push((name.trim_end_matches('*'), decoded.ok()?.join("/")));
            rest = after;
        }
        rest.is_empty().then_some(parameters)
    }
}

/// A route of a table, with what stands in the path for its parameters.
pub(super) type Match = (&'static Route, Vec<(&'static str, String)>);

/// The route of `table` for a request.
pub(super) fn find(table: &'static [Route], method: &Method, path: &str) -> Result<Match, Failure> {
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    let mut matches: Vec<Match> =
        table.iter().filter_map(|route| route.matches(&segments).map(|parameters| (route, parameters))).collect();
    let most = matches.iter().map(|(route, _)| route.literals()).max();
    let Some(most) = most else {
        return Err(Failure::not_found(format!("no such path: {path}; /v1/openapi.json lists all")));
    };
    matches.retain(|(route, _)| route.literals() == most);
    if matches.iter().all(|(route, _)| route.path == JOB) && is_route_of_nomad_only(&segments) {
        return Err(Failure::not_found(format!(
            "no such path: {path}; this server has no such route of a job, /v1/openapi.json lists all it has"
        )));
    }
    let allowed: Vec<&str> = matches.iter().flat_map(|(route, _)| route.verb.answered()).copied().collect();
    matches.into_iter().find(|(route, _)| route.verb.is(method)).ok_or_else(|| Failure::invalid_method(&allowed))
}

/// The path under which any id of a job is taken, with its slashes.
const JOB: &str = "/v1/job/{id*}";

/// Whether Nomad has such a route of a job. Those that this server has not would be taken for jobs of that name, which a
/// client would be told do not exist. A job that is called so is still found by its encoded id.
fn is_route_of_nomad_only(segments: &[&str]) -> bool {
    matches!(
        segments,
        ["v1", "job", _, .., "action" | "actions" | "dispatch" | "scale"]
            | ["v1", "job", _, .., "dispatch", "payload"]
            | ["v1", "job", _, .., "periodic", "force"]
            | ["v1", "job", _, .., "versions", _, "tag"]
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::nomad::ROUTES;

    #[track_caller]
    fn check(method: Method, path: &str, wanted: &str, parameters: &[&str]) {
        let (route, found) = find(ROUTES, &method, path).unwrap_or_else(|error| panic!("{path}: {error:?}"));
        let found: Vec<_> = found.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!((route.path, found.as_slice()), (wanted, parameters), "{path}");
    }

    #[test]
    fn ids_of_jobs_hold_slashes_raw_and_encoded_and_suffixes_are_routed() {
        check(Method::GET, "/v1/job/web", "/v1/job/{id*}", &["web"]);
        check(Method::GET, "/v1/job/x/dispatch-1-2", "/v1/job/{id*}", &["x/dispatch-1-2"]);
        check(Method::GET, "/v1/job/x%2Fdispatch-1-2/allocations", "/v1/job/{id*}/allocations", &["x/dispatch-1-2"]);
        check(Method::GET, "/v1/job/a/b/c/versions", "/v1/job/{id*}/versions", &["a/b/c"]);
        check(Method::POST, "/v1/job/a%20b/evaluate", "/v1/job/{id*}/evaluate", &["a b"]);
        check(Method::DELETE, "/v1/job/web", "/v1/job/{id*}", &["web"]);
    }

    #[test]
    fn literal_segments_go_first() {
        check(Method::GET, "/v1/node/pools", "/v1/node/pools", &[]);
        check(Method::GET, "/v1/node/abc", "/v1/node/{id}", &["abc"]);
        check(Method::PUT, "/v1/deployment/promote/abc", "/v1/deployment/promote/{id}", &["abc"]);
        check(Method::HEAD, "/v1/jobs", "/v1/jobs", &[]);
    }

    #[test]
    fn a_wrong_method_is_405_and_an_unknown_path_404() {
        let wrong = |method: Method, path| find(ROUTES, &method, path).err();
        let allow = |allowed: &[&str]| Some(Failure::invalid_method(allowed));
        assert_eq!(wrong(Method::DELETE, "/v1/jobs"), allow(&["GET", "HEAD", "PUT", "POST"]));
        assert_eq!(wrong(Method::PUT, "/v1/job/web/versions"), allow(&["GET", "HEAD"]));
        let status = |path| find(ROUTES, &Method::GET, path).err().map(|error| error.status().as_u16());
        assert_eq!(status("/v1/nonsense"), Some(404));
        assert_eq!(status("/v1/jobs/"), Some(404));
        assert_eq!(status("/v2/jobs"), Some(404));
    }

    #[test]
    fn routes_of_a_job_that_only_nomad_has_are_no_jobs() {
        for path in ["web/scale", "a/b/scale", "web/dispatch/payload", "web/periodic/force", "web/versions/v1/tag"] {
            for method in [Method::GET, Method::PUT, Method::DELETE] {
                let path = format!("/v1/job/{path}");
                let error = find(ROUTES, &method, &path).err().unwrap();
                assert!(format!("{error:?}").contains("this server has no such route"), "{path}: {error:?}");
                assert_eq!(error.status().as_u16(), 404);
            }
        }
        check(Method::GET, "/v1/job/scale", "/v1/job/{id*}", &["scale"]);
        check(Method::GET, "/v1/job/web%2Fscale", "/v1/job/{id*}", &["web/scale"]);
    }

    #[test]
    fn no_route_stands_twice_in_the_table_and_each_says_what_it_does() {
        let mut known = std::collections::BTreeSet::new();
        for route in ROUTES {
            assert!(known.insert((route.path, route.verb.methods())), "{} stands twice", route.path);
            assert!(route.summary.ends_with('.') && route.path.starts_with('/'), "{}", route.path);
        }
    }
}
