//! The web UI's files, from the binary itself.
//!
//! Paths that name no file and have no extension are pages of the UI, which finds its own way; so they answer its
//! `index.html`. Built without the feature `ui`, there is one page, which says how to get the rest.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

use super::Api;
use super::call::Call;
use super::failure::Failure;
use super::reply::of_type;

/// Scripts and styles from here only, so that what a job or a log contains can't act in a browser.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     frame-ancestors 'none'; base-uri 'none'",
);
/// Names of built files carry a hash of their content, except those of pages.
const CACHE_FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const CACHE_AND_ASK: HeaderValue = HeaderValue::from_static("no-cache");

/// `GET /`: leads to the UI.
pub(super) async fn redirect(_: Arc<Api>, _: Arc<Call>) -> Result<Response, Failure> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/ui/"));
    Ok(response)
}

/// `GET /ui/{path}`.
pub(super) async fn serve(_: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let path = call.parameter("path");
    let is_page = !path.rsplit('/').next().unwrap_or_default().contains('.');
    let name = if is_page { "index.html" } else { path };
    let file = files::get(name).ok_or_else(|| Failure::not_found(format!("no such file: /ui/{path}")))?;
    let known = call.headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut response = of_type(content_type(name), Body::empty());
    if known.is_some_and(|known| known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == file.tag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        *response.body_mut() = Body::from(file.bytes);
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    let is_hashed = name.starts_with("assets/");
    headers.insert(header::CACHE_CONTROL, if is_hashed { CACHE_FOR_EVER } else { CACHE_AND_ASK });
    if let Ok(tag) = HeaderValue::from_str(&file.tag) {
        headers.insert(header::ETAG, tag);
    }
    Ok(response)
}

/// A file, with the tag by which a browser knows that it has it.
struct File {
    bytes: std::borrow::Cow<'static, [u8]>,
    tag: String,
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(feature = "ui")]
mod files {
    use rust_embed::RustEmbed;

    use super::File;

    #[derive(RustEmbed)]
    #[folder = "ui/dist"]
    struct Built;

    pub(super) fn get(name: &str) -> Option<File> {
        let file = Built::get(name)?;
        let hash = file.metadata.sha256_hash();
        let tag: String = hash[..12].iter().map(|byte| format!("{byte:02x}")).collect();
        Some(File { bytes: file.data, tag: format!("\"{tag}\"") })
    }
}

#[cfg(not(feature = "ui"))]
mod files {
    use super::File;

    const PAGE: &str = "<!doctype html><title>sched</title><h1>No web UI in this build</h1>\
        <p>This binary was built without it. Build the UI (<code>npm ci &amp;&amp; npm run build</code> in \
        <code>server/ui</code>), then the binary with the feature <code>ui</code>; <code>make demo</code> does both.</p>\
        <p>The API is under <a href=\"/v1/openapi.json\">/v1</a>.</p>";

    pub(super) fn get(name: &str) -> Option<File> {
        (name == "index.html").then(|| File { bytes: PAGE.as_bytes().into(), tag: "\"no-ui\"".into() })
    }
}
