//! The product as its users meet it: the built binary, three servers and three agents, real Docker. One file per
//! subject; all but `dev` share one cluster, which each test finds as new.

#[path = "end_to_end/dns.rs"]
mod dns;
#[path = "end_to_end/examples.rs"]
mod examples;
