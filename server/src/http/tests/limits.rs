//! What the listener takes at its limits, and what it does beyond them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use futures::{StreamExt, stream};
use http::Request;
use jobspecs::INSTANCES_MAX;
use model::JobKey;
use model::testing::job;
use prost::bytes::Bytes;
use proto::wire::{End, Frame, frame};
use serde_json::json;
use server_core::command::Command;
use tokio::time::{Instant, sleep};
use tower::ServiceExt;

use crate::http::limits::{
    BODY_READ_MAX, COLLECT_BATCHES_MAX, EVENT_BATCH_MAX, ORDER_ANSWER_BYTES_MAX, ORDER_MAX, REQUEST_ID_BYTES_MAX,
    SEARCH_MATCHES_MAX,
};
use crate::http::router;
use crate::http::testing::{Twin, web};

const INSTANT: Duration = Duration::from_millis(1);

/// A valid job in JSON.
fn document(count: u64) -> String {
    let mut document = serde_json::to_value(web()).unwrap();
    document["TaskGroups"][0]["Count"] = json!(count);
    json!({ "Job": document }).to_string()
}

#[tokio::test]
async fn a_job_may_have_as_many_instances_as_the_limit_and_one_more_is_refused_once() {
    let twin = Twin::new();
    let reply = twin.put("/v1/jobs", document(INSTANCES_MAX + 1)).await;
    reply.refuses(400, &format!("{INSTANCES_MAX}"));
    assert_eq!(reply.text.matches("\n* ").count(), 1, "{}", reply.text);
    assert_eq!(twin.state().jobs().count(), 0);
    twin.put("/v1/jobs", document(INSTANCES_MAX)).await.json();
    assert_eq!(twin.state().jobs().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_has_its_time_to_arrive_and_no_more() {
    let twin = Twin::new();
    let late = |wait: Duration| {
        let body = document(1);
        let arriving = stream::once(async move {
            sleep(wait).await;
            Ok::<_, std::io::Error>(body)
        });
        Request::put("/v1/jobs").body(Body::from_stream(arriving)).unwrap()
    };
    twin.send(late(BODY_READ_MAX + INSTANT)).await.refuses(400, "request body did not arrive within");
    assert_eq!(twin.state().jobs().count(), 0);
    twin.send(late(BODY_READ_MAX - INSTANT)).await.json();
    assert_eq!(twin.state().jobs().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_agent_has_its_time_to_answer_and_no_more() {
    let twin = Twin::with_web();
    twin.goes_on.store(true, Ordering::SeqCst);
    let id = twin.allocations("web")[0];
    let begun = Instant::now();
    let reply = twin.get(&format!("/v1/client/allocation/{id}/stats")).await;
    reply.refuses(500, "the agent did not answer in time");
    let waited = begun.elapsed();
    assert!(waited >= ORDER_MAX && waited <= ORDER_MAX + INSTANT, "{waited:?}");
}

#[tokio::test]
async fn an_agents_answer_may_be_as_long_as_the_limit_and_no_longer() {
    let twin = Twin::with_web();
    let id = twin.allocations("web")[0];
    let answer = |bytes: usize| {
        let data = |text: String| Frame { body: Some(frame::Body::Data(Bytes::from(text))) };
        let figures = "{\"cpu_mhz\":120,\"memory_mb\":16}";
        let spaces = " ".repeat(bytes - figures.len());
        let end = Frame { body: Some(frame::Body::End(End::default())) };
        *twin.answers.lock().unwrap() = vec![data(spaces), data(figures.into()), end];
        format!("/v1/client/allocation/{id}/stats")
    };
    twin.get(&answer(ORDER_ANSWER_BYTES_MAX)).await.json();
    twin.get(&answer(ORDER_ANSWER_BYTES_MAX + 1)).await.refuses(500, "the agent's answer is too long");
}

#[tokio::test]
async fn a_search_finds_as_many_as_the_limit_and_says_that_there_are_more() {
    let twin = Twin::new();
    let search = || twin.put("/v1/search", r#"{"Prefix": "job", "Context": "jobs"}"#);
    for number in 0..SEARCH_MATCHES_MAX {
        twin.register(job(&format!("job-{number}")));
    }
    let found = search().await.json();
    assert_eq!(found["Matches"]["jobs"].as_array().map(Vec::len), Some(SEARCH_MATCHES_MAX));
    assert_eq!(found["Truncations"]["jobs"], false);
    twin.register(job("job-more"));
    let found = search().await.json();
    assert_eq!(found["Matches"]["jobs"].as_array().map(Vec::len), Some(SEARCH_MATCHES_MAX));
    assert_eq!(found["Truncations"]["jobs"], true);
}

#[tokio::test]
async fn a_request_id_may_be_as_long_as_the_limit_and_a_longer_one_is_replaced() {
    let twin = Twin::new();
    let asked =
        |id: String| twin.send(Request::get("/v1/jobs").header("x-request-id", id).body(Body::empty()).unwrap());
    let longest = "x".repeat(REQUEST_ID_BYTES_MAX);
    assert_eq!(asked(longest.clone()).await.header("x-request-id"), longest);
    assert_eq!(asked(longest + "x").await.header("x-request-id").len(), 36);
}

#[tokio::test]
async fn a_request_to_collect_ends_after_its_batches_if_there_is_always_more() {
    let twin = Twin::new();
    twin.register(job("over"));
    twin.apply(Command::DeregisterJob { job: JobKey::new("default", "over"), purge: false });
    twin.place("over", "n1", 0);
    twin.is_stuck.store(true, Ordering::SeqCst);
    twin.put("/v1/system/gc", "").await.json();
    assert_eq!(twin.proposed.load(Ordering::SeqCst), COLLECT_BATCHES_MAX);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_behind_is_written_a_batch_of_events_at_a_time() {
    let twin = Twin::new();
    let first = twin.state().index() + 1;
    for _ in 0..=EVENT_BATCH_MAX {
        twin.register(job("again"));
    }
    let router = router(twin.clone(), Twin::config(), twin.shutdown.clone());
    let request = Request::get(format!("/v1/event/stream?index={first}")).body(Body::empty()).unwrap();
    let mut written = router.oneshot(request).await.unwrap().into_body().into_data_stream();
    assert_eq!(&written.next().await.unwrap().unwrap()[..], b"{}\n", "the first line is a sign of life");
    for wanted in [EVENT_BATCH_MAX, 1] {
        let lines = written.next().await.unwrap().unwrap();
        assert_eq!(lines.iter().filter(|byte| **byte == b'\n').count(), wanted);
    }
}
