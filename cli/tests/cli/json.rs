//! With -json a command prints what the API answered.

use serde_json::Value;

use crate::cluster::{self, cluster};
use crate::invocation::sched;

#[tokio::test]
async fn json_is_the_apis() {
    let server = cluster().serve().await;
    let job = cluster::job(3);
    let deployment = cluster::deployment("successful", 2);
    for (line, field, wanted) in [
        ("job status -json web", "/TaskGroups", &job["TaskGroups"]),
        ("job inspect web", "/TaskGroups", &job["TaskGroups"]),
        ("job inspect -version 2 web", "/Version", &Value::from(2)),
        ("deployment status --json web", "/TaskGroups", &deployment["TaskGroups"]),
        ("alloc status -json web[0]", "/Job/TaskGroups", &job["TaskGroups"]),
        ("node status -json n1", "/Name", &Value::from("n1")),
        ("job why -json web-batch", "/Groups/0/Group", &Value::from("main")),
        ("server members -json", "/Members/0/Name", &Value::from("s2.global")),
        ("service info -json web", "/0/Port", &Value::from(20001)),
        ("status -json", "/Leader", &Value::from("127.0.0.2:4647")),
        ("version -json", "/ServerVersion", &Value::from("0.1.0")),
    ] {
        let ran = sched(&server.url(), line).await;
        assert_eq!(ran.code, 0, "{line}: {}", ran.err);
        let printed: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(printed.pointer(field), Some(wanted), "{line}");
    }
}

#[tokio::test]
async fn inspect_prints_a_jobspec_that_can_be_run_again() {
    let server = cluster().serve().await;
    let ran = sched(&server.url(), "job inspect -hcl web").await;
    assert!(ran.code == 0 && ran.out.starts_with("job \"web\" {"), "{}{}", ran.out, ran.err);
    let again = crate::invocation::sched_with_input(&server.url(), "job run -output -", &ran.out).await;
    assert_eq!(again.code, 0, "{}", again.err);
}
