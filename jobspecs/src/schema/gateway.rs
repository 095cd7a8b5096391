//! `gateway`: a service that leads into the service mesh, out of it, or between its datacenters.

use super::kind::{COUNT, PORT_NUMBER};
use super::{Block, Kind, Times, attribute, block};

pub(super) static GATEWAY: Block = Block::new(
    "gateway",
    "The service is a gateway of the mesh.",
    &[
        block("proxy", "Proxy", &PROXY, Times::Once),
        block("ingress", "Ingress", &INGRESS, Times::Once),
        block("terminating", "Terminating", &TERMINATING, Times::Once),
        block("mesh", "Mesh", &MESH, Times::Once),
    ],
)
.of::<model::Gateway>();

static PROXY: Block = Block::new(
    "proxy",
    "The proxy that does the work.",
    &[
        attribute("connect_timeout", "ConnectTimeout", Kind::Duration, "When a connection counts as failed."),
        attribute(
            "envoy_gateway_bind_tagged_addresses",
            "EnvoyGatewayBindTaggedAddresses",
            Kind::Bool,
            "Whether it listens at the service's tagged addresses.",
        ),
        block("envoy_gateway_bind_addresses", "EnvoyGatewayBindAddresses", &BIND_ADDRESS, Times::ByLabel),
        attribute(
            "envoy_gateway_no_default_bind",
            "EnvoyGatewayNoDefaultBind",
            Kind::Bool,
            "Whether it does not listen at its own address.",
        ),
        attribute(
            "envoy_dns_discovery_type",
            "EnvoyDNSDiscoveryType",
            Kind::Choice(&["STRICT_DNS", "LOGICAL_DNS"]),
            "How it resolves names.",
        ),
        attribute("config", "Config", Kind::Free, "The proxy's own settings."),
    ],
)
.of::<model::GatewayProxy>();

static BIND_ADDRESS: Block = Block::new(
    "envoy_gateway_bind_addresses",
    "An address at which it listens.",
    &[
        attribute("", "Name", Kind::Text, "The service that it is for, given as the label."),
        attribute("address", "Address", Kind::Text, "The address."),
        attribute("port", "Port", PORT_NUMBER, "The port."),
    ],
)
.labelled("Name")
.of::<model::BindAddress>();

static INGRESS: Block = Block::new(
    "ingress",
    "A gateway into the mesh.",
    &[block("tls", "TLS", &TLS, Times::Once), block("listener", "Listeners", &LISTENER, Times::Many)],
)
.of::<model::Ingress>();

static TLS: Block = Block::new(
    "tls",
    "Encryption towards those outside.",
    &[
        attribute("enabled", "Enabled", Kind::Bool, "Whether there is any."),
        attribute("tls_min_version", "TLSMinVersion", Kind::Text, "The oldest version, such as `TLSv1_2`."),
        attribute("tls_max_version", "TLSMaxVersion", Kind::Text, "The newest version."),
        attribute("cipher_suites", "CipherSuites", Kind::Texts, "The ciphers."),
    ],
)
.of::<model::GatewayTls>();

static LISTENER: Block = Block::new(
    "listener",
    "A port at which it listens.",
    &[
        attribute("port", "Port", PORT_NUMBER, "The port."),
        attribute(
            "protocol",
            "Protocol",
            Kind::Choice(&["tcp", "http", "http2", "grpc"]),
            "What is spoken; `tcp` unless given.",
        ),
        block("service", "Services", &LISTENER_SERVICE, Times::Many),
    ],
)
.of::<model::IngressListener>();

static LISTENER_SERVICE: Block = Block::new(
    "service",
    "A service behind it.",
    &[
        attribute("name", "Name", Kind::Text, "The service; `*` for all."),
        attribute("hosts", "Hosts", Kind::Texts, "Hosts for which requests go there."),
        block("tls", "TLS", &SERVICE_TLS, Times::Once),
        block("request_headers", "RequestHeaders", &REQUEST_HEADERS, Times::Once),
        block("response_headers", "ResponseHeaders", &RESPONSE_HEADERS, Times::Once),
        attribute("max_connections", "MaxConnections", COUNT, "The most connections."),
        attribute("max_pending_requests", "MaxPendingRequests", COUNT, "The most requests that wait."),
        attribute("max_concurrent_requests", "MaxConcurrentRequests", COUNT, "The most requests at a time."),
    ],
)
.of::<model::IngressService>();

static SERVICE_TLS: Block = Block::new("tls", "Encryption for these hosts.", &[block("sds", "SDS", &SDS, Times::Once)])
    .of::<model::IngressServiceTls>();

static SDS: Block = Block::new(
    "sds",
    "Where the certificate is had.",
    &[
        attribute("cluster_name", "ClusterName", Kind::Text, "The cluster that hands it out."),
        attribute("cert_resource", "CertResource", Kind::Text, "Its name there."),
    ],
)
.of::<model::Sds>();

static REQUEST_HEADERS: Block =
    Block::new("request_headers", "Changes of requests' header lines.", HEADERS).of::<model::HeaderChanges>();

static RESPONSE_HEADERS: Block =
    Block::new("response_headers", "Changes of answers' header lines.", HEADERS).of::<model::HeaderChanges>();

const HEADERS: &[super::Field] = &[
    attribute("add", "Add", Kind::TextMap, "Lines to add."),
    attribute("set", "Set", Kind::TextMap, "Lines to replace."),
    attribute("remove", "Remove", Kind::Texts, "Lines to take out."),
];

static TERMINATING: Block = Block::new(
    "terminating",
    "A gateway out of the mesh.",
    &[block("service", "Services", &TERMINATING_SERVICE, Times::Many)],
)
.of::<model::Terminating>();

static TERMINATING_SERVICE: Block = Block::new(
    "service",
    "A service outside the mesh.",
    &[
        attribute("name", "Name", Kind::Text, "The service."),
        attribute("ca_file", "CAFile", Kind::Text, "The file of the authority that is trusted."),
        attribute("cert_file", "CertFile", Kind::Text, "The file of the gateway's certificate."),
        attribute("key_file", "KeyFile", Kind::Text, "The file of its key."),
        attribute("sni", "SNI", Kind::Text, "The name that is asked for."),
    ],
)
.of::<model::TerminatingService>();

static MESH: Block = Block::new("mesh", "A gateway between datacenters.", &[]).of::<model::Mesh>();
