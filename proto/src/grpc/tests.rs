//! gRPC over real sockets on loopback: mutual TLS, conversations, limits.

use std::sync::Arc;
use std::sync::Mutex;

use async_trait::async_trait;
use futures::FutureExt;
use model::NodeId;
use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
use seams::Workers;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::serve::serve_at_most;
use super::*;
use crate::identity::{Identity, Role};
use crate::net::{CHANNEL_FRAMES_MAX, Caller, Channel, Dialer, NetError, Peer, Refusal, Service};
use crate::testing::TestAuthority;
use crate::wire::{Frame, Join, Joined, Request, Response, frame, request, response};

/// Long enough for a busy machine; no test waits for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// Echoes raft messages and frames, joins whoever asks, refuses as it was told, and never answers the word "wait".
#[derive(Default)]
struct Echo {
    callers: Mutex<Vec<Caller>>,
    refusal: Option<Refusal>,
    /// Hears when a conversation is over.
    over: Option<mpsc::Sender<()>>,
}

#[async_trait]
impl Service for Echo {
    async fn call(&self, caller: Caller, request: Request) -> Result<Response, Refusal> {
        self.callers.lock().unwrap().push(caller);
        if let Some(refusal) = &self.refusal {
            return Err(refusal.clone());
        }
        match request.body {
            Some(request::Body::Raft(bytes)) if bytes == "wait" => std::future::pending().await,
            Some(request::Body::Raft(bytes)) => Ok(Response { body: Some(response::Body::Raft(bytes)) }),
            Some(request::Body::Join(_)) => {
                Ok(Response { body: Some(response::Body::Joined(Joined { server_id: 4, ..Joined::default() })) })
            }
            _ => Err(Refusal::Invalid("not here".to_string())),
        }
    }

    async fn open(&self, caller: Caller, mut channel: Channel) {
        self.callers.lock().unwrap().push(caller);
        while let Some(frame) = channel.receiver.recv().await {
            while frame == text("talk") && channel.sender.send(frame.clone()).await.is_ok() {}
            if frame == text("end") || channel.sender.send(frame).await.is_err() {
                break;
            }
        }
        if let Some(over) = &self.over {
            over.send(()).await.unwrap();
        }
    }
}

fn text(word: &str) -> Frame {
    Frame { body: Some(frame::Body::Raft(word.to_string().into())) }
}

fn raft(bytes: impl Into<bytes::Bytes>) -> Request {
    Request { body: Some(request::Body::Raft(bytes.into())) }
}

/// A listener on loopback.
struct Server {
    address: String,
    service: Arc<Echo>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(identity: Identity, service: Echo) -> Self {
        Self::start_on(TcpListener::bind("127.0.0.1:0").await.unwrap(), identity, service)
    }

    fn start_on(listener: TcpListener, identity: Identity, service: Echo) -> Self {
        Self::start_at_most(CONNECTIONS_MAX, listener, identity, service)
    }

    fn start_at_most(connections_max: usize, listener: TcpListener, identity: Identity, service: Echo) -> Self {
        let address = listener.local_addr().unwrap().to_string();
        let service = Arc::new(service);
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = service.clone();
        let task = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            serve_at_most(connections_max, listener, &identity, serving, Workers::shared(), stopped).await.unwrap();
        });
        Self { address, service, stop: Some(stop), task }
    }

    fn peer(&self) -> Peer {
        Peer::any(&self.address)
    }

    fn callers(&self) -> Vec<Caller> {
        self.service.callers.lock().unwrap().clone()
    }

    async fn stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
        (&mut self.task).await.unwrap();
    }
}

fn dialer(identity: &Identity) -> GrpcDialer {
    GrpcDialer::new(identity).unwrap().with_connect_timeout(PATIENCE)
}

fn unreachable(result: Result<Response, NetError>) -> String {
    match result {
        Err(NetError::Unreachable { reason, .. }) => reason,
        other => panic!("expected an unreachable peer, got {other:?}"),
    }
}

