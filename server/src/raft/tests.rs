//! A cluster in one process: real openraft and our log on disks in memory, over a network of channels, on a paused
//! clock and one seed.

mod cluster;
mod golden;
mod power;
mod rot;

use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cluster::{Cluster, SECOND};
use tokio::time::sleep;

use super::*;

/// Runs a scenario on a paused clock; all that is random follows from `seed`.
fn run<T>(seed: u64, scenario: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .rng_seed(tokio::runtime::RngSeed::from_bytes(&seed.to_le_bytes()))
        .build()
        .unwrap()
        .block_on(scenario)
}

#[test]
fn three_servers_elect_a_leader_and_apply_the_same_commands() {
    run(1, async {
        let cluster = Cluster::of_three(1).await;
        for number in 0..20 {
            let committed = cluster.write(&format!("{number}")).await;
            assert_eq!(committed.answer, format!("applied {number}"));
        }
        cluster.settle().await;
        let expected: Vec<String> = (0..20).map(|number| number.to_string()).collect();
        for id in 1..=3 {
            assert_eq!(cluster.commands(id), expected, "server {id}");
        }
    });
}

#[test]
fn after_the_leader_is_killed_writes_go_on_within_three_seconds_and_nothing_acknowledged_is_lost() {
    run(2, async {
        let mut cluster = Cluster::of_three(2).await;
        let mut acknowledged = Vec::new();
        for round in 0..5 {
            for number in 0..5 {
                let text = format!("{round}.{number}");
                cluster.write(&text).await;
                acknowledged.push(text);
            }
            let leader = cluster.leader().await;
            cluster.kill(leader).await;
            let begin = Instant::now();
            let text = format!("{round}.after");
            cluster.write(&text).await;
            acknowledged.push(text);
            assert!(begin.elapsed() < 3 * SECOND, "round {round} took {:?}", begin.elapsed());
            cluster.start(leader).await;
        }
        cluster.settle().await;
        for id in 1..=3 {
            assert_eq!(cluster.commands(id), acknowledged, "server {id}");
        }
    });
}

#[test]
fn a_leader_that_is_cut_off_takes_no_writes_and_its_unacknowledged_ones_are_dropped() {
    run(3, async {
        let cluster = Cluster::of_three(3).await;
        cluster.write("before").await;
        let old = cluster.leader().await;
        cluster.isolate(old, true);
        let lost = cluster.raft(old).propose(Bytes::from_static(b"lost"), 2 * SECOND).await;
        assert!(matches!(lost, Err(ProposeError::Unknown | ProposeError::NotLeader { .. })), "{lost:?}");
        assert!(cluster.raft(old).read_index(SECOND).await.is_err(), "no read is linearizable without a majority");
        cluster.write("during").await;
        cluster.isolate(old, false);
        cluster.write("after").await;
        cluster.settle().await;
        for id in 1..=3 {
            assert_eq!(cluster.commands(id), ["before", "during", "after"], "server {id}");
        }
    });
}

#[test]
fn a_server_that_was_away_for_long_catches_up_through_a_snapshot() {
    run(4, async {
        let mut cluster = Cluster::of_three(4).await;
        cluster.write("first").await;
        let away = cluster.follower().await;
        cluster.kill(away).await;
        for number in 0..200 {
            cluster.write(&format!("{number}")).await;
        }
        let leader = cluster.leader().await;
        assert!(cluster.raft(leader).snapshot_now(5 * SECOND).await.is_some());
        cluster.wait("the log is purged", |cluster| cluster.raft(leader).metrics().purged > 100).await;
        cluster.start(away).await;
        cluster.settle().await;
        assert_eq!(cluster.commands(away).len(), 201);
        assert_eq!(cluster.commands(away), cluster.commands(leader));
        assert!(cluster.restored(away) > 0, "it came through a snapshot");

        cluster.kill(away).await;
        cluster.start(away).await;
        cluster.settle().await;
        assert_eq!(cluster.commands(away), cluster.commands(leader), "the snapshot that was sent outlives a restart");
    });
}

