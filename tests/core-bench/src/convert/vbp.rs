//! Vector bin packing, the `.vbp` files of Vectorpack: dimensions, sizes of a bin, number of items, and of each item its
//! sizes and how many there are. The first three dimensions become CPU, memory and disk.

use std::path::PathBuf;

use clap::Args;

use super::{Row, Tables, To, equal_nodes};
use crate::files;

/// Vector bin packing (a `.vbp` file of Vectorpack, of at most three dimensions)
#[derive(Args)]
pub(super) struct Options {
    /// The file
    file: PathBuf,
    #[command(flatten)]
    pub(super) to: To,
}

pub(super) fn convert(options: &Options) -> Result<Tables, String> {
    tables(&options.file.display().to_string(), &files::read(&options.file)?)
}

fn tables(file: &str, text: &str) -> Result<Tables, String> {
    let wrong = |what: &str| format!("{file}: {what}");
    let mut words = text.split_whitespace();
    let mut number = |what: &str| -> Result<u64, String> {
        let word = words.next().ok_or_else(|| wrong(&format!("ends before {what}")))?;
        word.parse().map_err(|_| wrong(&format!("{what} is `{word}`, and should be a whole number")))
    };
    let dimensions = number("the number of dimensions")? as usize;
    if !(1..=3).contains(&dimensions) {
        return Err(wrong(&format!("has {dimensions} dimensions; nodes have CPU, memory and disk, so 1 to 3")));
    }
    let sizes = |what: &str, number: &mut dyn FnMut(&str) -> Result<u64, String>| {
        let mut sizes = [0; 3];
        for size in sizes.iter_mut().take(dimensions) {
            *size = number(what)?;
        }
        Ok::<[u64; 3], String>(sizes)
    };
    let capacity = sizes("the size of a bin", &mut number)?;
    let items = number("the number of items")?;
    let mut tasks = Vec::new();
    for item in 0..items {
        let [cpu, memory, disk] = sizes("the size of an item", &mut number)?;
        let count = number("how many there are of an item")?;
        tasks.push(Row { job: format!("item-{item}"), count, cpu, memory, disk, ..Row::default() });
    }
    let instances: u64 = tasks.iter().map(|row| row.count).sum();
    // A bin for each item is always enough.
    Ok(Tables { nodes: equal_nodes(instances as usize, capacity), tasks, rules: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_become_tasks_for_ever_and_there_is_a_bin_for_each() {
        let read = tables("a.vbp", "2\n10 20\n2\n3 4 1\n5 6 2\n").unwrap();
        assert_eq!(read.nodes.len(), 3);
        assert_eq!(read.nodes[0].capacity, [10, 20, 0]);
        let tasks: Vec<_> = read.tasks.iter().map(|row| (row.count, row.cpu, row.memory, row.disk)).collect();
        assert_eq!(tasks, [(1, 3, 4, 0), (2, 5, 6, 0)]);
    }

    #[test]
    fn a_file_that_ends_early_or_has_too_many_dimensions_is_refused() {
        let error = |text: &str| tables("a.vbp", text).err().unwrap_or_default();
        assert_eq!(error("2\n10 20\n2\n3 4 1\n"), "a.vbp: ends before the size of an item");
        assert!(error("5\n1 1 1 1 1\n").starts_with("a.vbp: has 5 dimensions"));
        assert_eq!(error("x"), "a.vbp: the number of dimensions is `x`, and should be a whole number");
    }
}