fn unknown_outcome(result: Result<Response, NetError>) -> String {
    match result {
        Err(NetError::Unknown { reason, .. }) => reason,
        other => panic!("expected an unknown outcome, got {other:?}"),
    }
}

#[tokio::test]
async fn a_question_is_answered_and_both_ends_know_each_other() {
    let authority = TestAuthority::new("a");
    let node = NodeId::derive(&[b"n"]);
    let server = Server::start(authority.identity(Role::Server(1)), Echo::default()).await;
    for role in [Role::Server(2), Role::Agent(node)] {
        let dialer = dialer(&authority.identity(role));
        for peer in [server.peer(), Peer::server(1, &server.address)] {
            let answer = dialer.call(&peer, raft("hello"), PATIENCE).await.unwrap();
            assert_eq!(answer.body, Some(response::Body::Raft("hello".into())));
        }
    }
    let cluster = authority.cluster;
    let two = Caller::Server { cluster, id: 2 };
    let callers = server.callers();
    assert_eq!(callers[..2], [two, two]);
    let is_agent = |caller: &Caller| matches!(caller, Caller::Agent { cluster: of, node: id, .. } if (*of, *id) == (cluster, node));
    assert!(callers.len() == 4 && callers[2..].iter().all(is_agent) && callers[2] == callers[3], "{callers:?}");
    let other = dialer(&authority.identity(Role::Agent(node)));
    other.call(&server.peer(), raft("hello"), PATIENCE).await.unwrap();
    let last = *server.callers().last().unwrap();
    assert!(is_agent(&last) && last != callers[2], "one with another key is not the same");
}

#[tokio::test]
async fn each_refusal_arrives_as_it_was_sent() {
    let authority = TestAuthority::new("a");
    let long = "ä\n".repeat(100_000);
    for refusal in [
        Refusal::NotLeader { leader: Some("127.0.0.1:4647".to_string()) },
        Refusal::NotLeader { leader: None },
        Refusal::Denied("no".to_string()),
        Refusal::Invalid(long),
        Refusal::Unavailable(String::new()),
        Refusal::Storage("full".to_string()),
    ] {
        let service = Echo { refusal: Some(refusal.clone()), ..Echo::default() };
        let server = Server::start(authority.identity(Role::Server(1)), service).await;
        let answer = dialer(&authority.identity(Role::Server(2))).call(&server.peer(), raft("x"), PATIENCE).await;
        assert_eq!(answer, Err(NetError::Refused(refusal)));
    }
}

#[tokio::test]
async fn a_conversation_carries_more_frames_than_its_buffers_hold_and_ends_when_the_asker_ends_it() {
    let authority = TestAuthority::new("a");
    let (over, mut is_over) = mpsc::channel(1);
    let service = Echo { over: Some(over), ..Echo::default() };
    let server = Server::start(authority.identity(Role::Server(1)), service).await;
    let dialer = dialer(&authority.identity(Role::Server(2)));
    let Channel { sender, mut receiver } = dialer.open(&server.peer(), PATIENCE).await.unwrap();

    let count = CHANNEL_FRAMES_MAX * 20;
    let sending = tokio::spawn(async move {
        for number in 0..count {
            sender.send(text(&number.to_string())).await.unwrap();
        }
    });
    for number in 0..count {
        assert_eq!(receiver.recv().await, Some(text(&number.to_string())));
    }
    sending.await.unwrap();
    timeout(PATIENCE, is_over.recv()).await.unwrap().unwrap();
    assert_eq!(timeout(PATIENCE, receiver.recv()).await.unwrap(), None);
}

#[tokio::test]
async fn a_conversation_ends_when_the_answerer_ends_it() {
    let authority = TestAuthority::new("a");
    let server = Server::start(authority.identity(Role::Server(1)), Echo::default()).await;
    let dialer = dialer(&authority.identity(Role::Server(2)));
    let Channel { sender, mut receiver } = dialer.open(&server.peer(), PATIENCE).await.unwrap();
    sender.send(text("end")).await.unwrap();
    assert_eq!(timeout(PATIENCE, receiver.recv()).await.unwrap(), None);
    timeout(PATIENCE, sender.closed()).await.unwrap();
}

