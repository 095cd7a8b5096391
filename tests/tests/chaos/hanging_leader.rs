//! A leader that hangs keeps its connections and answers nothing. What was on its way to it must not wait for it longer
//! than until the next leader is known.

use std::time::Duration;

use tests::chaos::cluster::Cluster;
use tests::chaos::writer;
use tests::e2e::http;
use tests::machine;
use tokio::time::Instant;

const SERVERS: usize = 3;
/// How long a write may take that was sent while the leader hung and nobody knew.
const WRITE_WITHIN: Duration = Duration::from_secs(3);
/// How long it is waited for.
const WAIT: Duration = Duration::from_secs(12);

#[test]
fn what_is_on_its_way_to_a_leader_that_hangs_goes_to_the_next() {
    let _machine = machine::alone();
    let cluster = Cluster::start("hangs", SERVERS);
    let leader = cluster.await_leader();
    let followers: Vec<_> = cluster.servers().iter().filter(|server| **server != leader).collect();
    cluster.pause(leader);
    let took: Vec<Duration> = std::thread::scope(|scope| {
        let writes: Vec<_> = (0..)
            .zip(&followers)
            .map(|(number, follower)| {
                let (to, began) = (cluster.http(follower), Instant::now());
                scope.spawn(move || {
                    let reply = http::ask(to, "PUT", "/v1/jobs", writer::document(number).as_bytes(), WAIT);
                    let reply = reply.unwrap_or_else(|error| panic!("a write through a follower: {error:?}"));
                    assert_eq!(reply.status, 200, "{}", reply.text());
                    began.elapsed()
                })
            })
            .collect();
        writes.into_iter().map(|write| write.join().expect("the write is answered")).collect()
    });
    cluster.resume(leader);
    println!("writes through followers took {took:?}");
    assert!(took.iter().all(|took| *took <= WRITE_WITHIN), "{took:?}, at most {WRITE_WITHIN:?} each");
}
