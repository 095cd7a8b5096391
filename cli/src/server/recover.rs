//! `sched server recover`: a cluster that has lost most of its servers for good goes on from the folder of one that is
//! left. Speaks to no server: it works on the folder of a stopped one.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use seams::{Clock, SystemClock};
use serde_json::json;
use server::authority::{AUTHORITY_KEY_FILE, Authority, NewServer, SERVER_FILE, ServerDocument, parse_servers};
use server::backup::RAFT_FOLDER;
use server::recovery::{Found, look, rebuild};

use crate::agent::{FolderLock, chain};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{self, Pairs, text};

/// Arguments of `server recover`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The data folder of a stopped server, as its configuration names it
    #[arg(long, value_name = "FOLDER")]
    data_dir: PathBuf,
    /// Where servers and agents will reach it, host:port [default: where they did]
    #[arg(long, value_name = "ADDRESS")]
    rpc: Option<String>,
    /// The folder with the authority's certificate and key, if the server's own lacks the key
    #[arg(long, value_name = "FOLDER")]
    ca_dir: Option<PathBuf>,
    /// Only show what is there and what would be done
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, short = 'y')]
    yes: bool,
}

/// Runs it.
pub fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let home = args.data_dir.join("server");
    let at = |what: String| Failure::new(what).at(home.display().to_string());
    let text = std::fs::read_to_string(home.join(SERVER_FILE))
        .map_err(|error| at(format!("this is not the data folder of a server: {error}")))?;
    let document: ServerDocument =
        serde_json::from_str(&text).map_err(|error| at(format!("not a server's file: {error}")))?;
    let _lock = FolderLock::take(&home)?;
    let authority = authority(args, &home)?;
    let scratch = sibling(&home, "inspected");
    let _ = std::fs::remove_dir_all(&scratch);
    // Reading a log cuts what a crash left torn at its end, so a copy is read and the folder stays as it is.
    copy_folder(&home, &scratch).map_err(|error| at(format!("cannot copy the folder: {error}")))?;
    let found = look(&scratch, &document).map_err(|error| {
        at(chain(&error)).hint(
            "a server must not go on with a damaged log: take the folder of another server, or a backup with \
             `sched snapshot restore`",
        )
    });
    let found = found.inspect_err(|_| drop(std::fs::remove_dir_all(&scratch)));
    let done = found.and_then(|found| go_on(args, session, &home, &document, &authority, &found));
    let _ = std::fs::remove_dir_all(&scratch);
    done
}

fn go_on(
    args: &Args,
    session: &Session,
    home: &Path,
    document: &ServerDocument,
    authority: &Authority,
    found: &Found,
) -> Result<Exit, Failure> {
    let server = new_server(args, document, found)?;
    let kept = sibling(home, &format!("before-recovery-{}", SystemClock.now().nanoseconds() / 1_000_000_000));
    if !session.json {
        print_found(home, document, found);
        print_intent(document, found, &server, &kept);
    }
    if args.dry_run {
        if session.json {
            let inspection = &found.inspection;
            show::json(&json!({
                "LastLog": inspection.last_log, "LastTerm": inspection.last_term, "Committed": inspection.committed,
                "Snapshot": inspection.snapshot, "Servers": inspection.members.len(), "Epoch": found.state.epoch(),
            }))?;
        }
        return Ok(Exit::Done);
    }
    let question = format!("Make server {} at {} the only server of the cluster?", server.name, server.address);
    if !args.yes && !session.confirm(&question)? {
        return Err(Failure::new("nothing was changed"));
    }
    let fresh = sibling(home, "recovered");
    let _ = std::fs::remove_dir_all(&fresh);
    let failed = |error: &dyn std::error::Error| Failure::new(chain(error)).at(home.display().to_string());
    let now = SystemClock.now();
    let made = rebuild(&fresh, &found.state, &server, authority, now).map_err(|error| failed(&error))?;
    std::fs::rename(home, &kept).map_err(|error| failed(&error))?;
    std::fs::rename(&fresh, home).map_err(|error| failed(&error))?;
    if session.json {
        show::json(&json!({ "ID": made.id.to_string(), "Address": made.address, "Kept": kept }))?;
        return Ok(Exit::Done);
    }
    show::line(format_args!(
        "server {} is the only server of the cluster now, under id {}; what was before is in {}",
        text::escape(&made.name),
        made.id,
        text::escape(&kept.display().to_string())
    ));
    show::hint("start it; agents come back by themselves, and no container is restarted");
    show::hint(
        "empty the data folders of all other servers, and have them join anew: `sched server join` gives a token",
    );
    Ok(Exit::Done)
}

