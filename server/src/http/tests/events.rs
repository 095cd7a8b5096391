//! The event stream, line by line.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use futures::StreamExt;
use http::Request;
use model::ClientStatus;
use model::testing::job;
use serde_json::{Value, json};
use tokio::time::Instant;
use tower::ServiceExt;

use crate::http::limits::EVENT_BATCH_MAX;
use crate::http::router;
use crate::http::testing::{HAPPENINGS_KEPT, Twin, web};

/// A stream and what of it was not read yet.
struct Lines {
    stream: BodyDataStream,
    held: String,
}

impl Lines {
    async fn open(twin: &Arc<Twin>, query: &str) -> Self {
        let router = router(twin.clone(), Twin::config(), twin.shutdown.clone());
        let request = Request::get(format!("/v1/event/stream{query}")).body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        let mut lines = Self { stream: response.into_body().into_data_stream(), held: String::new() };
        assert_eq!(lines.next().await, Some(json!({})), "the first line is a sign of life");
        lines
    }

    async fn next(&mut self) -> Option<Value> {
        while !self.held.contains('\n') {
            self.held.push_str(std::str::from_utf8(&self.stream.next().await?.unwrap()).unwrap());
        }
        let (line, rest) = self.held.split_once('\n').unwrap();
        let line = serde_json::from_str(line).unwrap();
        self.held = rest.to_string();
        Some(line)
    }

    /// `Topic Type key` of the next batch's events.
    async fn next_words(&mut self) -> Vec<String> {
        let batch = self.next().await.unwrap();
        let word = |event: &Value| format!("{} {}", event["Topic"].as_str().unwrap(), event["Type"].as_str().unwrap());
        batch["Events"].as_array().unwrap_or(&vec![]).iter().map(word).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn changes_come_as_they_happen_with_their_objects() {
    let twin = Twin::new();
    let mut lines = Lines::open(&twin, "").await;
    twin.register(web());
    let batch = lines.next().await.unwrap();
    assert_eq!(batch["Index"], twin.state().index());
    let event = &batch["Events"][0];
    assert_eq!(
        (&event["Topic"], &event["Type"], &event["Key"]),
        (&json!("Job"), &json!("JobRegistered"), &json!("web"))
    );
    assert_eq!(event["Namespace"], "default");
    assert_eq!(event["Payload"]["Job"]["ID"], "web");
    assert_eq!(batch["Events"][1]["Payload"]["Evaluation"]["TriggeredBy"], "job-register");
    twin.place("web", "n1", 1);
    let words = lines.next_words().await;
    assert!(words.contains(&"Allocation AllocationCreated".to_string()), "{words:?}");
}

#[tokio::test(start_paused = true)]
async fn services_come_and_go_with_what_answers() {
    let twin = Twin::with_web();
    let mut lines = Lines::open(&twin, "?topic=Service:web").await;
    let first = twin.allocations("web")[0];
    twin.observe(first, ClientStatus::Complete);
    assert_eq!(lines.next_words().await, ["Service ServiceDeregistration"]);
}

#[tokio::test(start_paused = true)]
async fn topics_keys_and_namespaces_choose() {
    let twin = Twin::new();
    let mut lines = Lines::open(&twin, "?topic=Job:wanted&topic=Node").await;
    twin.register(job("other"));
    twin.register(model::Job { namespace: "elsewhere".into(), ..job("wanted") });
    twin.register(job("wanted"));
    let batch = lines.next().await.unwrap();
    assert_eq!(batch["Index"], twin.state().index(), "the first two are passed over");
    assert_eq!(batch["Events"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_client_resumes_where_it_stopped_and_1_is_all_that_is_known() {
    let twin = Twin::with_web();
    let index = twin.state().index();
    let mut lines = Lines::open(&twin, &format!("?index={index}")).await;
    assert_eq!(lines.next().await.unwrap()["Index"], index);
    let mut lines = Lines::open(&twin, "?index=1").await;
    assert_eq!(lines.next_words().await, ["Node NodeRegistration"]);
}

#[tokio::test(start_paused = true)]
async fn the_past_ends_with_a_sign_of_life_at_once_however_much_of_it_is_passed_over() {
    let twin = Twin::new();
    for _ in 0..EVENT_BATCH_MAX {
        twin.register(job("other"));
    }
    twin.register(job("wanted"));
    let begun = Instant::now();
    let after = twin.state().index() - EVENT_BATCH_MAX as u64;
    let mut lines = Lines::open(&twin, &format!("?topic=Job:wanted&index={after}")).await;
    assert_eq!(lines.next().await.unwrap()["Index"], twin.state().index());
    assert_eq!(lines.next().await, Some(json!({})));
    assert_eq!(begun.elapsed(), Duration::ZERO);
    twin.register(job("wanted"));
    assert_eq!(lines.next().await.unwrap()["Index"], twin.state().index());
}

#[tokio::test(start_paused = true)]
async fn an_index_that_is_too_old_is_told_and_ends_the_stream() {
    let twin = Twin::new();
    for _ in 0..=HAPPENINGS_KEPT {
        twin.register(job("again"));
    }
    let mut lines = Lines::open(&twin, "?index=2").await;
    let line = lines.next().await.unwrap();
    assert_eq!(line["Index"], twin.state().index());
    assert!(line["Error"].as_str().unwrap().contains("index 2 is too old"), "{line}");
    assert_eq!(lines.next().await, None);
    let mut lines = Lines::open(&twin, "?index=1").await;
    let oldest = twin.state().index() - HAPPENINGS_KEPT as u64 + 1;
    assert_eq!(lines.next().await.unwrap()["Index"], oldest);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_gives_a_sign_of_life_within_four_seconds_and_ends_with_the_server() {
    let twin = Twin::new();
    let mut lines = Lines::open(&twin, "").await;
    let begun = Instant::now();
    assert_eq!(lines.next().await, Some(json!({})));
    assert!(begun.elapsed() <= Duration::from_secs(4));
    twin.shutdown.cancel();
    assert_eq!(lines.next().await, None);
}
