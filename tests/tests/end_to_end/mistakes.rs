//! Bad input, through the command line and over HTTP: a clear word, the right code, and nothing lost.

use std::time::Duration;

use tests::e2e::cluster::SERVERS;
use tests::e2e::http::{Ending, raw, send};
use tests::e2e::{shared, wait};

const SOON: Duration = Duration::from_secs(15);

#[test]
fn the_command_line_says_what_is_wrong_and_where() {
    let cluster = shared::cluster();
    let run = |name: &str, content: &[u8]| cluster.sched(&["job", "run", &cluster.write(name, content)]).expect(1);
    run("syntax.hcl", b"job \"x\" {\n  group \"g\" {\n").complains(&["syntax.hcl", "error"]);
    run("utf8.hcl", b"job \"x\" { # \xff\xfe\n}\n").complains(&["UTF-8"]);
    let job = |inner: &str| {
        format!("job \"x\" {{\n group \"g\" {{\n  task \"t\" {{\n   driver = \"docker\"\n{inner}\n  }}\n }}\n}}\n")
    };
    run("unknown.hcl", job("config { image = \"i\" }\n resources { memroy = 5 }").as_bytes())
        .complains(&["memroy", "memory"]);
    run("image.hcl", job("config { }").as_bytes()).complains(&["image"]);
    let large = format!("# {}\n{}", "x".repeat(3 * 1024 * 1024), job("config { image = \"i\" }"));
    run("large.hcl", large.as_bytes()).complains(&["large.hcl"]);
    assert_eq!(cluster.get("/v1/jobs"), serde_json::json!([]), "nothing was taken");

    cluster.sched(&["job", "status", "nothing"]).expect(1).complains(&["nothing", "not found"]);
    cluster.sched(&["job", "why", "nothing"]).expect(1).complains(&["not found"]);
    cluster.sched(&["alloc", "status", "deadbeef"]).expect(1).complains(&["deadbeef", "not found"]);
    cluster.sched(&["node", "status", "nothing"]).expect(1).complains(&["nothing"]);
    cluster.sched(&["node", "status", "n"]).expect(1).complains(&["ambiguous", "n1", "n2", "n3"]);
    for name in ["twin-a", "twin-b"] {
        let spec = cluster.variant("too-big.hcl", &[("job \"too-big\"", &format!("job \"{name}\""))]);
        cluster.sched(&["job", "run", "-detach", &spec]).expect(0);
    }
    cluster.sched(&["job", "status", "twin"]).expect(1).complains(&["ambiguous", "twin-a", "twin-b"]);
    cluster.sched(&["job", "status", "twin-a"]).expect(0);
}

#[test]
fn http_refuses_what_it_cannot_take_and_goes_on() {
    let cluster = shared::cluster();
    for server in SERVERS {
        let to = cluster.http(server);
        let status = |method: &str, path: &str, body: &[u8]| send(to, method, path, body).unwrap();
        assert_eq!(status("GET", "/v1/job/nothing", b"").status, 404);
        assert_eq!(status("GET", "/v1/allocation/nothing", b"").status, 400);
        assert_eq!(status("GET", "/v1/allocation/00000000-0000-0000-0000-000000000000", b"").status, 404);
        assert_eq!(status("GET", "/v1/nothing", b"").status, 404);
        assert_eq!(status("DELETE", "/v1/jobs", b"").status, 405);
        assert_eq!(status("PUT", "/v1/jobs", b"{").status, 400);
        assert_eq!(status("PUT", "/v1/jobs", b"\xff\xfe").status, 400);
        let zero = br#"{"Job":{"ID":"z","TaskGroups":[{"Name":"g","Count":-1,"Tasks":[]}]}}"#;
        let refused = status("PUT", "/v1/jobs", zero);
        assert!((400..=500).contains(&refused.status) && !refused.body.is_empty(), "{refused:?}");
        let large = format!("{{\"Job\":{{\"ID\":\"{}\"}}}}", "x".repeat(9 * 1024 * 1024));
        let refused = status("PUT", "/v1/jobs", large.as_bytes());
        assert!([400, 413].contains(&refused.status), "{} {}", refused.status, refused.text());

        let cut = b"PUT /v1/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 500\r\n\r\n{\"Job\":{\"ID\":\"cut\"";
        // A body that never ends is refused or the connection is closed; either way nothing comes of it.
        if let Ok(reply) = raw(to, cut, Ending::CutOff) {
            assert_eq!(reply.status, 400, "{}", reply.text());
        }
        let nonsense = raw(to, b"\x16\x03\x01\x02\x00\x01", Ending::CutOff);
        assert!(nonsense.is_err() || nonsense.unwrap().status == 400);
        assert_eq!(status("GET", "/v1/jobs", b"").json(), serde_json::json!([]), "nothing was taken");
    }
    let unknown = r#"{"Job":{"ID":"known","Name":"known","Type":"batch","Datacenters":["nowhere"],"Whatever":{"A":1},
        "TaskGroups":[{"Name":"g","Count":1,"Tasks":[{"Name":"t","Driver":"fake","Config":{"run_for":"1s"}}]}]},"Else":1}"#;
    cluster.put("/v1/jobs", unknown);
    assert_eq!(cluster.get("/v1/job/known")["Status"], "pending", "unknown fields are left aside");
}

#[test]
fn without_servers_or_without_a_leader_commands_say_so_and_work_again_afterwards() {
    let mut cluster = shared::cluster();
    let nobody = format!("http://{}", cluster.http("n1"));
    let alone = cluster.sched(&["-address", &nobody, "job", "status"]).expect(1);
    alone.complains(&["no server answers", &nobody["http://".len()..]]);

    let leader = cluster.leader();
    let down: Vec<&'static str> = [leader, cluster.follower()].into();
    for server in &down {
        cluster.kill(server);
    }
    let left = *cluster.servers_up().first().expect("one server is left");
    wait::until("a server that knows no leader", SOON, || {
        let reply = cluster.request(left, "GET", "/v1/jobs", "").map_err(|error| error.to_string())?;
        wait::check(reply.status == 500, || format!("{} {}", reply.status, reply.text()))
    });
    let reply = cluster.request(left, "PUT", "/v1/jobs", r#"{"Job":{"ID":"x","TaskGroups":[]}}"#).unwrap();
    assert!(reply.status >= 400, "{} {}", reply.status, reply.text());
    cluster.sched(&["job", "status"]).expect(1).complains(&["no leader"]);
    let stale = cluster.request(left, "GET", "/v1/jobs?stale", "").unwrap();
    assert_eq!(stale.status, 200, "what is known can still be read: {}", stale.text());
    assert_eq!(cluster.dig(left, "nothing.service.sched", "A", &[]).status, "NXDOMAIN", "DNS goes on");
    for server in down {
        cluster.launch(server);
    }
    wait::until("a leader again", SOON, || {
        let shown = cluster.sched(&["job", "status"]);
        wait::check(shown.code == 0, || shown.stderr.clone())
    });
}
