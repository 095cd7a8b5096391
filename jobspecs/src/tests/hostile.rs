//! Texts that are made to hurt: the answer is a job or diagnostics, soon, and never a panic.

use std::fs;

use proptest::prelude::*;

use super::{files, folder};
use crate::json::OBJECTS_MAX;
use crate::syntax::{RECOVERED_BYTES_MAX, SYNTAX_ERRORS_MAX};
use crate::{DIAGNOSTICS_MAX, Inputs, SOURCE_BYTES_MAX, Source, format, parse, write_hcl};

/// The message of the first error.
fn refused(text: &str) -> String {
    parse(&Source::new("hostile.hcl", text), &Inputs::default()).unwrap_err().first().message.clone()
}

#[test]
fn a_text_above_the_limit_is_refused_and_one_at_the_limit_is_read() {
    let example = fs::read_to_string(folder("basket.hcl")).unwrap();
    let at_limit = format!("{example}#{}", "x".repeat(SOURCE_BYTES_MAX - example.len() - 1));
    assert!(parse(&Source::new("x", &at_limit), &Inputs::default()).is_ok());
    assert!(refused(&format!("{at_limit}x")).starts_with("the file has 1048577 bytes, the limit is 1048576"));
    assert!(refused(&" ".repeat(2 << 20)).starts_with("the file has 2097152 bytes"));
}

#[test]
fn work_without_end_is_cut_off() {
    let doubling: String = (1..64).map(|at| format!("a{at} = \"${{local.a{}}}${{local.a{0}}}\"\n", at - 1)).collect();
    let lists: String = (1..64).map(|at| format!("a{at} = [local.a{}, local.a{0}]\n", at - 1)).collect();
    let loops = "[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : a * b * c]]]";
    for body in [format!("a0 = \"xx\"\n{doubling}"), format!("a0 = [1]\n{lists}"), format!("a = {loops}\n")] {
        let message = refused(&format!("locals {{\n{body}}}\njob \"x\" {{}}\n"));
        assert!(message.starts_with("the jobspec takes too much to evaluate"), "{message}");
    }
}

/// The message of the first error where functions have random bytes.
fn refused_with_random(body: &str) -> String {
    let text = format!("locals {{\n{body}\n}}\njob \"x\" {{}}\n");
    let inputs = Inputs { random: Some(&|bytes| bytes.fill(7)), ..Inputs::default() };
    parse(&Source::new("hostile.hcl", &text), &inputs).unwrap_err().first().message.clone()
}

/// Of functions that take long for a short result, a jobspec may call so many as take about a second in all.
#[test]
fn costly_functions_are_cut_off() {
    // That the job has no group comes after all that is wrong with its locals.
    let is_taken = |body: &str| refused_with_random(body).contains("group");
    assert!(is_taken("a = bcrypt(\"a\", 14)"));
    let key = include_str!("../../tests/corpus/function-rsadecrypt.hcl");
    let key = key.split("key = ").nth(1).and_then(|rest| rest.split("  secret").next()).unwrap();
    let hashes = format!("t = \"{}\"\na = [for i in range(1000) : sha512(local.t)]", "x".repeat(500_000));
    for body in [
        "a = [for i in range(1000) : bcrypt(i)]",
        "a = [bcrypt(\"a\", 14), bcrypt(\"a\", 14)]",
        "a = [for i in range(1000) : bcrypt(\"a\", 4)]\nb = [for i in range(1000) : bcrypt(\"a\", 4)]",
        &format!(
            "k = {key}\na = [for i in range(1000) : can(rsadecrypt(base64encode(format(\"%256s\", i)), local.k))]"
        ),
        &hashes,
    ] {
        let message = refused_with_random(body);
        assert!(message.starts_with("the jobspec takes too much to evaluate"), "{message}");
    }
}