#[tokio::test]
async fn a_conversation_ends_when_the_asker_drops_it_even_if_the_answerer_only_talks() {
    let authority = TestAuthority::new("a");
    let (over, mut is_over) = mpsc::channel(1);
    let service = Echo { over: Some(over), ..Echo::default() };
    let server = Server::start(authority.identity(Role::Server(1)), service).await;
    let dialer = dialer(&authority.identity(Role::Server(2)));
    let mut channel = dialer.open(&server.peer(), PATIENCE).await.unwrap();
    channel.sender.send(text("talk")).await.unwrap();
    assert_eq!(channel.receiver.recv().await, Some(text("talk")));
    drop(channel);
    timeout(PATIENCE, is_over.recv()).await.unwrap().unwrap();
}

#[tokio::test]
async fn whoever_stops_listening_may_go_on_talking() {
    let authority = TestAuthority::new("a");
    let (over, mut is_over) = mpsc::channel(1);
    let service = Echo { over: Some(over), ..Echo::default() };
    let server = Server::start(authority.identity(Role::Server(1)), service).await;
    let dialer = dialer(&authority.identity(Role::Server(2)));
    let Channel { sender, receiver } = dialer.open(&server.peer(), PATIENCE).await.unwrap();
    drop(receiver);
    for _ in 0..CHANNEL_FRAMES_MAX * 4 {
        sender.send(text("x")).await.unwrap();
    }
    assert!(is_over.try_recv().is_err());
    drop(sender);
    timeout(PATIENCE, is_over.recv()).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stopping_server_ends_its_conversations() {
    let authority = TestAuthority::new("a");
    let (over, mut is_over) = mpsc::channel(1);
    let service = Echo { over: Some(over), ..Echo::default() };
    let mut server = Server::start(authority.identity(Role::Server(1)), service).await;
    let dialer = dialer(&authority.identity(Role::Server(2)));
    let mut channel = dialer.open(&server.peer(), PATIENCE).await.unwrap();
    timeout(PATIENCE, server.stop()).await.unwrap();
    timeout(PATIENCE, is_over.recv()).await.unwrap().unwrap();
    assert_eq!(timeout(PATIENCE, channel.receiver.recv()).await.unwrap(), None);
    unreachable(dialer.call(&server.peer(), raft("x"), PATIENCE).await);
}

#[tokio::test]
async fn a_peer_that_came_back_is_reached_again() {
    let authority = TestAuthority::new("a");
    let mut server = Server::start(authority.identity(Role::Server(1)), Echo::default()).await;
    let dialer = dialer(&authority.identity(Role::Server(2)));
    dialer.call(&server.peer(), raft("x"), PATIENCE).await.unwrap();
    server.stop().await;
    unreachable(dialer.call(&server.peer(), raft("x"), PATIENCE).await);
    let listener = TcpListener::bind(&server.address).await.unwrap();
    let server = Server::start_on(listener, authority.identity(Role::Server(1)), Echo::default());
    dialer.call(&server.peer(), raft("x"), PATIENCE).await.unwrap();
}

#[tokio::test]
async fn a_server_of_another_authority_is_refused() {
    // The same cluster id on purpose: only the signature tells.
    let (authority, other) = (TestAuthority::new("a"), TestAuthority::new("a"));
    let server = Server::start(other.identity(Role::Server(1)), Echo::default()).await;
    let answer = dialer(&authority.identity(Role::Server(2))).call(&server.peer(), raft("x"), PATIENCE).await;
    assert!(unreachable(answer).contains("invalid peer certificate"));
    assert_eq!(server.callers(), []);
}

#[tokio::test]
async fn a_caller_of_another_authority_is_refused() {
    let (authority, other) = (TestAuthority::new("a"), TestAuthority::new("a"));
    let server = Server::start(authority.identity(Role::Server(1)), Echo::default()).await;
    // It trusts the server's authority but has a certificate of its own one.
    let forged = other.identity(Role::Server(2)).trusting(&authority.identity(Role::Server(3)));
    assert!(dialer(&forged).call(&server.peer(), raft("x"), PATIENCE).await.is_err());
    assert_eq!(server.callers(), []);
}

#[tokio::test]
async fn another_server_than_the_wanted_one_is_refused() {
    let authority = TestAuthority::new("a");
    let server = Server::start(authority.identity(Role::Server(1)), Echo::default()).await;
    let dialer = dialer(&authority.identity(Role::Server(2)));
    let answer = dialer.call(&Peer::server(3, &server.address), raft("x"), PATIENCE).await;
    assert_eq!(unreachable(answer), "it is server 1, not 3");
    assert_eq!(server.callers(), []);
}

#[tokio::test]
async fn an_agent_cannot_pretend_to_be_a_server() {
    let authority = TestAuthority::new("a");
    let node = Role::Agent(NodeId::derive(&[b"n"]));
    // As the authority makes them, an agent's certificate fails in TLS already …
    let plain = authority.identity(node);
    // … and one that was made with a server's name by mistake fails by its URI.
    let generous = authority.identity_with(node, vec!["server.sched".to_string()], vec![ServerAuth, ClientAuth]);
    for (identity, why) in [(plain, "invalid peer certificate"), (generous, "not a server")] {
        let server = Server::start(identity, Echo::default()).await;
        let answer = dialer(&authority.identity(Role::Server(2))).call(&server.peer(), raft("x"), PATIENCE).await;
        let reason = unreachable(answer);
        assert!(reason.contains(why), "{reason}");
        assert_eq!(server.callers(), []);
    }
}

#[tokio::test]
async fn whoever_joins_is_anonymous_and_needs_the_right_hash() {
    let authority = TestAuthority::new("a");
    let server = Server::start(authority.identity(Role::Server(1)), Echo::default()).await;
    let hash = authority_hash(authority.der());
    let joined = ask_to_join(&server.address, hash, Join::default(), PATIENCE).await.unwrap();
    assert_eq!(joined.server_id, 4);
    assert_eq!(server.callers(), [Caller::Anonymous]);

    let wrong = authority_hash(TestAuthority::new("a").der());
    let error = ask_to_join(&server.address, wrong, Join::default(), PATIENCE).await.unwrap_err();
    assert!(error.to_string().contains("not of the cluster that the token is for"), "{error}");
    assert_eq!(server.callers().len(), 1);
}

#[tokio::test]
async fn an_agent_cannot_take_join_requests() {
    let authority = TestAuthority::new("a");
    let node = Role::Agent(NodeId::derive(&[b"n"]));
    let generous = authority.identity_with(node, vec!["server.sched".to_string()], vec![ServerAuth, ClientAuth]);
    let server = Server::start(generous, Echo::default()).await;
    let hash = authority_hash(authority.der());
    let error = ask_to_join(&server.address, hash, Join::default(), PATIENCE).await.unwrap_err();
    assert!(error.to_string().ends_with("not a server"), "{error}");
    assert_eq!(server.callers(), []);
}

#[tokio::test]
async fn an_anonymous_message_beyond_its_limit_never_reaches_the_service() {
    let authority = TestAuthority::new("a");
    let server = Server::start(authority.identity(Role::Server(1)), Echo::default()).await;
    let hash = authority_hash(authority.der());
    // The token's field and the request around it take a tag and three bytes of length each.
    let token = |spare: usize| "x".repeat(ANONYMOUS_MESSAGE_BYTES_MAX - 8 + spare);
    let join = |spare| Join { token: token(spare), ..Join::default() };
    ask_to_join(&server.address, hash, join(0), PATIENCE).await.unwrap();
    let error = ask_to_join(&server.address, hash, join(1), PATIENCE).await.unwrap_err();
    assert!(matches!(error, NetError::Unknown { .. }), "{error}");
    assert_eq!(server.callers().len(), 1);
}

#[tokio::test]
async fn a_message_at_the_limit_passes_and_one_beyond_is_not_sent() {
    let authority = TestAuthority::new("a");
    let server = Server::start(authority.identity(Role::Server(1)), Echo::default()).await;
    let dialer = dialer(&authority.identity(Role::Server(2)));
    // A tag and four bytes of length stand before the bytes; the answer has one such frame more.
    let largest = vec![7; MESSAGE_BYTES_MAX - 10];
    dialer.call(&server.peer(), raft(largest), PATIENCE).await.unwrap();
    let too_large = vec![7; MESSAGE_BYTES_MAX - 4];
    let answer = dialer.call(&server.peer(), raft(too_large), PATIENCE).await;
    let Err(NetError::Refused(Refusal::Invalid(why))) = answer else { panic!("{answer:?}") };
    assert_eq!(why, "a message of 16777217 bytes is longer than the 16777216 that are allowed");
    assert_eq!(server.callers().len(), 1);
}

#[tokio::test]
async fn a_dead_peer_fails_within_the_connect_timeout_for_all_who_wait() {
    let authority = TestAuthority::new("a");
    let connect_timeout = Duration::from_millis(100);
    let dialer = GrpcDialer::new(&authority.identity(Role::Server(2))).unwrap().with_connect_timeout(connect_timeout);
    // The system accepts the connection, but nobody is there to speak TLS.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = Peer::any(silent.local_addr().unwrap().to_string());
    let begun = Instant::now();
    let calls = (0..50).map(|_| dialer.call(&peer, raft("x"), PATIENCE));
    for answer in futures::future::join_all(calls).await {
        assert_eq!(unreachable(answer), "no connection within 100ms");
    }
    // One attempt for all: one each would have taken five seconds.
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());

    let address = silent.local_addr().unwrap().to_string();
    drop(silent);
    assert!(unreachable(dialer.call(&Peer::any(address), raft("x"), PATIENCE).await).contains("refused"));
}