#[test]
fn a_snapshot_of_what_the_log_has_is_answered_when_that_is_on_the_disk() {
    run(16, async {
        let mut cluster = Cluster::of_three(16).await;
        let slow = cluster.follower().await;
        let slowness = cluster.restart_slow(slow).await;
        cluster.settle().await;
        let leader = cluster.leader().await;
        slowness.0.store((60 * SECOND).as_nanos() as u64, Ordering::Relaxed);
        for number in 0..30 {
            cluster.write(&format!("{number}")).await;
        }
        let has_all =
            |cluster: &Cluster| cluster.raft(slow).metrics().committed >= cluster.raft(leader).metrics().applied;
        cluster.wait("the follower has all in memory, and knows it to be committed", has_all).await;
        assert!(cluster.raft(leader).snapshot_now(5 * SECOND).await.is_some());
        cluster.wait("the log is purged", |cluster| cluster.raft(leader).metrics().purged > 20).await;
        // A new connection begins with what the leader knows the follower to have, and that is purged.
        cluster.isolate(slow, true);
        sleep(SECOND).await;
        cluster.isolate(slow, false);
        sleep(5 * SECOND).await;
        let counted_on = cluster.raft(leader).metrics().matching[&slow];
        assert_eq!(cluster.restored(slow), 0, "the snapshot is needless");

        cluster.kill(slow).await;
        let kept = Cluster::open(cluster.disk(slow), slow).unwrap().contents;
        let last = kept.last().map_or(0, |last| last.index());
        assert!(counted_on <= last, "the leader counts on {counted_on}, the disk has {last}");
        slowness.0.store(0, Ordering::Relaxed);
        cluster.start(slow).await;
        cluster.settle().await;
        assert_eq!(cluster.commands(slow), cluster.commands(leader));
    });
}

#[test]
fn a_log_of_as_many_bytes_as_the_limit_stays_and_beyond_it_half_of_them_are_kept() {
    run(15, async {
        let cluster = Cluster::of_three(15).await;
        let large = |number: usize| format!("{number:0width$}", width = cluster::COMMAND_BYTES_MAX / 10);
        for number in 0..20 {
            cluster.write(&large(number)).await;
        }
        sleep(5 * SECOND).await;
        for id in 1..=3 {
            let metrics = cluster.raft(id).metrics();
            assert_eq!((metrics.snapshot, metrics.purged), (0, 0), "server {id}");
        }
        cluster.write(&large(20)).await;
        cluster.wait("the logs are small", |cluster| (1..=3).all(|id| cluster.raft(id).metrics().purged > 0)).await;
        for id in 1..=3 {
            let metrics = cluster.raft(id).metrics();
            assert_eq!(metrics.last_log - metrics.purged, 10, "server {id}");
            assert_eq!(cluster.commands(id).len(), 21, "server {id}");
        }
    });
}

#[test]
fn after_all_servers_lose_power_votes_and_acknowledged_commands_are_there_again() {
    run(5, async {
        let mut cluster = Cluster::of_three(5).await;
        for number in 0..30 {
            cluster.write(&format!("{number}")).await;
        }
        let term = cluster.raft(1).metrics().term;
        for id in 1..=3 {
            cluster.kill(id).await;
        }
        for id in 1..=3 {
            cluster.start(id).await;
        }
        cluster.write("30").await;
        cluster.settle().await;
        let expected: Vec<String> = (0..=30).map(|number| number.to_string()).collect();
        for id in 1..=3 {
            assert_eq!(cluster.commands(id), expected, "server {id}");
            assert!(cluster.raft(id).metrics().term > term, "terms only grow");
        }
    });
}

#[test]
fn a_server_joins_votes_and_is_removed_again() {
    run(6, async {
        let mut cluster = Cluster::of_three(6).await;
        cluster.write("before").await;
        cluster.start(4).await;
        let leader = cluster.leader().await;
        let refused = cluster.raft(cluster.follower().await).add_server(4, "server-4", SECOND).await;
        assert!(matches!(refused, Err(ChangeMembersError::NotLeader { leader: Some(_) })), "{refused:?}");
        cluster.raft(leader).add_server(4, "server-4", 10 * SECOND).await.unwrap();
        cluster.raft(leader).add_server(4, "server-4", 10 * SECOND).await.unwrap();
        let members = cluster.raft(leader).members();
        assert_eq!(
            members.iter().map(|member| (member.id, member.role)).collect::<Vec<_>>(),
            [(1, Role::Voter), (2, Role::Voter), (3, Role::Voter), (4, Role::Voter)]
        );
        cluster.settle().await;
        assert_eq!(cluster.commands(4), ["before"]);
        for id in [leader, 4] {
            assert_eq!(cluster.raft(id).voters(), BTreeSet::from([1, 2, 3, 4]), "as server {id} sees them");
        }

        cluster.raft(leader).remove_server(leader, 10 * SECOND).await.unwrap();
        cluster.kill(leader).await;
        cluster.write("after").await;
        let next = cluster.leader().await;
        assert_ne!(next, leader);
        cluster.wait("the leader is out", |cluster| cluster.raft(next).members().len() == 3).await;
        assert!(!cluster.raft(next).members().iter().any(|member| member.id == leader));
    });
}

