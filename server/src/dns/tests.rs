//! The server on real sockets, asked with hickory's messages and with `dig`.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RecordType};
use hickory_proto::serialize::binary::BinEncodable;
use seams::SystemRandom;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::process::Command;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// `s<n>` has n passing instances, each on an address of its own.
struct Sized;

impl Names for Sized {
    fn service(&self, service: &str, _: Option<&str>) -> Lookup<Vec<Endpoint>> {
        let Some(count) = service.strip_prefix('s').and_then(|count| count.parse::<u16>().ok()) else {
            return Lookup::Unknown;
        };
        let endpoint = |number: u16| Endpoint {
            address: Ipv4Addr::from_bits(0x0a00_0000 + u32::from(number)).into(),
            port: 20_000 + number,
            node: format!("n{number}"),
            datacenter: "dc1".to_string(),
        };
        Lookup::Found((0..count).map(endpoint).collect())
    }

    fn node(&self, name: &str) -> Lookup<Host> {
        match name {
            "n1" => Lookup::Found(Host { address: Ipv4Addr::new(10, 0, 0, 1).into(), datacenter: "dc1".to_string() }),
            _ => Lookup::Unknown,
        }
    }

    fn is_datacenter(&self, name: &str) -> bool {
        name == "dc1"
    }
}

fn answers() -> Answers {
    let zones = DOMAINS_DEFAULT.map(|domain| Zone::new(domain).unwrap()).to_vec();
    Answers::new(zones, TTL_DEFAULT, Arc::new(Sized), Arc::new(SystemRandom))
}

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), DnsError>>,
}

async fn start() -> Running {
    // The system chooses a free port for UDP; somebody else may have it for TCP.
    let server = loop {
        match DnsServer::bind(&[(Ipv4Addr::LOCALHOST, 0).into()], answers()).await {
            Ok(server) => break server,
            Err(DnsError::Listen { source, .. }) if source.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(error) => panic!("{error}"),
        }
    };
    let address = server.addresses()[0];
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(server.run(async { drop(stopped.await) }));
    Running { address, stop, task }
}

fn query(name: &str, kind: RecordType, payload: Option<u16>) -> Message {
    let mut message = Message::new(4711, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    if let Some(payload) = payload {
        let mut edns = Edns::new();
        edns.set_max_payload(payload);
        message.set_edns(edns);
    }
    message
}

/// The answer over UDP and its length.
async fn udp(server: &Running, query: &Message) -> (Message, usize) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(server.address).await.unwrap();
    socket.send(&query.to_bytes().unwrap()).await.unwrap();
    let mut bytes = vec![0; 65_535];
    let length = timeout(PATIENCE, socket.recv(&mut bytes)).await.unwrap().unwrap();
    (Message::from_vec(&bytes[..length]).unwrap(), length)
}

async fn tcp(server: &Running, queries: &[Message]) -> Vec<Message> {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let mut answers = Vec::new();
    for query in queries {
        answers.push(ask(&mut stream, query).await);
    }
    answers
}

async fn ask(stream: &mut TcpStream, query: &Message) -> Message {
    let bytes = query.to_bytes().unwrap();
    stream.write_u16(bytes.len().try_into().unwrap()).await.unwrap();
    stream.write_all(&bytes).await.unwrap();
    let length = timeout(PATIENCE, stream.read_u16()).await.unwrap().unwrap();
    let mut bytes = vec![0; usize::from(length)];
    timeout(PATIENCE, stream.read_exact(&mut bytes)).await.unwrap().unwrap();
    Message::from_vec(&bytes).unwrap()
}

#[tokio::test]
async fn a_small_answer_is_whole_and_repeats_the_question_as_it_was_written() {
    let server = start().await;
    let asked = query("_S3._TCP.sErViCe.SCHED.", RecordType::SRV, Some(4096));
    let (answer, _) = udp(&server, &asked).await;
    assert_eq!(answer.metadata.id, 4711);
    assert!(answer.metadata.authoritative && answer.metadata.recursion_desired);
    assert!(!answer.metadata.recursion_available && !answer.metadata.truncation);
    assert!(answer.queries[0].name().eq_case(asked.queries[0].name()));
    assert_eq!((answer.answers.len(), answer.additionals.len()), (3, 3));
    assert!(answer.answers.iter().all(|record| record.name.eq_case(asked.queries[0].name()) && record.ttl == 0));
    assert_eq!(answer.edns.unwrap().max_payload(), UDP_BYTES_MAX);
}

#[tokio::test]
async fn an_answer_is_cut_to_what_the_client_takes_and_whole_over_tcp() {
    let server = start().await;
    let (plain, most) = (UDP_BYTES_PLAIN_MAX, UDP_BYTES_MAX);
    let asked = [
        (None, plain),
        (Some(plain - 1), plain),
        (Some(plain + 1), plain + 1),
        (Some(800), 800),
        (Some(most), most),
        (Some(most + 1), most),
    ];
    for (payload, length_max) in asked.map(|(payload, length_max)| (payload, usize::from(length_max))) {
        let (answer, length) = udp(&server, &query("s200.service.sched.", RecordType::SRV, payload)).await;
        assert!(answer.metadata.truncation, "{payload:?}");
        assert!(length <= length_max, "{payload:?}: {length} bytes");
        // As many as fit: another SRV record takes 43 bytes.
        assert!(length + 43 + 11 > length_max, "{payload:?}: {length} bytes");
        assert_eq!(answer.edns.is_some(), payload.is_some());
    }
    let asked = query("s200.service.sched.", RecordType::SRV, None);
    for answer in tcp(&server, &[asked.clone(), asked]).await {
        assert!(!answer.metadata.truncation);
        assert_eq!((answer.answers.len(), answer.additionals.len()), (200, 200));
    }
}

