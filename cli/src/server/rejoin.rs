//! `sched server rejoin`: brings a server back whose files are damaged. Run on its host, while it does not run.
//!
//! A server that has lost something must never take part as who it was: what it once promised may be what is gone. So it
//! is removed for good, its files are kept aside, and its folder becomes that of a new server, which fetches everything
//! from the others when it is started.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args as ClapArgs;
use proto::identity::{Role, write_private};
use serde_json::{Value, json};
use server::authority::{AUTHORITY_KEY_FILE, Joined, Joiner, SERVER_FILE, ServerDescription, ServerDocument, join};

use crate::api::{Member, Members, RaftServer, RaftServers};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::{Call, path};
use crate::session::Session;
use crate::show::{self, text};

/// How long one of the others may take to admit the new server.
const ADMITTED_WITHIN: Duration = Duration::from_secs(10);
/// The folder of a server below the data folder.
const SERVER_FOLDER: &str = "server";
/// Where the new server's folder is made.
const UNFINISHED_FOLDER: &str = "server.unfinished";

/// Arguments of `server rejoin`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The data folder of the server that does not start; name one of the others with -address
    #[arg(long, value_name = "FOLDER")]
    data_dir: PathBuf,
    /// Do not ask
    #[arg(long, short = 'y')]
    yes: bool,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let home = args.data_dir.join(SERVER_FOLDER);
    let document = read_document(&home)?;
    let known: RaftServers = session.client.read(Call::get("/v1/operator/raft/configuration")).await?;
    let members: Members = session.client.read(Call::get("/v1/agent/members")).await?;
    let old = find(&known.servers, &document)?;
    let (alive, aside) = (alive(&members.members), aside(&args.data_dir, &document));
    if alive.contains(&old.address) {
        return Err(Failure::new(format!("server {} runs, and its files are in use", text::escape(&old.node)))
            .hint("only a server that does not start needs this; stop its process first"));
    }
    let question = format!(
        "Remove server {} (id {}) for good, keep its files in {}, and begin it anew under a new id?",
        text::escape(&document.name),
        document.id,
        text::escape(&aside.display().to_string())
    );
    if !args.yes && !session.confirm(&question)? {
        return Err(Failure::new("nothing was changed"));
    }
    // Removed first: of the two ids never more than one counts. All that follows can be done again.
    session.client.call(Call::delete(path(&["v1", "server", &old.id]))).await?;
    let joiner = Joiner::Server { name: document.name.clone(), address: old.address.clone() };
    let joined = admit(session, &alive, &joiner).await?;
    let id = replace(&args.data_dir, &home, &aside, &document, &joined)
        .map_err(|error| error.at(args.data_dir.display().to_string()))?;
    let answer = json!({ "Removed": document.id, "ID": id, "Aside": aside });
    if !session.print_json(&answer)? {
        show::line(format_args!(
            "server {} was removed (id {}) and is now server {id}; its old files are in {}",
            text::escape(&document.name),
            document.id,
            text::escape(&aside.display().to_string())
        ));
        show::hint("start its process as before: it fetches everything from the others");
    }
    Ok(Exit::Done)
}

fn read_document(home: &Path) -> Result<ServerDocument, Failure> {
    let file = home.join(SERVER_FILE);
    let at = |failure: Failure| failure.at(file.display().to_string());
    let text = std::fs::read_to_string(&file).map_err(|error| {
        at(Failure::new(error.to_string()).hint("-data-dir names the folder that the agent has as `data_dir`"))
    })?;
    serde_json::from_str(&text).map_err(|error| at(Failure::new(error.to_string())))
}

/// The server as the others know it. One that they removed is known no more; what its own document says must do then.
fn find(servers: &[RaftServer], document: &ServerDocument) -> Result<RaftServer, Failure> {
    let id = document.id.to_string();
    let own = || {
        let own = document.servers.iter().find(|server| server.id == document.id)?;
        Some(RaftServer {
            id: id.clone(),
            node: own.name.clone(),
            address: own.address.clone(),
            ..RaftServer::default()
        })
    };
    servers.iter().find(|server| server.id == id).cloned().or_else(own).ok_or_else(|| {
        Failure::new(format!("server {id} is no member of the cluster any more"))
            .hint("give its process an empty data folder and the command that `sched server join` prints")
    })
}

/// Where the servers that run are reached by others.
fn alive(members: &[Member]) -> Vec<String> {
    let alive = members.iter().filter(|member| member.status == "alive");
    alive.map(|member| member.tag("rpc_addr").to_owned()).collect()
}