/// Each line of the document refers nine times to the one before it.
#[test]
fn yaml_that_multiplies_itself_is_cut_off() {
    let mut lists = String::from("a0: &a0 [x, x]\\n");
    let mut merges = String::from("m0: &m0 {k0: x}\\n");
    for at in 1..30 {
        let aliases = vec![format!("*a{}", at - 1); 9].join(", ");
        lists.push_str(&format!("a{at}: &a{at} [{aliases}]\\n"));
        merges.push_str(&format!("m{at}: &m{at} {{<<: *m{0}, k{at}: *m{0}, j{at}: *m{0}}}\\n", at - 1));
    }
    for yaml in [lists, merges] {
        let message = refused_with_random(&format!("a = yamldecode(\"{yaml}\")"));
        assert!(message.starts_with("the jobspec takes too much to evaluate"), "{message}");
    }
}

#[test]
fn yaml_that_is_nested_too_deeply_is_refused_and_at_the_limit_read() {
    let nested = |depth: usize| format!("a = yamldecode(\"{}{}\")", "[".repeat(depth), "]".repeat(depth));
    assert!(refused_with_random(&nested(128)).contains("group"));
    let message = refused_with_random(&nested(129));
    assert!(message.ends_with("this is nested more than 128 levels deep"), "{message}");
    // That deep the parser itself gives up.
    assert!(refused_with_random(&nested(100_000)).starts_with("yamldecode: "));
}

/// Indentation would make a deep value of many lines a thousand times larger.
#[test]
fn yaml_of_a_deep_value_is_no_longer_than_other_results() {
    let deep: String = (1..500).map(|at| format!("a{at} = [local.a{}]\n", at - 1)).collect();
    let body = format!("a0 = \"{}\"\n{deep}b = length(yamlencode(local.a499))", "x\\n".repeat(10_000));
    let message = refused_with_random(&body);
    assert!(message.starts_with("yamlencode: the result would have"), "{message}");
}

#[test]
fn deep_nesting_is_refused() {
    let brackets = format!("locals {{\n  a = {}1{}\n}}\n", "[".repeat(100_000), "]".repeat(100_000));
    assert!(refused(&brackets).contains("nested too deeply"), "{}", refused(&brackets));
    let blocks = format!("{}{}", "job \"a\" {\n".repeat(50_000), "}\n".repeat(50_000));
    assert!(refused(&blocks).contains("nested too deeply"), "{}", refused(&blocks));
    let minus = format!("locals {{\n  a = {}1\n}}\n", "-".repeat(100_000));
    refused(&minus);
}

#[test]
fn many_errors_are_cut_to_the_limit_and_counted() {
    for errors in [DIAGNOSTICS_MAX, DIAGNOSTICS_MAX + 1] {
        let lines: String = (0..errors).map(|at| format!("  unknown{at} = 1\n")).collect();
        let found = parse(&Source::new("x", &format!("job \"x\" {{\n{lines}}}\n")), &Inputs::default()).unwrap_err();
        assert_eq!(found.iter().count(), DIAGNOSTICS_MAX);
        assert_eq!(found.left_out(), errors - DIAGNOSTICS_MAX);
    }
}

#[test]
fn syntax_errors_are_told_up_to_the_limit() {
    for errors in [SYNTAX_ERRORS_MAX, SYNTAX_ERRORS_MAX + 1] {
        let text =
            format!("job \"x\" {{\n{}}}\n", (0..errors).map(|at| format!("  a{at} = 'b'\n")).collect::<String>());
        let found = parse(&Source::new("x", &text), &Inputs::default()).unwrap_err();
        let told = found.iter().filter(|error| error.message.contains("double quotes")).count();
        assert_eq!(told, SYNTAX_ERRORS_MAX);
    }
    // Above this size only the first is told.
    let line = "  # ".to_string() + &"x".repeat(RECOVERED_BYTES_MAX) + "\n";
    let text = format!("job \"x\" {{\n{line}  name = 'b'\n  region = 'c'\n}}\n");
    assert_eq!(parse(&Source::new("x", &text), &Inputs::default()).unwrap_err().iter().count(), 1);
}

