//! DNS on the sockets: checks the form of each message, and cuts answers to the length that the asker can take.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};

use hickory_proto::op::{Edns, Header, Metadata, OpCode, ResponseCode};
use hickory_proto::rr::{DNSClass, Record, RecordType};
use hickory_proto::serialize::binary::{BinEncodable, BinEncoder};
use hickory_server::Server;
use hickory_server::net::NetError;
use hickory_server::net::runtime::Time;
use hickory_server::net::xfer::Protocol;
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use thiserror::Error;
use tokio::net::{TcpListener, UdpSocket};

use super::answer::{Answer, Answers};
use super::{TCP_IDLE_MAX, UDP_BYTES_MAX, UDP_BYTES_PLAIN_MAX};

/// Answers that wait on one TCP connection for a client that doesn't read.
const TCP_ANSWERS_MAX: usize = 64;
/// What the record with which we answer EDNS takes at the end of a message.
const EDNS_BYTES: usize = 11;
/// The version of EDNS that there is.
const EDNS_VERSION: u8 = 0;

/// Why DNS can't be served.
#[derive(Debug, Error)]
pub enum DnsError {
    /// It would listen on addresses that nobody named, and answer from others than it was asked on.
    #[error("DNS can't listen on {0}: name each address that it shall answer on")]
    Unspecified(SocketAddr),
    /// A socket can't be had.
    #[error("DNS can't listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A socket broke.
    #[error("DNS stopped: {0}")]
    Broken(#[from] NetError),
}

/// A DNS server with its sockets.
pub struct DnsServer {
    addresses: Vec<SocketAddr>,
    server: Server<Desk>,
}

impl DnsServer {
    /// Listens on UDP and TCP of each of `addresses`, one socket each, so that answers come from where they were asked.
    pub async fn bind(addresses: &[SocketAddr], answers: Answers) -> Result<Self, DnsError> {
        let mut sockets = Vec::new();
        for address in addresses {
            if address.ip().is_unspecified() {
                return Err(DnsError::Unspecified(*address));
            }
            let failed = |source| DnsError::Listen { address: *address, source };
            let udp = UdpSocket::bind(address).await.map_err(failed)?;
            // With port 0, the system chooses one for UDP, and TCP takes the same.
            let bound = udp.local_addr().map_err(failed)?;
            let tcp = TcpListener::bind(bound).await.map_err(failed)?;
            sockets.push((bound, udp, tcp));
        }
        let addresses: Vec<_> = sockets.iter().map(|(bound, ..)| *bound).collect();
        let ours = addresses.iter().map(SocketAddr::ip).collect();
        let mut server = Server::new(Desk { answers, ours });
        for (_, udp, tcp) in sockets {
            server.register_socket(udp);
            server.register_listener(tcp, TCP_IDLE_MAX, TCP_ANSWERS_MAX);
        }
        Ok(Self { addresses, server })
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Answers until `shutdown`.
    pub async fn run(mut self, shutdown: impl Future<Output = ()> + Send) -> Result<(), DnsError> {
        tokio::select! {
            ended = self.server.block_until_done() => Ok(ended?),
            () = shutdown => Ok(self.server.shutdown_gracefully().await?),
        }
    }
}

/// Where questions arrive.
struct Desk {
    answers: Answers,
    ours: Vec<IpAddr>,
}

#[async_trait::async_trait]
impl RequestHandler for Desk {
    async fn handle_request<R: ResponseHandler, T: Time>(&self, request: &Request, mut to: R) -> ResponseInfo {
        let mut answer = self.answer(request);
        let mut metadata = Metadata::response_from_request(&request.metadata);
        metadata.response_code = answer.code;
        metadata.authoritative = matches!(answer.code, ResponseCode::NoError | ResponseCode::NXDomain);
        let edns = request.edns.as_ref().map(|asked| {
            let mut edns = Edns::new();
            edns.set_max_payload(asked.max_payload().clamp(UDP_BYTES_PLAIN_MAX, UDP_BYTES_MAX));
            edns
        });
        let length_max = match (request.protocol(), &edns) {
            (Protocol::Udp, Some(edns)) => edns.max_payload(),
            (Protocol::Udp, None) => UDP_BYTES_PLAIN_MAX,
            _ => u16::MAX,
        };
        metadata.truncation = cut(&mut answer, request, usize::from(length_max));
        let mut response = MessageResponseBuilder::from_message_request(request);
        if let Some(edns) = &edns {
            response.edns(edns);
        }
        let response = response.build(metadata, &answer.answers, &[], &answer.soa, &answer.additionals);
        match to.send_response(response).await {
            Ok(sent) => sent,
            Err(error) => {
                tracing::debug!(%error, to = %request.src(), "cannot answer a DNS question");
                metadata.response_code = ResponseCode::ServFail;
                ResponseInfo::from(Header { metadata, counts: Default::default() })
            }
        }
    }
}

impl Desk {
    fn answer(&self, request: &Request) -> Answer {
        let only = |code| Answer { code, ..Answer::default() };
        if request.metadata.op_code != OpCode::Query {
            return only(ResponseCode::NotImp);
        }
        if request.edns.as_ref().is_some_and(|edns| edns.version() > EDNS_VERSION) {
            return only(ResponseCode::BADVERS);
        }
        let Ok(info) = request.request_info() else { return only(ResponseCode::FormErr) };
        let query = info.query.original();
        match (query.query_class(), query.query_type()) {
            (DNSClass::IN | DNSClass::ANY, RecordType::AXFR | RecordType::IXFR) => only(ResponseCode::Refused),
            (DNSClass::IN | DNSClass::ANY, kind) => self.answers.answer(query.name(), kind, &self.ours),
            _ => only(ResponseCode::Refused),
        }
    }
}

/// Cuts `answer` to `length_max` bytes, and says whether something is missing that was asked for. Additional records
/// were not, so they go without a word (RFC 2181, section 9): a client that reads "truncated" throws the answer away.
fn cut(answer: &mut Answer, request: &Request, length_max: usize) -> bool {
    let available = length_max.saturating_sub(EDNS_BYTES);
    let mut bytes = Vec::new();
    let mut encoder = BinEncoder::new(&mut bytes);
    if encoder.place::<Header>().is_err() {
        return false;
    }
    // The server copies the question as bytes, so that the names in the answer can't point into it. It is a name with
    // its root, which `len` leaves out, a type and a class.
    let question: usize = request.queries.queries().iter().map(|query| query.original().name().len() + 1 + 4).sum();
    if encoder.emit_vec(&vec![0; question]).is_err() {
        return false;
    }
    let mut fitting = |records: &[Record]| {
        records.iter().take_while(|record| record.emit(&mut encoder).is_ok() && encoder.len() <= available).count()
    };
    let answers = fitting(&answer.answers);
    if answers < answer.answers.len() {
        answer.answers.truncate(answers);
        answer.additionals.clear();
        return true;
    }
    fitting(answer.soa.as_slice());
    let additionals = fitting(&answer.additionals);
    answer.additionals.truncate(additionals);
    false
}
