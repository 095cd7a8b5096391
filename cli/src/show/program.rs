//! The name of this program in commands that are printed for people to type.

use std::ffi::OsString;
use std::sync::OnceLock;

use super::text::shell_quoted;

/// Where a script that stands for the binary says how it was called itself.
const CALLED_AS: &str = "SCHED_CALLED_AS";
/// What a shell finds where it is installed.
const INSTALLED: &str = "sched";

/// The sentence, whose commands in backquotes begin with the program as it was called.
pub fn as_called(sentence: &str) -> String {
    static NAME: OnceLock<String> = OnceLock::new();
    let name = NAME.get_or_init(|| name(std::env::var_os(CALLED_AS).or_else(|| std::env::args_os().next())));
    named(sentence, name)
}

/// A path that leads from here to the program is how it can be called again; everything else is taken for installed.
fn name(called: Option<OsString>) -> String {
    let leads_from_here = |path: &String| path.contains('/') && !path.starts_with('/');
    let path = called.and_then(|called| called.into_string().ok()).filter(leads_from_here);
    path.map_or_else(|| INSTALLED.into(), |path| shell_quoted(&path))
}

fn named(sentence: &str, name: &str) -> String {
    if name == INSTALLED {
        return sentence.to_owned();
    }
    sentence.replace("`sched ", &format!("`{name} "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_is_printed_as_it_was_typed_and_everything_else_is_installed() {
        let name = |called: &str| name(Some(called.into()));
        assert_eq!(name("./sched"), "./sched");
        assert_eq!(name("../a b/sched"), "'../a b/sched'");
        assert_eq!(name("/usr/bin/sched"), "sched");
        assert_eq!(name("sched"), "sched");
        assert_eq!(super::name(None), "sched");
    }

    #[test]
    fn commands_of_a_sentence_begin_with_the_program_and_its_prose_stays() {
        let sentence = "`sched job why web` or `sched node status`: sched says why";
        assert_eq!(named(sentence, "./sched"), "`./sched job why web` or `./sched node status`: sched says why");
        assert_eq!(named(sentence, "sched"), sentence);
    }
}
