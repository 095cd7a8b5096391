//! Appends to a follower that does not answer.

use async_trait::async_trait;
use futures::stream;

use super::*;
use crate::raft::peers::PeerError;

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

#[tokio::test(start_paused = true)]
async fn as_many_appends_are_under_way_as_the_limit() {
    let cluster = ClusterId::derive(&[b"test"]);
    let network = Network { cluster, id: 1, peers: Arc::new(Nobody), timings: Timings::default(), chunk_bytes: 1 };
    let connection = Connection { network, to: 2, address: "server-2".to_string(), appends: Appends::Streamed };
    let append = || AppendEntriesRequest {
        vote: Vote::new_committed(1, 1),
        prev_log_id: None,
        entries: Vec::new(),
        leader_commit: None,
    };
    // The transport would take more.
    let (requests, sent) = mpsc::channel(2 * APPENDS_UNDER_WAY_MAX);
    let (_answers, replies) = mpsc::channel(1);
    let input = stream::iter(std::iter::repeat_with(append).take(2 * APPENDS_UNDER_WAY_MAX));
    let mut stream = AppendsUnderWay { input, requests, replies, sent: VecDeque::new(), input_ended: false };
    let result = connection.next_append(&mut stream).await;
    assert!(matches!(result, Some(Err(RPCError::Timeout(_)))), "nobody answers");
    assert_eq!(sent.len(), APPENDS_UNDER_WAY_MAX);
}
