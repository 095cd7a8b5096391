//! `network`: how a group is attached, and its ports.

use super::{Block, Entries, Fault, Kind, Times, attribute, block};
use crate::source::Span;
use crate::tree::{Node, Tree};

pub(super) static NETWORK: Block = Block::new(
    "network",
    "How the group is attached to the network.",
    &[
        attribute(
            "mode",
            "Mode",
            Kind::Text,
            "`host`, `bridge` (one namespace for all tasks), `none`, or `cni/name` where nodes have that.",
        ),
        attribute("hostname", "Hostname", Kind::Text, "Host name inside the shared namespace."),
        block("port", "", &PORT, Times::Many),
        block("port", "ReservedPorts", &PORT, Times::Many).json_only(),
        block("port", "DynamicPorts", &PORT, Times::Many).json_only(),
        block("dns", "DNS", &DNS, Times::Once),
        block("cni", "CNI", &CNI, Times::Once).not_yet(),
        attribute("mbits", "MBits", Kind::Whole(0, i32::MAX as i64), "Deprecated, and ignored by Nomad.").not_yet(),
        attribute("device", "Device", Kind::Text, "Deprecated.").not_yet(),
        attribute("cidr", "CIDR", Kind::Text, "Deprecated.").not_yet(),
        attribute("ip", "IP", Kind::Text, "Deprecated.").not_yet(),
    ],
)
.of::<model::Network>()
.finish(sort_ports);

/// Ports given once as text: label, number on the node, number inside.
static PORT: Block = Block::new(
    "port",
    "A port, under the name by which services and tasks know it.",
    &[
        attribute("", "Label", Kind::Text, "The port's name, given as the label."),
        attribute("static", "Value", Kind::Whole(i32::MIN as i64, i32::MAX as i64), "The number on the node."),
        attribute("to", "To", Kind::Whole(i32::MIN as i64, i32::MAX as i64), "The number inside; -1 for the same."),
        attribute("host_network", "HostNetwork", Kind::Text, "The node's network to publish on."),
        attribute("ignore_collision", "IgnoreCollision", Kind::Bool, "Whether others may hold the number."),
    ],
)
.labelled("Label")
.of::<model::Port>()
.finish(check_number);

static DNS: Block = Block::new(
    "dns",
    "Resolver settings in place of the node's.",
    &[
        attribute("servers", "Servers", Kind::Texts, "Name servers."),
        attribute("searches", "Searches", Kind::Texts, "Search domains."),
        attribute("options", "Options", Kind::Texts, "Options such as `ndots:2`."),
    ],
)
.of::<model::Dns>();

static CNI: Block =
    Block::new("cni", "Arguments for CNI plugins.", &[attribute("args", "Args", Kind::TextMap, "The arguments.")])
        .of::<model::Cni>();

/// The numbers that a port may have.
pub(crate) const PORT_LEAST: i64 = 1;
/// See [`PORT_LEAST`].
pub(crate) const PORT_MOST: i64 = 65_535;

/// The model holds the number in 16 bits, so the range is checked before it gets there.
fn check_number(entries: &mut Entries, _: &Span) -> Result<(), Fault> {
    for (key, least, special) in [("Value", PORT_LEAST, 0), ("To", PORT_LEAST, -1)] {
        let Some(Node { span, tree: Tree::Leaf(json) }) = entries.get(key) else { continue };
        let Some(number) = json.as_i64() else { continue };
        let in_range = (least..=PORT_MOST).contains(&number) || number == special || number == 0 && key == "To";
        if !in_range {
            let message = format!("the port {number} is out of range, ports are {PORT_LEAST} to {PORT_MOST}");
            let hint = if key == "Value" {
                "leave `static` out for a port that is free"
            } else {
                "-1 stands for the same number as on the node"
            };
            let span = span.clone();
            // The rest of the job is read on without it.
            entries.remove(key);
            return Err(Fault { span, message, hint });
        }
    }
    Ok(())
}

/// Ports with a number of their own are reserved, others are picked at placement.
fn sort_ports(entries: &mut Entries, _: &Span) -> Result<(), Fault> {
    let Some(Node { span, tree: Tree::List(ports) }) = entries.remove("port") else { return Ok(()) };
    for port in ports {
        let is_static = matches!(&port.tree, Tree::Map(port) if port.contains_key("Value"));
        let name = if is_static { "ReservedPorts" } else { "DynamicPorts" };
        let list = entries.entry(name.into()).or_insert(Node { span: span.clone(), tree: Tree::List(Vec::new()) });
        if let Tree::List(ports) = &mut list.tree {
            ports.push(port);
        }
    }
    Ok(())
}
