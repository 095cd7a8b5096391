//! Appends to a follower that does not answer.

use async_trait::async_trait;
use futures::stream;

use openraft::entry::RaftEntry as _;

use super::*;
use crate::raft::messages::AppendReply;
use crate::raft::peers::PeerError;
use crate::raft::types::{Entry, log_id};

/// Nobody is there.
struct Nobody;

#[async_trait]
impl Peers for Nobody {
    async fn call(&self, _: ServerId, _: &str, _: Bytes, _: Duration) -> Result<Bytes, PeerError> {
        Err(PeerError::Unreachable("nobody is there".to_string()))
    }

    async fn open(&self, _: ServerId, _: &str) -> Result<(mpsc::Sender<Bytes>, mpsc::Receiver<Bytes>), PeerError> {
        Err(PeerError::Unreachable("nobody is there".to_string()))
    }
}

fn connection() -> Connection {
    let cluster = ClusterId::derive(&[b"test"]);
    let network = Network { cluster, id: 1, peers: Arc::new(Nobody), timings: Timings::default(), chunk_bytes: 1 };
    Connection { network, to: 2, address: "server-2".to_string(), appends: Appends::Streamed }
}

/// An append of the entries after `previous` up to `last`.
fn append(previous: u64, last: u64) -> AppendEntriesRequest<TypeConfig> {
    AppendEntriesRequest {
        vote: Vote::new_committed(1, 1),
        prev_log_id: (previous > 0).then(|| log_id(1, previous)),
        entries: (previous + 1..=last).map(|index| Entry::new_blank(log_id(1, index))).collect(),
        leader_commit: None,
    }
}

#[tokio::test(start_paused = true)]
async fn as_many_appends_are_under_way_as_the_limit() {
    let connection = connection();
    // The transport would take more.
    let (requests, sent) = mpsc::channel(2 * APPENDS_UNDER_WAY_MAX);
    let (_answers, replies) = mpsc::channel(1);
    let input = stream::iter(std::iter::repeat_with(|| append(0, 0)).take(2 * APPENDS_UNDER_WAY_MAX));
    let mut stream = AppendsUnderWay { input, requests, replies, sent: VecDeque::new(), input_ended: false };
    let result = connection.next_append(&mut stream).await;
    assert!(matches!(result, Some(Err(RPCError::Timeout(_)))), "nobody answers");
    assert_eq!(sent.len(), APPENDS_UNDER_WAY_MAX);
}

#[tokio::test(start_paused = true)]
async fn an_answer_counts_for_no_append_that_was_sent_after_it() {
    let connection = connection();
    let (requests, _sent) = mpsc::channel(8);
    let (answers, replies) = mpsc::channel(8);
    let says = |last: u64| {
        let reply: AppendReply = StreamAppendResult::<TypeConfig>::Ok(Some(log_id(1, last))).into();
        answers.try_send(Reply::encode_from(Answered::Append(reply))).unwrap();
    };
    let mut stream =
        AppendsUnderWay { input: stream::pending(), requests, replies, sent: VecDeque::new(), input_ended: false };
    // The second has no entries: it tells what is committed.
    for (previous, last) in [(0, 2), (2, 2), (2, 3)] {
        connection.send_append(&mut stream, append(previous, last)).await.unwrap();
    }
    says(2);
    let result = connection.next_append(&mut stream).await;
    assert!(matches!(result, Some(Err(RPCError::Timeout(_)))), "the answer to the second is waited for");
    says(2);
    let mut next = async || connection.next_append(&mut stream).await.unwrap().unwrap().unwrap();
    assert_eq!(next().await, Some(log_id(1, 2)));
    says(3);
    assert_eq!(next().await, Some(log_id(1, 3)));
}
