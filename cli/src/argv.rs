//! Spelling of flags: turns the argument list into what clap expects, once, before anything else looks at it.
//!
//! Nomad's long flags have a single dash (`-json`, `-check-index 5`, `-detach=true`); ours have two. Both work. Short
//! flags of one letter stay as they are and are never joined (`-f -n 5`, not `-fn 5`).

use std::collections::BTreeSet;
use std::ffi::OsString;

/// The arguments with long flags in double-dash form, and `-flag=true` or `-flag=false` resolved for switches.
pub fn normalise(arguments: impl IntoIterator<Item = OsString>, root: &clap::Command) -> Vec<OsString> {
    let switches = switches(root);
    let mut verbatim = false;
    let mut normal = Vec::new();
    for (position, argument) in arguments.into_iter().enumerate() {
        let Some(text) = argument.to_str().filter(|_| position > 0 && !verbatim) else {
            normal.push(argument);
            continue;
        };
        if text == "--" {
            verbatim = true;
        }
        let Some(flag) = long_flag(text) else {
            normal.push(argument);
            continue;
        };
        match flag.split_once('=') {
            Some((name, "true" | "1")) if switches.contains(name) => normal.push(format!("--{name}").into()),
            Some((name, "false" | "0")) if switches.contains(name) => {}
            _ => normal.push(format!("--{flag}").into()),
        }
    }
    normal
}

/// A long flag without its dashes, whether it came with one or two.
fn long_flag(text: &str) -> Option<&str> {
    if let Some(flag) = text.strip_prefix("--") {
        return (!flag.is_empty()).then_some(flag);
    }
    let flag = text.strip_prefix('-')?;
    let mut characters = flag.chars();
    let first = characters.next()?;
    let second = characters.next()?;
    // `-n5` and `-n=5` are a short flag with its value.
    (first.is_ascii_alphabetic() && (second.is_ascii_alphabetic() || second == '-')).then_some(flag)
}

/// The long names of all flags that take no value, over the whole tree of commands.
fn switches(command: &clap::Command) -> BTreeSet<String> {
    let own = command.get_arguments().filter(|argument| !argument.get_action().takes_values());
    let mut names: BTreeSet<String> = own
        .flat_map(|argument| argument.get_long_and_visible_aliases().unwrap_or_default())
        .map(str::to_owned)
        .collect();
    names.extend(command.get_subcommands().flat_map(switches));
    names
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::arguments::Arguments;

    #[track_caller]
    fn check(given: &str, wanted: &str) {
        let given = given.split(' ').map(OsString::from);
        let got: Vec<String> = normalise(given, &Arguments::command())
            .into_iter()
            .map(|argument| argument.into_string().expect("the test's arguments are UTF-8"))
            .collect();
        assert_eq!(got.join(" "), wanted);
    }

    #[test]
    fn single_dash_becomes_double_dash() {
        check("sched job status -json web", "sched job status --json web");
        check("sched job run -detach -var x=y -check-index 5 f", "sched job run --detach --var x=y --check-index 5 f");
        check("sched job run -var=x=-y f", "sched job run --var=x=-y f");
    }

    #[test]
    fn double_dash_and_single_letters_stay() {
        check("sched alloc logs --stderr -f -n 5 web", "sched alloc logs --stderr -f -n 5 web");
        check("sched alloc logs -n5 -n=5 web", "sched alloc logs -n5 -n=5 web");
        check("sched job run -", "sched job run -");
        check("sched job status -5", "sched job status -5");
    }

    #[test]
    fn switches_take_true_and_false_as_values() {
        check("sched job run -detach=true f", "sched job run --detach f");
        check("sched job run --detach=false f", "sched job run f");
        check("sched job run -var=true f", "sched job run --var=true f");
    }

    #[test]
    fn nothing_changes_after_a_double_dash_alone() {
        check("sched job status -- -json", "sched job status -- -json");
    }

    #[test]
    fn the_programs_own_name_is_left_alone() {
        check("-sched version", "-sched version");
    }
}