/// A name beside the server's folder that is not taken.
fn aside(data_dir: &Path, document: &ServerDocument) -> PathBuf {
    let named = |number: u32| match number {
        1 => data_dir.join(format!("server-{}.damaged", document.id)),
        number => data_dir.join(format!("server-{}.damaged-{number}", document.id)),
    };
    (1..).map(named).find(|path| !path.exists()).expect("a folder holds fewer files than there are numbers")
}

async fn admit(session: &Session, servers: &[String], joiner: &Joiner) -> Result<Joined, Failure> {
    let asked = Call::put("/v1/server/join-token", &json!({ "Role": "server" }));
    let answer = session.client.call(asked).await?.value;
    let token = answer.get("Token").and_then(Value::as_str).filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| Failure::new("the server gave no token"))?;
    // Another provider may be there already; either will do.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut last = Failure::new("no server of the cluster is known to run");
    for address in servers {
        match join(address, token, joiner, ADMITTED_WITHIN).await {
            Ok(joined) => return Ok(joined),
            Err(error) => last = Failure::new(error.to_string()).at(address),
        }
    }
    Err(last)
}

/// Keeps the old folder aside and puts the new server's in its place. The new one is whole before the old one goes.
fn replace(
    data_dir: &Path,
    home: &Path,
    aside: &Path,
    old: &ServerDocument,
    joined: &Joined,
) -> Result<model::ServerId, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::new(error.to_string());
    let Role::Server(id) = joined.identity.role() else {
        return Err(Failure::new("the cluster admitted this as something else than a server"));
    };
    let unfinished = data_dir.join(UNFINISHED_FOLDER);
    if unfinished.exists() {
        std::fs::remove_dir_all(&unfinished).map_err(|error| failed(&error))?;
    }
    std::fs::create_dir_all(&unfinished).map_err(|error| failed(&error))?;
    joined.identity.save(&unfinished).map_err(|error| failed(&error))?;
    // A first server can admit others, and still can.
    if let Ok(key) = std::fs::read(home.join(AUTHORITY_KEY_FILE)) {
        write_private(&unfinished.join(AUTHORITY_KEY_FILE), &key).map_err(|error| failed(&error))?;
    }
    // It is none of the first, so it never begins a cluster; whom it asks to be taken in is written here.
    let others = joined.servers.iter().filter(|server| server.id != old.id);
    let servers = others
        .map(|server| ServerDescription { id: server.id, name: String::new(), address: server.address.clone() })
        .collect();
    let document = ServerDocument { cluster: old.cluster, id, name: old.name.clone(), servers, restored: false };
    let text = serde_json::to_string_pretty(&document).map_err(|error| failed(&error))?;
    write_private(&unfinished.join(SERVER_FILE), text.as_bytes()).map_err(|error| failed(&error))?;
    std::fs::rename(home, aside).map_err(|error| failed(&error))?;
    std::fs::rename(&unfinished, home).map_err(|error| failed(&error))?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_was_removed_is_found_by_what_its_own_document_says() {
        let described = ServerDescription { id: 2, name: "s2".into(), address: "10.0.0.2:4647".into() };
        let mut document = ServerDocument {
            cluster: model::ClusterId::default(),
            id: 2,
            name: "s2".into(),
            servers: vec![described],
            restored: false,
        };
        let known = RaftServer { id: "2".into(), address: "10.0.0.9:4647".into(), ..RaftServer::default() };
        assert_eq!(find(&[known], &document).unwrap().address, "10.0.0.9:4647");
        assert_eq!(find(&[], &document).unwrap().address, "10.0.0.2:4647");
        document.servers.clear();
        assert!(find(&[], &document).unwrap_err().to_string().contains("no member"));
    }

    #[test]
    fn damaged_files_are_never_kept_in_place_of_others() {
        let folder = std::env::temp_dir().join(format!("sched-rejoin-{}", std::process::id()));
        let document = ServerDocument {
            cluster: model::ClusterId::default(),
            id: 2,
            name: "s2".into(),
            servers: Vec::new(),
            restored: false,
        };
        let first = aside(&folder, &document);
        assert_eq!(first, folder.join("server-2.damaged"));
        std::fs::create_dir_all(&first).unwrap();
        assert_eq!(aside(&folder, &document), folder.join("server-2.damaged-2"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
