//! What agents answer: output, figures, restarts.

use std::sync::atomic::Ordering;

use prost::bytes::Bytes;
use proto::wire::{End, Frame, frame, order};

use crate::http::limits::LOG_FRAME_BYTES_MAX;
use crate::http::testing::Twin;

fn data(text: &str) -> Frame {
    Frame { body: Some(frame::Body::Data(Bytes::copy_from_slice(text.as_bytes()))) }
}

fn end(error: &str, status: u32) -> Frame {
    Frame { body: Some(frame::Body::End(End { error: error.into(), status })) }
}

fn answers(twin: &Twin, frames: Vec<Frame>) {
    *twin.answers.lock().unwrap() = frames;
}

#[tokio::test(start_paused = true)]
async fn plain_output_is_the_bytes_themselves() {
    let twin = Twin::with_web();
    answers(&twin, vec![data("one\n"), data("two\n"), end("", 0)]);
    let id = twin.allocations("web")[0];
    let reply = twin.get(&format!("/v1/client/fs/logs/{id}?task=web&type=stderr&plain=True&origin=end&offset=9")).await;
    assert_eq!((reply.status.as_u16(), reply.text.as_str()), (200, "one\ntwo\n"));
    let order::Body::Logs(order) = twin.orders.lock().unwrap()[0].clone() else { panic!("an order for logs") };
    assert_eq!(&order.allocation[..], id.as_bytes());
    assert_eq!((order.task.as_str(), order.stderr, order.from_end, order.offset), ("web", true, true, 9));
}

#[tokio::test(start_paused = true)]
async fn frames_carry_offsets_and_are_cut_at_the_limit() {
    let twin = Twin::with_web();
    let long = "x".repeat(LOG_FRAME_BYTES_MAX + 1);
    answers(&twin, vec![data("one\n"), data(&long), end("", 0)]);
    let id = twin.allocations("web")[0];
    let reply = twin.get(&format!("/v1/client/fs/logs/{id}?offset=10")).await;
    let frames: Vec<serde_json::Value> = reply.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(frames[0]["Data"], "b25lCg==");
    assert_eq!(frames[0]["File"], "web.stdout.0");
    let offsets: Vec<_> = frames.iter().map(|frame| frame["Offset"].as_u64().unwrap()).collect();
    assert_eq!(offsets, [10, 14, 14 + LOG_FRAME_BYTES_MAX as u64]);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_task_that_is_followed_gives_signs_of_life() {
    let twin = Twin::with_web();
    twin.goes_on.store(true, Ordering::SeqCst);
    let id = twin.allocations("web")[0];
    let following = twin.clone();
    let reading =
        tokio::spawn(async move { following.get(&format!("/v1/client/fs/logs/{id}?task=web&follow=true")).await });
    tokio::time::sleep(std::time::Duration::from_millis(3500)).await;
    twin.shutdown.cancel();
    let text = reading.await.unwrap().text;
    assert!(text.lines().count() >= 2 && text.lines().all(|line| line == "{}"), "{text:?}");
}

#[tokio::test(start_paused = true)]
async fn an_agents_refusal_keeps_its_status() {
    let twin = Twin::with_web();
    let id = twin.allocations("web")[0];
    answers(&twin, vec![end("task \"web\" has not started yet", 404)]);
    twin.get(&format!("/v1/client/fs/logs/{id}?task=web")).await.refuses(404, "has not started yet");
    answers(&twin, vec![end("docker is gone", 500)]);
    twin.get(&format!("/v1/client/allocation/{id}/stats")).await.refuses(500, "docker is gone");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_task_is_400_and_the_known_ones_are_named() {
    let twin = Twin::with_web();
    let id = twin.allocations("web")[0];
    twin.get(&format!("/v1/client/fs/logs/{id}?task=nope")).await.refuses(400, "its tasks are: web");
    let restart = format!("/v1/client/allocation/{id}/restart");
    twin.put(&restart, r#"{"TaskName": "nope"}"#).await.refuses(400, "its tasks are: web");
    twin.get(&format!("/v1/client/fs/logs/{id}?type=x")).await.refuses(400, "type must be stdout or stderr");
    assert!(twin.orders.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn figures_and_restarts_go_through_the_agent() {
    let twin = Twin::with_web();
    let id = twin.allocations("web")[0];
    answers(&twin, vec![data("{\"cpu_mhz\":120,"), data("\"memory_mb\":16}"), end("", 0)]);
    let stats = twin.get(&format!("/v1/client/allocation/{id}/stats")).await.json();
    assert_eq!(stats["ResourceUsage"]["CpuStats"]["TotalTicks"], 120);
    assert_eq!(stats["ResourceUsage"]["MemoryStats"]["Usage"], 16 * 1024 * 1024);
    assert_eq!(stats["Timestamp"], 1_700_000_000_000_000_000_i64);
    answers(&twin, vec![end("", 0)]);
    twin.put(&format!("/v1/client/allocation/{id}/restart"), r#"{"AllTasks": true}"#).await.json();
    let order::Body::Restart(order) = twin.orders.lock().unwrap()[1].clone() else { panic!("an order to restart") };
    assert!(order.all_tasks && order.task.is_empty());
    let checks = twin.get(&format!("/v1/client/allocation/{id}/checks")).await.json();
    assert_eq!(checks["web/alive"]["Status"], "success");
}