fn authority(args: &Args, home: &Path) -> Result<Authority, Failure> {
    let folder = args.ca_dir.as_deref().unwrap_or(home);
    if !folder.join(AUTHORITY_KEY_FILE).exists() {
        return Err(Failure::new("the authority's key is not here, and a new id needs a new certificate")
            .at(folder.display().to_string())
            .hint(
                "give the folder of one of the first servers, or the copy that `sched server init` made, with -ca-dir",
            ));
    }
    Authority::load(folder).map_err(|error| Failure::new(chain(&error)).at(folder.display().to_string()))
}

/// The server as it goes on: its name, and its address as it was unless another is given.
fn new_server(args: &Args, document: &ServerDocument, found: &Found) -> Result<NewServer, Failure> {
    let own = |servers: &[server::authority::ServerDescription]| {
        servers.iter().find(|server| server.id == document.id).map(|server| server.address.clone())
    };
    let member = found.inspection.members.iter().find(|member| member.id == document.id);
    let before = member.map(|member| member.address.clone()).or_else(|| own(&document.servers));
    let address = args.rpc.clone().or(before).ok_or_else(|| {
        Failure::new("it is not known where this server is reached")
            .hint("say -rpc HOST:PORT, as its configuration does")
    })?;
    let parsed = parse_servers(&address).map_err(|error| Failure::new(error.to_string()).at("-rpc"))?;
    match parsed.as_slice() {
        [one] => Ok(NewServer { name: document.name.clone(), address: one.address.clone() }),
        _ => Err(Failure::new("a server is reached at one address").at("-rpc")),
    }
}

fn print_found(home: &Path, document: &ServerDocument, found: &Found) {
    let inspection = &found.inspection;
    let mut pairs = Pairs::new();
    pairs.add("Folder", text::escape(&home.display().to_string()));
    pairs.add("Cluster", document.cluster.to_string());
    pairs.add("Server", format!("{} ({})", document.id, text::escape(&document.name)));
    pairs.add("Last entry", format!("{} of term {}", inspection.last_log, inspection.last_term));
    pairs.add("Known committed", inspection.committed.to_string());
    pairs.add("Snapshot", inspection.snapshot.to_string());
    pairs.add("Voted in term", inspection.vote_term.to_string());
    let members: Vec<String> =
        inspection.members.iter().map(|member| format!("{} at {}", member.id, text::escape(&member.address))).collect();
    pairs.add("Servers", members.join(", "));
    pairs.add("Jobs", found.state.jobs().count().to_string());
    pairs.add("Nodes", found.state.node_count().to_string());
    pairs.add("Allocations", found.state.allocations().count().to_string());
    pairs.add("Epoch", found.state.epoch().to_string());
    pairs.print();
}

fn print_intent(document: &ServerDocument, found: &Found, server: &NewServer, kept: &Path) {
    let inspection = &found.inspection;
    show::note("\nThis will");
    show::note(format_args!("  keep the folder as it is, as {}", text::escape(&kept.display().to_string())));
    show::note(format_args!(
        "  make this server the only one of cluster {}, under a new id, at {}",
        document.cluster,
        text::escape(&server.address)
    ));
    show::note(format_args!(
        "  take over all {} entries, the {} after {} among them that may never have been committed",
        inspection.last_log,
        inspection.last_log.saturating_sub(inspection.committed),
        inspection.committed
    ));
    show::note(format_args!(
        "  raise the epoch to {}, so that agents hear no server of before",
        found.state.epoch() + 1
    ));
    show::note("What only the lost servers have is gone. The others' folders must never be started again.\n");
}

/// The folder beside `home` that is called so.
fn sibling(home: &Path, suffix: &str) -> PathBuf {
    home.with_file_name(format!("server.{suffix}"))
}

/// Copies files and the folder of consensus, all of them readable by the owner alone.
fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    for folder in ["", RAFT_FOLDER, "raft/log", "raft/snapshots"] {
        let (from, to) = (from.join(folder), to.join(folder));
        std::fs::create_dir_all(&to)?;
        if !from.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(&from)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                std::fs::copy(entry.path(), to.join(entry.file_name()))?;
            }
        }
    }
    Ok(())
}
