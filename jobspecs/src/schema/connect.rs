//! `connect`: a service's part in the service mesh.

use super::gateway::GATEWAY;
use super::kind::PORT_NUMBER;
use super::task::{LOGS, RESOURCES};
use super::volume::VOLUME_MOUNT;
use super::{Block, Kind, Times, attribute, block};

pub(super) static CONNECT: Block = Block::new(
    "connect",
    "The service's part in the service mesh.",
    &[
        attribute("native", "Native", Kind::Bool, "Whether it speaks the mesh's protocol itself."),
        block("sidecar_service", "SidecarService", &SIDECAR_SERVICE, Times::Once),
        block("sidecar_task", "SidecarTask", &SIDECAR_TASK, Times::Once),
        block("gateway", "Gateway", &GATEWAY, Times::Once),
    ],
)
.of::<model::Connect>();

static SIDECAR_SERVICE: Block = Block::new(
    "sidecar_service",
    "The service of the proxy.",
    &[
        attribute("tags", "Tags", Kind::Texts, "Tags in the catalog."),
        attribute("port", "Port", Kind::Text, "Label of the port; one of its own unless given."),
        attribute(
            "disable_default_tcp_check",
            "DisableDefaultTCPCheck",
            Kind::Bool,
            "Whether the proxy's port is not probed.",
        ),
        attribute("meta", "Meta", Kind::TextMap, "Free values by name."),
        block("proxy", "Proxy", &PROXY, Times::Once),
    ],
)
.of::<model::SidecarService>();

static PROXY: Block = Block::new(
    "proxy",
    "The proxy beside the tasks.",
    &[
        attribute("local_service_address", "LocalServiceAddress", Kind::Text, "Where the service listens."),
        attribute("local_service_port", "LocalServicePort", PORT_NUMBER, "The port at which it listens."),
        block("upstreams", "Upstreams", &UPSTREAM, Times::Many),
        block("expose", "Expose", &EXPOSE, Times::Once),
        block("transparent_proxy", "TransparentProxy", &TRANSPARENT_PROXY, Times::Once),
        attribute("config", "Config", Kind::Free, "The proxy's own settings."),
    ],
)
.of::<model::SidecarProxy>();

static UPSTREAM: Block = Block::new(
    "upstreams",
    "A service that is reached through the proxy.",
    &[
        attribute("destination_name", "DestinationName", Kind::Text, "The service."),
        attribute("destination_namespace", "DestinationNamespace", Kind::Text, "Its namespace."),
        attribute("destination_peer", "DestinationPeer", Kind::Text, "Its cluster, if that is a peer."),
        attribute("destination_partition", "DestinationPartition", Kind::Text, "Its partition."),
        attribute(
            "destination_type",
            "DestinationType",
            Kind::Choice(&["service", "prepared_query"]),
            "What the name names.",
        ),
        attribute("local_bind_port", "LocalBindPort", PORT_NUMBER, "The port at which the proxy listens for it."),
        attribute("local_bind_address", "LocalBindAddress", Kind::Text, "The address for that."),
        attribute("local_bind_socket_path", "LocalBindSocketPath", Kind::Text, "A socket in place of a port."),
        attribute("local_bind_socket_mode", "LocalBindSocketMode", Kind::Text, "The socket's mode."),
        attribute("datacenter", "Datacenter", Kind::Text, "Its datacenter."),
        block("mesh_gateway", "MeshGateway", &MESH_GATEWAY, Times::Once),
        attribute("config", "Config", Kind::Free, "The proxy's own settings for it."),
    ],
)
.of::<model::Upstream>();

static MESH_GATEWAY: Block = Block::new(
    "mesh_gateway",
    "The gateway that leads to another datacenter.",
    &[attribute("mode", "Mode", Kind::Choice(&["none", "local", "remote"]), "Which one.")],
)
.of::<model::MeshGateway>();

static EXPOSE: Block =
    Block::new("expose", "Paths that are reached past the mesh.", &[block("path", "Paths", &EXPOSE_PATH, Times::Many)])
        .of::<model::Expose>();

static EXPOSE_PATH: Block = Block::new(
    "path",
    "A path that is reached past the mesh.",
    &[
        attribute("path", "Path", Kind::Text, "The path."),
        attribute("protocol", "Protocol", Kind::Choice(&["http", "http2"]), "How it is spoken to."),
        attribute("local_path_port", "LocalPathPort", PORT_NUMBER, "The port at which the service listens."),
        attribute("listener_port", "ListenerPort", Kind::Text, "Label of the port at which the proxy listens."),
    ],
)
.of::<model::ExposePath>();

static TRANSPARENT_PROXY: Block = Block::new(
    "transparent_proxy",
    "All traffic goes through the proxy, but for what is excluded.",
    &[
        attribute("uid", "UID", Kind::Text, "The proxy's user."),
        attribute("outbound_port", "OutboundPort", PORT_NUMBER, "The port at which it takes outbound traffic."),
        attribute("exclude_inbound_ports", "ExcludeInboundPorts", Kind::Texts, "Ports of inbound traffic."),
        attribute(
            "exclude_outbound_ports",
            "ExcludeOutboundPorts",
            Kind::Wholes(0, u16::MAX as i64),
            "Ports of outbound traffic.",
        ),
        attribute("exclude_outbound_cidrs", "ExcludeOutboundCIDRs", Kind::Texts, "Networks of outbound traffic."),
        attribute("exclude_uids", "ExcludeUIDs", Kind::Texts, "Users."),
        attribute("no_dns", "NoDNS", Kind::Bool, "Whether name resolution is excluded."),
    ],
)
.of::<model::TransparentProxy>();

static SIDECAR_TASK: Block = Block::new(
    "sidecar_task",
    "What the proxy's task has in place of the defaults.",
    &[
        attribute("name", "Name", Kind::Text, "Its name."),
        attribute("driver", "Driver", Kind::Text, "What runs it."),
        attribute("user", "User", Kind::Text, "The user to run as."),
        attribute("config", "Config", Kind::Free, "The driver's settings."),
        attribute("env", "Env", Kind::TextMap, "Environment variables."),
        block("resources", "Resources", &RESOURCES, Times::Once),
        attribute("meta", "Meta", Kind::TextMap, "Free values by name."),
        block("logs", "LogConfig", &LOGS, Times::Once),
        attribute("kill_timeout", "KillTimeout", Kind::Duration, "Time between the stop signal and the end by force."),
        attribute("shutdown_delay", "ShutdownDelay", Kind::Duration, "Wait between leaving the catalog and the stop."),
        attribute("kill_signal", "KillSignal", Kind::Text, "The stop signal."),
        block("volume_mount", "VolumeMounts", &VOLUME_MOUNT, Times::Many),
    ],
)
.of::<model::SidecarTask>();