#[test]
fn a_document_at_the_limit_of_objects_is_read_and_one_more_is_not() {
    let job = |objects: usize| serde_json::json!({ "ID": "x", "Meta": {}, "Unknown": vec![serde_json::json!({}); objects - 2] });
    assert!(crate::decode_json(job(OBJECTS_MAX)).is_ok());
    let error = crate::decode_json(job(OBJECTS_MAX + 1)).unwrap_err();
    assert_eq!(error.to_string(), "the job consists of 80001 objects, the limit is 80000");
}

/// Large texts of one pattern each; the test's own time limit is that it ends at all with the others.
#[test]
fn a_mebibyte_of_anything_is_answered() {
    let yaml = |text: &str| format!("locals {{\n  a = yamldecode(\"{text}\")\n}}\njob \"x\" {{}}\n");
    let fill = |row: &str| row.repeat(SOURCE_BYTES_MAX * 9 / 10 / row.len());
    let texts = [
        format!("job \"x\" {{\n{}}}\n", fill("  group \"a\" {}\n")),
        format!("job \"x\" {{\n{}}}\n", fill("  unknwon {}\n")),
        format!("job \"x\" {{\n  group \"g\" {{\n    network {{\n{}    }}\n  }}\n}}\n", fill("      port \"a\" {}\n")),
        format!("locals {{\n  a = [{}]\n}}\njob \"x\" {{}}\n", fill("try(var.a, 1),")),
        format!("locals {{\n  a = \"{}\"\n}}\njob \"x\" {{}}\n", fill("${1}")),
        format!("locals {{\n  a = [{}]\n}}\njob \"x\" {{}}\n", fill("bcrypt(1),")),
        yaml(&fill("[")),
        yaml(&fill("{")),
        yaml(&fill("- ")),
        yaml(&fill("? ")),
        yaml(&fill("a: ")),
        yaml(&fill("a:\\n ")),
        yaml(&fill("- a\\n")),
        yaml(&fill("&a ")),
        yaml(&fill("- &a a\\n")),
        yaml(&fill("!a ")),
        yaml(&fill("'")),
        yaml(&fill("[a: b, ")),
        yaml(&fill("{a: ")),
        yaml(&fill("a\\n")),
        yaml(&fill("\\n ")),
        yaml(&fill("|\\n")),
        yaml(&fill("#")),
        yaml(&fill("%TAG !a! a\\n")),
        yaml(&fill("---\\n")),
        yaml(&format!("a: |\\n{}", fill(" x\\n"))),
        yaml(&format!("a: \\\"{}", fill("x\\n"))),
        format!("locals {{\n  a = formatdate(\"{}\", \"2026-01-31T12:00:00Z\")\n}}\n", fill("''")),
        format!("locals {{\n  a = fileset(\".\", \"{}\")\n}}\n", fill("{a,")),
        format!("locals {{\n  a = rsadecrypt(\"AAAA\", \"-----BEGIN RSA PRIVATE KEY-----{}\")\n}}\n", fill("A")),
        format!("locals {{\n  a = timeadd(\"2026-01-31T12:00:00Z\", \"{}\")\n}}\n", fill("1h")),
        format!("job \"x\" {{\n  meta {{\n    a = <<-EOT\n{}EOT\n  }}\n}}\n", fill("      text ${attr.x}\n")),
        fill("\""),
        fill("{"),
        fill("a = \"${"),
        fill("%{ if true }"),
        format!("a = \"{}", fill("%{ if true }")),
        format!("{{ \"Job\": {{ \"ID\": \"x\", \"TaskGroups\": [{}{{}}] }} }}", fill("{},")),
        format!("{{ \"Job\": {{ \"ID\": \"x\", \"TaskGroups\": [{}] }} }}", vec!["{}"; OBJECTS_MAX - 1].join(",")),
        "[".repeat(SOURCE_BYTES_MAX),
        fill("'a' = 'b';\n"),
        fill("a = <<E\n"),
        fill("a = \"\n"),
        fill("a = [\n"),
        fill("}\n"),
        fill("\u{1b}[31m\r\n"),
        // As large as a text may be that is read on after an error.
        format!("job \"x\" {{\n{}}}\n", "  a = 'b';\n".repeat(RECOVERED_BYTES_MAX / 12)),
        format!("job \"x\" {{\n{}}}\n", "  a =\n".repeat(RECOVERED_BYTES_MAX / 7)),
        format!("job \"x\" {{\n{}}}\n", "  a \"b\" = {\n  }\n".repeat(RECOVERED_BYTES_MAX / 18)),
        format!(
            "{{ \"Job\": {{ \"ID\": \"x\", \"TaskGroups\": [{}] }} }}",
            vec!["{\"Name\": \"\", \"Tasks\": [{\"KillSignal\": \"x\"}]}"; 16_000].join(",")
        ),
        format!("{{\"a\":{}", "[".repeat(SOURCE_BYTES_MAX / 2)),
    ];
    for text in &texts {
        let answer = parse(&Source::new("x", text), &Inputs::default());
        let rendered = answer.map_err(|errors| errors.render(false).len()).err();
        assert!(rendered.is_some(), "taken: {}", &text[..40]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Pieces cut out, doubled, swapped and overwritten in real jobspecs.
    #[test]
    fn mutated_jobspecs_never_panic(
        file in 0_usize..1000,
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..40, 0_usize..4, "[\"{}$%~=\\[\\]().,<a-z0-9 \\n-]{0,6}"), 1..5),
    ) {
        let good = files("tests/good");
        let wrong = files("tests/wrong");
        let all: Vec<_> = good.iter().chain(&wrong).collect();
        let mut letters: Vec<char> = String::from_utf8_lossy(&fs::read(all[file % all.len()]).unwrap()).chars().collect();
        for (at, length, kind, text) in cuts {
            let from = at.index(letters.len() + 1);
            let to = (from + length).min(letters.len());
            match kind {
                0 => { letters.drain(from..to); }
                1 => { let piece = letters[from..to].to_vec(); letters.splice(from..from, piece); }
                2 => { letters.splice(from..to, text.chars()); }
                _ => { letters.splice(from..from, text.chars()); }
            }
        }
        let text: String = letters.into_iter().collect();
        match parse(&Source::new("x", &text), &Inputs::default()) {
            Ok(parsed) => prop_assert!(crate::validate(&parsed.job).is_empty()),
            Err(errors) => {
                let _ = errors.render(false);
                for error in errors.iter() {
                    prop_assert!(error.position().0 >= 1 && error.position().1 >= 1);
                }
            }
        }
    }

    #[test]
    fn any_text_never_panics(text in "\\PC{0,200}") {
        let _ = parse(&Source::new("x", &text), &Inputs::default()).map_err(|errors| errors.render(true));
    }
}

/// What `make fuzz` once found, kept in `fuzz/corpus`.
#[test]
fn what_the_fuzzer_kept_holds_together() {
    let kept = fs::read_dir(folder("fuzz/corpus")).unwrap().map(|entry| entry.unwrap().path());
    for path in kept {
        let bytes = fs::read(&path).unwrap();
        let Ok(source) = Source::from_bytes("kept.hcl", &bytes) else { continue };
        if let Ok(parsed) = parse(&source, &Inputs::default()) {
            let written = write_hcl(&parsed.job);
            let again = parse(&Source::new("written.hcl", &written), &Inputs::default());
            assert_eq!(again.unwrap_or_else(|errors| panic!("{}", errors.render(false))).job, parsed.job);
        }
        if let Ok(laid_out) = format(&source) {
            assert_eq!(format(&Source::new("kept.hcl", &laid_out)).unwrap(), laid_out, "{}", path.display());
        }
    }
}
