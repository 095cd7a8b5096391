//! Blocking queries wait for news of their own result, and for nothing else.

use std::sync::Arc;
use std::time::Duration;

use model::ClientStatus;
use model::testing::job;
use tokio::time::{Instant, timeout};

use crate::http::limits::{WAIT_JITTER_DIVISOR, WAIT_MAX};
use crate::http::testing::{Reply, Twin, web};

/// Asks in the background, and waits until the query waits.
async fn ask(twin: &Arc<Twin>, path: String) -> tokio::task::JoinHandle<Reply> {
    let asking = twin.clone();
    let waiting = tokio::spawn(async move { asking.get(&path).await });
    // With the clock paused, time passes only while everybody waits.
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert!(!waiting.is_finished(), "it answered at once");
    waiting
}

#[tokio::test(start_paused = true)]
async fn a_query_waits_until_its_object_changes() {
    let twin = Twin::with_web();
    let [first, other] = twin.allocations("web")[..] else { panic!("two instances run") };
    let path = format!("/v1/allocation/{first}");
    let index = twin.get(&path).await.index();
    let waiting = ask(&twin, format!("{path}?index={index}")).await;
    twin.observe(other, ClientStatus::Complete);
    twin.register(job("unrelated"));
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert!(!waiting.is_finished(), "an unrelated change woke it");
    twin.observe(first, ClientStatus::Complete);
    let reply = waiting.await.unwrap();
    assert!(reply.index() > index);
    assert_eq!(reply.json()["ClientStatus"], "complete");
}

#[tokio::test(start_paused = true)]
async fn a_list_waits_for_its_table() {
    let twin = Twin::new();
    let index = twin.get("/v1/evaluations").await.index();
    let waiting = ask(&twin, format!("/v1/evaluations?index={index}")).await;
    twin.register(web());
    assert_eq!(waiting.await.unwrap().json().as_array().map(Vec::len), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_jobs_allocations_are_waited_for_before_there_are_any() {
    let twin = Twin::new();
    twin.register(web());
    let index = twin.get("/v1/job/web/allocations").await.index();
    let waiting = ask(&twin, format!("/v1/job/web/allocations?index={index}")).await;
    twin.place("web", "n1", 1);
    assert_eq!(waiting.await.unwrap().json().as_array().map(Vec::len), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_after_its_time_with_a_sixteenth_of_jitter_at_most() {
    let twin = Twin::new();
    let begun = Instant::now();
    let reply = twin.get("/v1/nodes?index=1000&wait=5000ms").await;
    assert_eq!(reply.index(), twin.state().indexes().nodes);
    assert!(begun.elapsed() >= Duration::from_secs(5));
    assert!(begun.elapsed() <= Duration::from_secs(5) + Duration::from_secs(5) / WAIT_JITTER_DIVISOR);
}

#[tokio::test(start_paused = true)]
async fn no_wait_is_longer_than_the_limit_which_is_the_default() {
    let twin = Twin::new();
    for wait in ["", "&wait=10h", "&wait=0"] {
        let begun = Instant::now();
        twin.get(&format!("/v1/nodes?index=1000{wait}")).await;
        assert!(begun.elapsed() >= WAIT_MAX, "{wait}");
        assert!(begun.elapsed() <= WAIT_MAX + WAIT_MAX / WAIT_JITTER_DIVISOR, "{wait}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_at_once_when_the_server_shuts_down() {
    let twin = Twin::new();
    let waiting = ask(&twin, "/v1/nodes?index=1000".into()).await;
    twin.shutdown.cancel();
    let reply = timeout(Duration::from_secs(1), waiting).await.unwrap().unwrap();
    assert_eq!(reply.status.as_u16(), 200);
}

#[tokio::test(start_paused = true)]
async fn old_news_is_told_at_once() {
    let twin = Twin::with_web();
    let begun = Instant::now();
    assert_eq!(twin.get("/v1/jobs?index=1").await.json().as_array().map(Vec::len), Some(1));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}
