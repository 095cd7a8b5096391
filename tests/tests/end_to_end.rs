//! The product as its users meet it: the built binary, three servers and three agents, real Docker. One file per
//! subject; all but `dev` share one cluster, which each test finds as new.

#[path = "end_to_end/auditor.rs"]
mod auditor;
#[path = "end_to_end/backup.rs"]
mod backup;
#[path = "end_to_end/copies.rs"]
mod copies;
#[path = "end_to_end/damage.rs"]
mod damage;
#[path = "end_to_end/dev.rs"]
mod dev;
#[path = "end_to_end/dns.rs"]
mod dns;
#[path = "end_to_end/drain.rs"]
mod drain;
#[path = "end_to_end/examples.rs"]
mod examples;
#[path = "end_to_end/grants.rs"]
mod grants;
#[path = "end_to_end/instances.rs"]
mod instances;
#[path = "end_to_end/loss.rs"]
mod loss;
#[path = "end_to_end/mistakes.rs"]
mod mistakes;
#[path = "end_to_end/servers.rs"]
mod servers;
#[path = "end_to_end/storage.rs"]
mod storage;
#[path = "end_to_end/update.rs"]
mod update;