#[test]
fn a_change_of_members_that_does_not_end_says_for_whom_it_waits() {
    run(16, async {
        let mut cluster = Cluster::of_three(16).await;
        cluster.write("before").await;
        let leader = cluster.leader().await;
        let waits = cluster.raft(leader).add_server(4, "server-4", SECOND).await.unwrap_err().to_string();
        assert!(waits.contains("server 4 has 0 of "), "{waits}");
        let others: Vec<_> = (1..=3).filter(|id| *id != leader).collect();
        for id in &others {
            cluster.kill(*id).await;
        }
        cluster
            .wait("both are silent", |cluster| {
                others
                    .iter()
                    .all(|id| cluster.raft(leader).metrics().silent.get(id).is_none_or(|silent| *silent > SECOND))
            })
            .await;
        let waits = cluster.raft(leader).remove_server(others[0], SECOND).await.unwrap_err().to_string();
        assert!(waits.contains(&format!("servers {}, {} do not answer", others[0], others[1])), "{waits}");
    });
}

#[test]
fn leadership_is_handed_over_on_request() {
    run(7, async {
        let cluster = Cluster::of_three(7).await;
        let (old, new) = (cluster.leader().await, cluster.follower().await);
        let term = cluster.raft(old).metrics().term;
        assert!(cluster.raft(old).leads(term));
        cluster.raft(old).transfer_leadership(new, 5 * SECOND).await.unwrap();
        assert_eq!(cluster.leader().await, new);
        assert!(!cluster.raft(old).leads(term), "the old leader's term is over");
        cluster.write("after").await;
        let refused = cluster.raft(new).transfer_leadership(9, SECOND).await;
        assert!(matches!(refused, Err(ChangeMembersError::Refused(_))), "{refused:?}");
    });
}

#[test]
fn a_read_on_any_server_sees_every_write_that_was_acknowledged_before_it() {
    run(8, async {
        let cluster = Cluster::of_three(8).await;
        for number in 0..10 {
            let index = cluster.write(&format!("{number}")).await.index;
            for id in 1..=3 {
                assert!(cluster.raft(id).barrier(SECOND).await.unwrap() >= index);
                assert_eq!(cluster.commands(id).len(), number + 1, "server {id}");
            }
        }
    });
}

#[test]
fn a_follower_names_the_leader_and_without_one_a_proposal_ends_in_time() {
    run(9, async {
        let mut cluster = Cluster::of_three(9).await;
        cluster.write("x").await;
        let (leader, follower) = (cluster.leader().await, cluster.follower().await);
        let refused = cluster.raft(follower).propose(Bytes::from_static(b"y"), SECOND).await;
        assert_eq!(refused, Err(ProposeError::NotLeader { leader: Some((leader, format!("server-{leader}"))) }));

        for id in (1..=3).filter(|id| *id != follower) {
            cluster.kill(id).await;
        }
        tokio::time::sleep(2 * SECOND).await;
        let begin = Instant::now();
        let refused = cluster.raft(follower).propose(Bytes::from_static(b"z"), SECOND).await;
        assert!(matches!(refused, Err(ProposeError::NotLeader { .. } | ProposeError::Unknown)), "{refused:?}");
        assert!(begin.elapsed() <= SECOND + Duration::from_millis(10));
    });
}

#[test]
fn a_command_may_be_as_large_as_the_limit_and_no_larger() {
    run(10, async {
        let cluster = Cluster::of_three(10).await;
        let limit = cluster::COMMAND_BYTES_MAX;
        let leader = cluster.leader().await;
        let raft = cluster.raft(leader);
        raft.propose(Bytes::from(vec![b'x'; limit]), 5 * SECOND).await.unwrap();
        let refused = raft.propose(Bytes::from(vec![b'x'; limit + 1]), 5 * SECOND).await;
        assert_eq!(refused, Err(ProposeError::TooLarge { bytes: limit + 1, bytes_max: limit }));
        cluster.settle().await;
    });
}

#[test]
fn messages_for_another_cluster_or_server_are_refused() {
    run(11, async {
        let cluster = Cluster::of_three(11).await;
        let ask = || messages::Ask::ReadIndex(messages::ReadIndexMessage {});
        let ours = cluster.id;
        let cases = [
            (model::ClusterId::derive(&[b"other"]), 1, 2, "is for another"),
            (ours, 1, 3, "is for server 3"),
            (ours, 3, 2, "says it is from server 3"),
        ];
        for (id, from, to, reason) in cases {
            let reply = cluster.raft(2).handle(1, messages::Request::encode_to(id, from, to, ask())).await;
            let refusal = messages::Reply::accept(reply).unwrap_err().to_string();
            assert!(refusal.contains(reason), "{refusal}");
        }
        let reply = cluster.raft(2).handle(1, Bytes::from_static(b"\xff\xff")).await;
        assert!(messages::Reply::accept(reply).is_err());
    });
}

