//! What `init` writes for the first servers.

use std::os::unix::fs::PermissionsExt;

use proto::identity::Identity;
use seams::SystemRandom;

use super::super::testing::{Folder, now};
use super::super::{JoinToken, TokenText, check};
use super::*;

fn three() -> Vec<NewServer> {
    parse_servers("127.0.0.1,127.0.0.2:5000, west=host.example").unwrap()
}

#[test]
fn servers_are_read_with_default_names_and_ports() {
    let server = |name: &str, address: &str| NewServer { name: name.to_string(), address: address.to_string() };
    let expected = [
        server("server-1", "127.0.0.1:4647"),
        server("server-2", "127.0.0.2:5000"),
        server("west", "host.example:4647"),
    ];
    assert_eq!(three(), expected);
    assert_eq!(
        parse_servers("::1,[::2]:5").unwrap(),
        [server("server-1", "[::1]:4647"), server("server-2", "[::2]:5")]
    );
    for wrong in ["", "a,", "a:x", "a:0", "a:70000", "=a", "a b", "a/b"] {
        assert!(matches!(parse_servers(wrong), Err(InitError::Address(_))), "{wrong}");
    }
}

#[test]
fn each_server_gets_a_folder_that_it_can_start_from() {
    let folder = Folder::new();
    let made = init(folder.path(), &three(), &SystemRandom, now()).unwrap();
    assert_eq!(made.servers.len(), 3);
    for (home, server) in &made.servers {
        assert_eq!(*home, folder.path().join(format!("server-{}", server.id)));
        let identity = Identity::load(home).unwrap();
        assert_eq!((identity.cluster(), identity.role()), (made.cluster, Role::Server(server.id)));
        assert_eq!(Authority::load(home).unwrap().cluster(), made.cluster);

        let document: ServerDocument = serde_json::from_slice(&fs::read(home.join(SERVER_FILE)).unwrap()).unwrap();
        assert_eq!((document.cluster, document.id, &document.name), (made.cluster, server.id, &server.name));
        assert_eq!(document.servers, made.servers.iter().map(|(_, server)| server.clone()).collect::<Vec<_>>());

        let tokens: Vec<JoinToken> = serde_json::from_slice(&fs::read(home.join(TOKENS_FILE)).unwrap()).unwrap();
        for (text, token) in [&made.agent_token, &made.server_token].into_iter().zip(&tokens) {
            let text: TokenText = text.expose().parse().unwrap();
            assert_eq!(check(&text, token, now()), Ok(()));
        }
        for file in fs::read_dir(home).unwrap() {
            let file = file.unwrap();
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
        }
    }
    assert_eq!(Authority::load(folder.path()).unwrap().cluster(), made.cluster);
}

#[test]
fn an_authority_is_never_overwritten() {
    let folder = Folder::new();
    init(folder.path(), &three(), &SystemRandom, now()).unwrap();
    let before = fs::read(folder.path().join("ca.pem")).unwrap();
    assert!(matches!(init(folder.path(), &three(), &SystemRandom, now()), Err(InitError::NotEmpty(_))));
    assert_eq!(fs::read(folder.path().join("ca.pem")).unwrap(), before);
}

#[test]
fn too_few_too_many_and_equal_servers_are_refused() {
    let refused = |text: &str| init(Folder::new().path(), &parse_servers(text).unwrap(), &SystemRandom, now()).err();
    assert!(matches!(init(Folder::new().path(), &[], &SystemRandom, now()).err(), Some(InitError::Count(0))));
    let many = |count: usize| (1..=count).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
    assert!(refused(&many(SERVERS_MAX)).is_none());
    let beyond = refused(&many(SERVERS_MAX + 1));
    assert!(matches!(beyond, Some(InitError::Count(count)) if count == SERVERS_MAX + 1), "{beyond:?}");
    assert!(matches!(refused("a,a"), Some(InitError::Twice(address)) if address == "a:4647"));
    assert!(matches!(refused("x=a,x=b"), Some(InitError::Twice(name)) if name == "x"));
}
