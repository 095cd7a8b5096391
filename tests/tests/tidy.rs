//! Holds the house rules of `tests::tidy` against this checkout, one test each.

use tests::tidy::{self, Tree, dependencies, features, hold, lengths, links, sources, words};

fn tree() -> Tree {
    Tree::read().expect("the checkout can be read")
}

fn graph() -> dependencies::Graph {
    dependencies::Graph::read().expect("cargo tells what depends on what")
}

#[test]
fn every_file_says_what_it_is_for() {
    hold(sources::HEAD_REASON, &sources::without_head(&tree()));
}

#[test]
fn no_file_is_called_mod() {
    hold(sources::NO_MOD_REASON, &sources::named_mod(&tree()));
}

#[test]
fn the_raft_library_has_one_room() {
    hold(sources::RAFT_REASON, &sources::raft_elsewhere(&tree()));
}

#[test]
fn nothing_is_promised_in_the_code() {
    hold(words::PROMISE_REASON, &words::promises(&tree()));
}

#[test]
fn no_path_of_one_machine() {
    hold(words::MACHINE_REASON, &words::machine_paths(&tree()));
}

#[test]
fn files_are_short() {
    hold(lengths::REASON, &lengths::findings(&tree(), &lengths::TOLERATED));
}

#[test]
fn links_in_readme_are_alive() {
    hold(links::REASON, &links::dead(&tree(), |path| tidy::top().join(path).exists()));
}

#[test]
fn no_release_has_old_bugs() {
    hold(features::REASON, &features::asked_for(&tree()));
}

#[test]
fn arrows_point_one_way() {
    hold(dependencies::ARROWS_REASON, &graph().wrong_arrows());
}

#[test]
fn the_pure_crates_use_what_is_on_their_list() {
    hold(dependencies::PURE_REASON, &graph().beyond_lists());
}

#[test]
fn the_pure_crates_reach_no_clock_socket_or_random_source() {
    let found = dependencies::banned_in_reach().expect("cargo tells what reaches what");
    hold(dependencies::REACH_REASON, &found);
}