#[test]
fn a_failing_disk_stops_the_server_and_the_others_go_on() {
    run(12, async {
        let mut cluster = Cluster::of_three(12).await;
        cluster.write("before").await;
        let broken = cluster.leader().await;
        cluster.disk(broken).fail(seams::testing::Fault::Sync);
        let refused = cluster.raft(broken).propose(Bytes::from_static(b"lost"), 2 * SECOND).await;
        assert!(refused.is_err());
        let reason = tokio::time::timeout(5 * SECOND, cluster.raft(broken).stopped()).await.unwrap();
        assert!(!reason.is_empty());
        cluster.kill(broken).await;
        cluster.write("after").await;
        cluster.start(broken).await;
        cluster.settle().await;
        assert!(cluster.commands(broken).ends_with(&["after".to_string()]));
    });
}

#[test]
fn only_a_pristine_server_begins_a_cluster_and_a_folder_keeps_its_server() {
    run(13, async {
        let mut cluster = Cluster::of_three(13).await;
        assert_eq!(cluster.raft(2).initialize("server-2").await, Err(InitializeClusterError::NotPristine));
        cluster.kill(3).await;
        let error = cluster.start_as(3, 9).await.err().unwrap();
        assert!(matches!(error, StartError::Folder(ClaimFolderError::Taken { .. })), "{error}");
    });
}

/// Whom a server takes for the leader.
fn leader_of(cluster: &Cluster, id: ServerId) -> Option<ServerId> {
    cluster.raft(id).leader().borrow().leader.as_ref().map(|(leader, _)| *leader)
}

#[test]
fn who_has_lost_the_majority_knows_of_no_leader_until_it_is_back() {
    run(14, async {
        let mut cluster = Cluster::of_three(14).await;
        cluster.write("before").await;
        let leader = cluster.leader().await;
        let others: Vec<ServerId> = (1..=3).filter(|id| *id != leader).collect();
        cluster.isolate(leader, true);
        // The one that is cut off, until then the leader, leads no more; the others have elected one of themselves.
        cluster.wait("the old leader knows of none", |cluster| leader_of(cluster, leader).is_none()).await;
        let silence = cluster.raft(leader).silence();
        assert!(silence > SECOND, "{silence:?}");
        cluster.write("between").await;
        cluster.isolate(leader, false);
        cluster
            .wait("all know the same leader", |cluster| {
                let known: Vec<_> = (1..=3).map(|id| leader_of(cluster, id)).collect();
                known[0].is_some() && known.iter().all(|one| *one == known[0])
            })
            .await;

        let (last, dead) = (others[0], [leader, others[1]]);
        for id in dead {
            cluster.kill(id).await;
        }
        cluster.wait("the last one knows of no leader", |cluster| leader_of(cluster, last).is_none()).await;
        assert!(!cluster.raft(last).leader().borrow().is_leader);
        cluster.start(dead[0]).await;
        cluster.wait("a majority has a leader again", |cluster| leader_of(cluster, last).is_some()).await;
        cluster.write("after").await;
    });
}

#[test]
fn a_server_on_its_own_leads_on() {
    run(15, async {
        let mut cluster = Cluster::of_one(15).await;
        cluster.write("before").await;
        sleep(20 * SECOND).await;
        assert_eq!(leader_of(&cluster, 1), Some(1));
        assert_eq!(cluster.raft(1).silence(), Duration::ZERO);
        cluster.kill(1).await;
    });
}

#[test]
fn one_seed_gives_one_history() {
    let history = |seed| {
        run(seed, async move {
            let mut cluster = Cluster::of_three(seed).await;
            for round in 0..3 {
                for number in 0..10 {
                    cluster.write(&format!("{round}.{number}")).await;
                }
                let leader = cluster.leader().await;
                cluster.kill(leader).await;
                cluster.write(&format!("{round}.after")).await;
                cluster.start(leader).await;
            }
            cluster.settle().await;
            cluster.trace()
        })
    };
    let first = history(42);
    assert!(first.len() > 100, "the trace has {} lines", first.len());
    assert_eq!(first, history(42));
    assert_ne!(first, history(43), "another seed gives another history");
}
