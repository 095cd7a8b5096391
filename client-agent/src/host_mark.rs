//! What tells an agent from another one that runs with a copy of its data folder.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The machine's own id, which no copy of a virtual one keeps; only root may read it.
const MACHINE: &str = "/sys/class/dmi/id/product_uuid";
/// The network cards, those that are none included.
const NETWORK_CARDS: &str = "/sys/class/net";

/// A mark of `folder` on this host: the same for as long as both are, another one on every other host and in every copy of the
/// folder. None if there is no such folder. Blocks.
pub fn host_mark(folder: &Path) -> Option<[u8; 32]> {
    let folder = fs::metadata(folder).ok()?.ino();
    let machine = fs::read_to_string(MACHINE).unwrap_or_default();
    Some(mark(machine.trim(), &hardware_addresses(Path::new(NETWORK_CARDS)), folder))
}

fn mark(machine: &str, addresses: &BTreeSet<String>, folder: u64) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for part in [machine].into_iter().chain(addresses.iter().map(String::as_str)) {
        hasher.update(part.as_bytes()).update(b"\n");
    }
    hasher.update(&folder.to_le_bytes());
    hasher.finalize().into()
}

/// The addresses of cards that are hardware: those of bridges and of containers come and go.
fn hardware_addresses(cards: &Path) -> BTreeSet<String> {
    let found = fs::read_dir(cards).into_iter().flatten().flatten().map(|entry| entry.path());
    let hardware = found.filter(|card| card.join("device").exists());
    hardware.filter_map(|card| Some(fs::read_to_string(card.join("address")).ok()?.trim().to_string())).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn empty_folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("sched-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_folder_has_the_same_mark_always_and_its_copy_another_one() {
        let home = empty_folder("marks");
        let (folder, copy) = (home.join("client"), home.join("copy"));
        fs::create_dir(&folder).unwrap();
        fs::create_dir(&copy).unwrap();
        let of_folder = host_mark(&folder).unwrap();
        fs::write(folder.join("node-id"), "n").unwrap();
        assert_eq!(host_mark(&folder), Some(of_folder), "whatever it holds");
        assert_ne!(host_mark(&copy), Some(of_folder));
        assert_eq!(host_mark(&home.join("nothing")), None);
    }

    #[test]
    fn each_part_of_it_counts_and_cards_that_are_no_hardware_do_not() {
        let cards = empty_folder("cards");
        let card = |name: &str, address: &str, is_hardware: bool| {
            let folder = cards.join(name);
            fs::create_dir_all(folder.join(if is_hardware { "device" } else { "queues" })).unwrap();
            fs::write(folder.join("address"), format!("{address}\n")).unwrap();
        };
        card("eth0", "02:00:00:00:00:01", true);
        let one = hardware_addresses(&cards);
        card("veth7", "02:00:00:00:00:77", false);
        assert_eq!(hardware_addresses(&cards), one);
        assert_eq!(one, BTreeSet::from(["02:00:00:00:00:01".to_string()]));
        card("eth1", "02:00:00:00:00:02", true);
        let both = hardware_addresses(&cards);
        let marks = [mark("m", &one, 7), mark("m", &both, 7), mark("other", &one, 7), mark("m", &one, 8)];
        assert_eq!(marks.into_iter().collect::<BTreeSet<_>>().len(), 4);
    }
}
