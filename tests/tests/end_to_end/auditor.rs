//! Who looks at the cluster beside all these tests finds what is planted.

use std::time::Duration;

use invariants::{ORPHAN_KEPT_MAX, STOPS_WITHIN, TOLD_WITHIN, Violation};
use model::Timestamp;
use server_core::state::State;
use tests::e2e::auditor::{Judge, now, state_of};
use tests::e2e::cluster::Cluster;
use tests::e2e::docker::Container;
use tests::e2e::{shared, wait};

const SOON: Duration = Duration::from_secs(20);

/// The state of the cluster once every container of the job is known to run, and these.
fn settled(cluster: &Cluster) -> (State, Vec<Container>) {
    let look = || {
        let containers = cluster.running("basket");
        let state = state_of(cluster.http("s1")).ok_or("no state")?;
        let found = Judge::default().sees(now(), &containers, Some(&state));
        wait::check(containers.len() == 3 && found.is_empty(), || format!("{containers:#?}, {found:?}"))?;
        Ok((state, containers))
    };
    wait::until("three containers", SOON, look).0
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    at + by + Duration::from_secs(1)
}

fn names(found: &[Violation]) -> Vec<String> {
    found.iter().map(|violation| violation.to_string().split(':').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_auditor_finds_what_is_planted_and_has_looked() {
    let cluster = shared::cluster();
    cluster.run_example("basket.hcl").expect(0);
    cluster.await_instances("basket", 3, SOON);
    let (state, containers) = settled(&cluster);
    let at = now();

    let mut judge = Judge::default();
    assert_eq!(judge.sees(at, &containers, Some(&state)), []);
    let mut exchanged = containers.clone();
    exchanged[0].pid += 1;
    assert_eq!(judge.sees(at, &exchanged, Some(&state)), []);
    let found = judge.sees(later(at, TOLD_WITHIN), &exchanged, Some(&state));
    assert_eq!(names(&found), ["I16 agent restarts"], "{found:?}");

    let mut judge = Judge::default();
    let mut unknown = containers.clone();
    unknown[0].allocation = "00000000-0000-4000-8000-000000000001".into();
    assert_eq!(judge.sees(at, &unknown, Some(&state)), []);
    let found = judge.sees(later(at, ORPHAN_KEPT_MAX), &unknown, Some(&state));
    assert!(names(&found).contains(&"I15 orphans".to_owned()), "{found:?}");

    cluster.sched(&["job", "stop", "basket"]).expect(0);
    let (over, _) = wait::until("the end of all", SOON, || {
        let state = state_of(cluster.http("s1")).ok_or("no state")?;
        let is_over = state.allocations().all(|one| one.client_status.is_terminal());
        wait::check(is_over, || format!("{:?}", state.allocations().collect::<Vec<_>>())).map(|()| state)
    });
    let mut judge = Judge::default();
    assert_eq!(judge.sees(at, &containers, Some(&over)), []);
    let found = judge.sees(later(at, STOPS_WITHIN + SOON), &containers, Some(&over));
    assert_eq!(names(&found), ["I14 leftovers"; 3], "{found:?}");

    let mut judge = Judge::default();
    judge.sees(at, &[], Some(&over));
    let mut again = containers[..1].to_vec();
    again[0].started = jiff::Timestamp::from_nanosecond(i128::from(later(at, SOON).0)).expect("it is soon").to_string();
    let found = judge.sees(later(at, SOON), &again, Some(&over));
    assert_eq!(names(&found), ["I11 ends once"], "{found:?}");

    let looks = cluster.findings().looks;
    wait::until("looks", SOON, || wait::check(looks + cluster.findings().looks > 0, || "none".to_owned()));
}
