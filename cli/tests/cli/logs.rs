//! `alloc logs`: bytes as they are into a pipe, and what is asked of the server.

use crate::cluster::{self, ALLOCATION_0, cluster};
use crate::invocation::sched;

const RAW: &[u8] = b"one\x1b[31mred\x1b[0m\xff\x00\ntwo\nthree\n";

#[tokio::test]
async fn a_pipe_gets_the_bytes_untouched() {
    let path = format!("GET /v1/client/fs/logs/{ALLOCATION_0}");
    let server = cluster().with(&path, RAW).serve().await;
    for (line, wanted, query) in [
        ("alloc logs web[0]", RAW, "type=stdout&follow=false&plain=true&origin=start&offset=0"),
        ("alloc logs -stderr -f web[0] app", RAW, "type=stderr&follow=true&plain=true&origin=start&offset=0"),
        ("alloc logs -tail a000", RAW, "type=stdout&follow=false&plain=true&origin=end&offset=1000"),
        ("alloc logs -n 2 -job web", b"two\nthree\n", "type=stdout&follow=false&plain=true&origin=end&offset=2048"),
        ("alloc logs -c 7 -task app web[0]", RAW, "type=stdout&follow=false&plain=true&origin=end&offset=7"),
    ] {
        let before = server.asked().len();
        let ran = sched(&server.url(), line).await;
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{line}");
        assert_eq!(ran.stdout, wanted, "{line}");
        let asked = server.asked().split_off(before).pop().expect("the log was asked for");
        assert_eq!(asked.query, format!("namespace=default&task=app&{query}"), "{line}");
    }
}

#[tokio::test]
async fn the_logs_of_what_is_over_may_be_gone_and_nobody_waits_for_its_start() {
    let mut over = cluster::complete_allocation();
    over["ClientStatus"] = "complete".into();
    let server = cluster()
        .only(&format!("GET /v1/allocation/{ALLOCATION_0}"), over)
        .with(
            &format!("GET /v1/client/fs/logs/{ALLOCATION_0}"),
            (404, "no logs of allocation a0000000 are on its node"),
        )
        .serve()
        .await;
    let ran = sched(&server.url(), "alloc logs a0000000").await;
    assert!(ran.code == 1 && ran.err.contains("no logs of allocation"), "{}", ran.err);
    assert!(ran.err.contains("shows what became of it") && !ran.err.contains("started"), "{}", ran.err);
}

#[tokio::test]
async fn an_unknown_task_is_named_with_the_known_ones() {
    let server = cluster().serve().await;
    let ran = sched(&server.url(), "alloc logs web[0] side").await;
    assert_eq!(ran.code, 1);
    assert_eq!(ran.err, "error: web[0] has no task `side`\n  hint: its task is app\n");
}

#[tokio::test]
async fn a_restart_names_the_task() {
    let path = format!("PUT /v1/client/allocation/{ALLOCATION_0}/restart");
    let server = cluster().with(&path, serde_json::json!({})).serve().await;
    let ran = sched(&server.url(), "alloc restart web[0] app").await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "task app of web[0] restarts on n1\n"), "{}", ran.err);
    assert_eq!(server.first(&path).body, serde_json::json!({ "TaskName": "app", "AllTasks": false }));
}