#[tokio::test]
async fn a_tcp_connection_may_be_silent_for_its_time_and_no_longer() {
    let server = start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    ask(&mut stream, &query("s1.service.sched.", RecordType::A, None)).await;
    // From here on nothing happens on the socket, so that only timers pass.
    tokio::time::pause();
    let begun = Instant::now();
    assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    // Its time began with the answer, a moment ago.
    let silent = begun.elapsed();
    let moment = Duration::from_secs(1);
    assert!(silent > TCP_IDLE_MAX - moment && silent < TCP_IDLE_MAX + moment, "{silent:?}");
}

#[tokio::test]
async fn addresses_beside_the_answer_are_left_out_before_anything_is_called_truncated() {
    let server = start().await;
    let (answer, _) = udp(&server, &query("s10.service.sched.", RecordType::SRV, None)).await;
    assert!(!answer.metadata.truncation);
    assert_eq!(answer.answers.len(), 10);
    assert!(answer.additionals.len() < 10);
}

#[tokio::test]
async fn what_is_cut_away_is_another_part_each_time() {
    let server = start().await;
    let mut seen = std::collections::BTreeSet::new();
    let asked = query("s40.service.sched.", RecordType::A, None);
    for _ in 0..50 {
        let (answer, _) = udp(&server, &asked).await;
        seen.extend(answer.answers.iter().map(|record| record.data.to_string()));
    }
    assert_eq!(seen.len(), 40);
}

#[tokio::test]
async fn questions_that_are_not_for_us_are_turned_away() {
    let server = start().await;
    let mut update = query("s1.service.sched.", RecordType::A, None);
    update.metadata.op_code = OpCode::Notify;
    let mut chaos = query("s1.service.sched.", RecordType::A, None);
    chaos.queries[0].set_query_class(DNSClass::CH);
    let mut newer = query("s1.service.sched.", RecordType::A, Some(1232));
    newer.edns.as_mut().unwrap().set_version(1);
    let mut two = query("s1.service.sched.", RecordType::A, None);
    two.add_query(Query::query(Name::from_ascii("s2.service.sched.").unwrap(), RecordType::A));
    for (asked, code) in [
        (update, ResponseCode::NotImp),
        (chaos, ResponseCode::Refused),
        (newer, ResponseCode::BADVERS),
        (two, ResponseCode::FormErr),
        (query("sched.", RecordType::AXFR, None), ResponseCode::Refused),
        (query("example.com.", RecordType::A, None), ResponseCode::Refused),
        (query("none.service.sched.", RecordType::A, None), ResponseCode::NXDomain),
    ] {
        let (answer, _) = udp(&server, &asked).await;
        // By number: BADVERS shares its with another code, which the client's library prefers.
        let heard = u16::from(answer.metadata.response_code);
        assert_eq!((heard, answer.answers.len()), (u16::from(code), 0), "{asked:?}");
    }
}

#[tokio::test]
async fn garbage_does_no_harm_and_a_stop_frees_the_port() {
    let server = start().await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for length in [0, 5, 12, 100, 1500] {
        socket.send_to(&vec![0xff; length], server.address).await.unwrap();
    }
    let (answer, _) = udp(&server, &query("s1.service.sched.", RecordType::A, None)).await;
    assert_eq!(answer.answers.len(), 1);
    let address = server.address;
    server.stop.send(()).unwrap();
    timeout(PATIENCE, server.task).await.unwrap().unwrap().unwrap();
    UdpSocket::bind(address).await.unwrap();
}

#[tokio::test]
async fn addresses_have_to_be_named() {
    let refused = DnsServer::bind(&["0.0.0.0:0".parse().unwrap()], answers()).await.err().unwrap();
    assert!(refused.to_string().starts_with("DNS can't listen on 0.0.0.0:0: name each address"));
    let taken = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let error = DnsServer::bind(&[taken.local_addr().unwrap()], answers()).await.err().unwrap();
    assert!(matches!(error, DnsError::Listen { .. }), "{error}");
}

#[tokio::test]
async fn dig_understands_us() {
    let server = start().await;
    let dig = async |arguments: &str| {
        let port = server.address.port().to_string();
        let mut command = Command::new("dig");
        command.args(["@127.0.0.1", "-p", &port, "+tries=1", "+time=20"]).args(arguments.split(' '));
        let output = command.output().await.expect("`dig` of dnsutils is installed");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(dig("+short s1.service.consul A").await, "10.0.0.0\n");
    assert_eq!(dig("+short _s1._tcp.service.sched SRV").await, "1 1 20000 0a000000.addr.dc1.sched.\n");
    assert_eq!(dig("+short 0a000000.addr.dc1.sched").await, "10.0.0.0\n");
    assert_eq!(dig("+short n1.node.sched").await, "10.0.0.1\n");
    assert_eq!(dig("+short +tcp s200.service.sched").await.lines().count(), 200);
    // Truncated at first, dig asks again over TCP by itself.
    assert_eq!(dig("+short s200.service.sched").await.lines().count(), 200);
    let additional = dig("+noall +additional s1.service.sched SRV").await;
    assert!(additional.contains("0a000000.addr.dc1.sched. 0\tIN\tA\t10.0.0.0"), "{additional}");
    let unknown = dig("none.service.sched").await;
    assert!(unknown.contains("status: NXDOMAIN") && unknown.contains("SOA"), "{unknown}");
    assert!(dig("s1.service.sched TXT").await.contains("status: NOERROR"));
    assert!(dig("example.com").await.contains("status: REFUSED"));
    assert!(!dig("s1.service.sched").await.contains("WARNING: Message parser"));
}