#[tokio::test]
async fn a_deadline_that_passes_while_connecting_leaves_nothing_done() {
    let authority = TestAuthority::new("a");
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = Peer::any(silent.local_addr().unwrap().to_string());
    let dialer = dialer(&authority.identity(Role::Server(2)));
    unreachable(dialer.call(&peer, raft("x"), Duration::from_millis(10)).await);
}

#[tokio::test]
async fn a_deadline_holds_against_a_service_that_never_answers() {
    let authority = TestAuthority::new("a");
    let server = Server::start(authority.identity(Role::Server(1)), Echo::default()).await;
    let dialer = dialer(&authority.identity(Role::Server(2)));
    dialer.call(&server.peer(), raft("x"), PATIENCE).await.unwrap();
    let answer = dialer.call(&server.peer(), raft("wait"), Duration::from_millis(50)).await;
    assert_eq!(unknown_outcome(answer), "no answer within 50ms");
    // The connection is as good as before.
    dialer.call(&server.peer(), raft("x"), PATIENCE).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_breaks_during_a_call_leaves_the_outcome_unknown() {
    let authority = TestAuthority::new("a");
    let server = Server::start(authority.identity(Role::Server(1)), Echo::default()).await;
    let dialer = dialer(&authority.identity(Role::Server(2)));
    let peer = server.peer();
    let call = dialer.call(&peer, raft("wait"), PATIENCE);
    let breaks = async {
        while server.callers().is_empty() {
            tokio::task::yield_now().await;
        }
        server.task.abort();
    };
    let (answer, ()) = futures::join!(call, breaks);
    unknown_outcome(answer);
}

#[tokio::test]
async fn tls_older_than_1_3_is_refused() {
    let authority = TestAuthority::new("a");
    let identity = authority.identity(Role::Server(1));
    let server = Server::start(identity.clone(), Echo::default()).await;
    for (version, accepted) in [(&rustls::version::TLS12, false), (&rustls::version::TLS13, true)] {
        let mut config = rustls::ClientConfig::builder_with_provider(tls::provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(tls::roots(identity.authority()).unwrap())
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let tcp = tokio::net::TcpStream::connect(&server.address).await.unwrap();
        let name = crate::identity::SERVER_NAME.try_into().unwrap();
        let handshake = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp).await;
        assert_eq!(handshake.is_ok(), accepted, "{version:?}");
    }
}

#[tokio::test]
async fn as_many_connections_are_held_as_the_limit_and_one_more_waits_for_the_end_of_another() {
    let authority = TestAuthority::new("a");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::start_at_most(2, listener, authority.identity(Role::Server(1)), Echo::default());
    let dialers = [2, 3].map(|id| dialer(&authority.identity(Role::Server(id))));
    for dialer in &dialers {
        dialer.call(&server.peer(), raft("x"), PATIENCE).await.unwrap();
    }
    let (third, peer) = (dialer(&authority.identity(Role::Server(4))), server.peer());
    let mut waiting = tokio::spawn(async move { third.call(&peer, raft("x"), PATIENCE).await });
    for dialer in &dialers {
        // Time enough for the third, if it were let in.
        dialer.call(&server.peer(), raft("x"), PATIENCE).await.unwrap();
    }
    assert!((&mut waiting).now_or_never().is_none());
    drop(dialers);
    timeout(PATIENCE, waiting).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_peer_has_as_many_conversations_as_the_limit_and_one_more_waits_for_the_end_of_another() {
    let authority = TestAuthority::new("a");
    let server = Server::start(authority.identity(Role::Server(1)), Echo::default()).await;
    let dialer = dialer(&authority.identity(Role::Server(2)));
    let peer = server.peer();
    let opening = (0..STREAMS_MAX).map(|_| dialer.open(&peer, PATIENCE));
    let mut channels = futures::future::try_join_all(opening).await.unwrap();
    let mut waiting = Box::pin(async { dialer.open(&peer, PATIENCE).await.unwrap() });
    for channel in &mut channels[..2] {
        channel.sender.send(text("hello")).await.unwrap();
        // Time enough for one more, if it were let in.
        tokio::select! {
            biased;
            echo = channel.receiver.recv() => assert_eq!(echo, Some(text("hello"))),
            _ = &mut waiting => panic!("there is one too many"),
        }
    }
    channels.pop();
    timeout(PATIENCE, waiting).await.unwrap();
}

#[tokio::test]
async fn a_listener_that_was_held_keeps_a_peer_that_gave_up_as_many_calls_as_the_limit() {
    let authority = TestAuthority::new("a");
    let listening = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let identity = authority.identity(Role::Server(1));
    let server = listening.spawn(Server::start(identity, Echo::default())).await.unwrap();
    let dialer = dialer(&authority.identity(Role::Server(2)));
    let mut conversation = dialer.open(&server.peer(), PATIENCE).await.unwrap();
    conversation.sender.send(text("before")).await.unwrap();
    assert_eq!(conversation.receiver.recv().await, Some(text("before")));

    let (release, held) = std::sync::mpsc::channel::<()>();
    let (holds, is_held) = oneshot::channel();
    listening.spawn(async move {
        holds.send(()).unwrap();
        // The only thread: whatever arrives has to wait.
        held.recv().unwrap();
    });
    is_held.await.unwrap();
    let peer = server.peer();
    let given_up = (0..GIVEN_UP_MAX).map(|_| dialer.call(&peer, raft("late"), Duration::from_millis(200)));
    for outcome in futures::future::join_all(given_up).await {
        unknown_outcome(outcome);
    }
    release.send(()).unwrap();

    conversation.sender.send(text("after")).await.unwrap();
    assert_eq!(timeout(PATIENCE, conversation.receiver.recv()).await.unwrap(), Some(text("after")));
    listening.shutdown_background();
}
