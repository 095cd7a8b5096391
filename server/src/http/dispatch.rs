//! From a request to its handler: request id, host, route, authorization, body; the same for every route.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use server_core::authorize::{Caller, Object};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, info_span};

use super::bind::host_is_ours;
use super::call::Call;
use super::failure::Failure;
use super::gate::Gate;
use super::limits::{BODY_READ_MAX, REQUEST_ID_BYTES_MAX};
use super::nomad::ROUTES;
use super::query::Query;
use super::route::{Handler, Verb, find};
use super::{Api, HttpConfig, read};
use crate::cluster::Cluster;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Everything that the listener answers.
pub fn router(cluster: Arc<dyn Cluster>, config: HttpConfig, shutdown: CancellationToken) -> Router {
    let api = Arc::new(Api { cluster, config, shutdown });
    // The table does the routing: axum's own patterns can't have a parameter of several segments before a literal.
    Router::new().fallback(dispatch).with_state(api)
}

async fn dispatch(State(api): State<Arc<Api>>, request: Request<Body>) -> Response {
    let request_id = request_id(&api, request.headers());
    let span = info_span!("http", request_id, method = %request.method(), path = request.uri().path());
    let answering = async {
        let response = answer(&api, request, request_id.clone()).await.unwrap_or_else(IntoResponse::into_response);
        debug!(status = response.status().as_u16(), "answered");
        response
    };
    let mut response = answering.instrument(span).await;
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn answer(api: &Arc<Api>, request: Request<Body>, request_id: String) -> Result<Response, Failure> {
    let (head, body) = request.into_parts();
    if !host_is_ours(&head.headers, &api.config.host_names) {
        return Err(Failure::denied_host());
    }
    let (route, parameters) = find(ROUTES, &head.method, head.uri.path())?;
    let gate = Gate::new(Caller::Local, route.action, request_id);
    gate.check(Object::Cluster)?;
    let query = Query::parse(head.uri.query().unwrap_or_default())?;
    if let Some(region) = query.text("region").filter(|region| *region != api.config.region) {
        return Err(Failure::bad_request(format!("No path to region {region:?}: this is {:?}", api.config.region)));
    }
    let body = match route.verb {
        Verb::Get => Bytes::new(),
        Verb::Put | Verb::Delete => collect(body, &head.headers, route.body_bytes_max).await?,
    };
    let call = Call { route, parameters, query, headers: head.headers, body, gate };
    match route.handler {
        Handler::Read(read) => read::answer(api, &call, read).await,
        Handler::Act(act) => act(api.clone(), Arc::new(call)).await,
    }
}

/// The whole body, at most `bytes_max` of it, as fast as can be asked for.
async fn collect(body: Body, headers: &HeaderMap, bytes_max: usize) -> Result<Bytes, Failure> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > bytes_max as u64) {
        return Err(Failure::too_large(bytes_max));
    }
    match tokio::time::timeout(BODY_READ_MAX, Limited::new(body, bytes_max).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Failure::too_large(bytes_max)),
        Ok(Err(error)) => Err(Failure::bad_request(format!("request body was cut off: {error}"))),
        Err(_) => Err(Failure::bad_request(format!("request body did not arrive within {BODY_READ_MAX:?}"))),
    }
}

/// The client's id for the request, or one of ours.
fn request_id(api: &Api, headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    match given.filter(|id| !id.is_empty() && id.len() <= REQUEST_ID_BYTES_MAX) {
        Some(id) => id.to_string(),
        None => uuid::Builder::from_random_bytes(api.config.random.next_id()).into_uuid().to_string(),
    }
}
