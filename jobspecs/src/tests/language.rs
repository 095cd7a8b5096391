//! The expression language, one expression a row: expected value in JSON, or what is wrong.

use crate::evaluate::{Budget, Evaluator, Frame, Scope};
use crate::inputs::{Entry, EntryKind, Files, Outside};
use crate::source::Source;
use crate::syntax;
use crate::value::Value;

/// `a.txt` and, for `fileset`, a few more.
struct FewFiles;

impl Files for FewFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        if path == "a.txt" { Ok(b"text".to_vec()) } else { Err(format!("there is no file {path}")) }
    }

    fn exists(&self, path: &str) -> bool {
        path == "a.txt"
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, String> {
        let entries: &[(&str, EntryKind)] = match path {
            "." => &[("a.txt", EntryKind::File), ("conf", EntryKind::Folder)],
            "conf" => &[
                ("b.yml", EntryKind::File),
                ("a.yml", EntryKind::File),
                ("sub", EntryKind::Folder),
                ("back", EntryKind::FolderByLink),
            ],
            "conf/sub" | "/users/ann/conf/sub" => &[("c.yml", EntryKind::File), ("d.yml", EntryKind::Folder)],
            "conf/back" => &[("b.yml", EntryKind::File), ("back", EntryKind::FolderByLink)],
            "locked" => return Err("permission denied".into()),
            _ => &[],
        };
        Ok(entries.iter().map(|(name, kind)| Entry { name: (*name).into(), kind: *kind }).collect())
    }

    fn current_folder(&self) -> Result<String, String> {
        Ok("/users/ann/jobs".into())
    }

    fn home_folder(&self) -> Result<String, String> {
        Ok("/users/ann".into())
    }
}

/// Bytes that count up from 0, where random ones are asked for.
fn counting(bytes: &mut [u8]) {
    bytes.iter_mut().zip(0..).for_each(|(byte, count)| *byte = count);
}

pub(super) fn evaluate(text: &str) -> Result<Value, String> {
    let source = Source::new("row", text);
    let expression = syntax::expression(&source).map_err(|error| error.message)?;
    let mut scope = Scope::default();
    scope.variables.insert("name".into(), Value::text("web"));
    scope.locals.insert("list".into(), Value::from_json(&serde_json::json!([{"a": 1}, {"a": 2}])));
    let budget = Budget::default();
    let outside = Outside { files: Some(&FewFiles), random: Some(&counting) };
    let evaluator = Evaluator { source: &source, scope: &scope, budget: &budget, outside };
    evaluator.evaluate(&expression, &Frame::TOP).map_err(|error| error.message)
}

/// Rows of `expression => JSON` or `expression => ! message`.
pub(super) fn check(rows: &str) {
    let mut wrong = Vec::new();
    for row in rows.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let (expression, expected) = row.rsplit_once(" ==> ").unwrap_or_else(|| panic!("no arrow in {row}"));
        let actual = match evaluate(expression.trim()) {
            Ok(value) => value.to_json().to_string(),
            Err(message) => format!("! {message}"),
        };
        if actual != expected.trim() {
            wrong.push(format!("{expression} ==> {actual}   (expected {expected})"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn operators_convert_their_operands() {
    check(
        r#"
        1 + 2 * 3 - 4 / 2 ==> 5
        7 / 2 ==> 3.5
        6 / 2 ==> 3
        10 % 3 ==> 1
        -5 + 1 ==> -4
        1 + "2" ==> 3
        "1.5" * 2 ==> 3
        1 == "1" ==> false
        1 == 1.0 ==> true
        !true || false && true ==> false
        "true" && true ==> true
        2 > 10 ==> false
        "2" < "10" ==> true
        9007199254740993 + 1 ==> 9007199254740994
        1 / 0 ==> ! this divides by zero
        1 + "x" ==> ! a number is needed here, this is a string
        [1] + 1 ==> ! a number is needed here, this is a list
        1 && true ==> ! true or false is needed here, this is a number
        "a" == "a" ? 1 : local.nope ==> 1
        null == null ==> true
        "#,
    );
}

#[test]
fn paths_are_followed_and_unknown_roots_are_left_as_text() {
    check(
        r#"
        var.name ==> "web"
        var["name"] ==> "web"
        local.list[*].a ==> [1,2]
        local.list.*.a ==> [1,2]
        local.list.0.a ==> 1
        local.list[1]["a"] ==> 2
        null[*] ==> []
        "x"[*] ==> ["x"]
        attr.kernel.name ==> "${attr.kernel.name}"
        "${attr.kernel.name}-${var.name}" ==> "${attr.kernel.name}-web"
        "${meta["a b"]}" ==> "${meta[\"a b\"]}"
        "${NOMAD_PORT_http}" ==> "${NOMAD_PORT_http}"
        "$${var.name} %%{x}" ==> "${var.name} %{x}"
        "${1 + 1}" ==> 2
        "n${1 + 1}" ==> "n2"
        var.nme ==> ! there is no variable `nme`
        local.list[2] ==> ! the list has 2 items, no item 2
        local.list[0].b ==> ! the object has no attribute `b`
        var.name.x ==> ! a string has no attributes
        "a${[1]}" ==> ! a list can't be put into a text
        "#,
    );
}

#[test]
fn loops_and_templates() {
    check(
        r#"
        [for i in [1, 2, 3] : "h${i}" if i != 2] ==> ["h1","h3"]
        [for i, v in ["a", "b"] : "${i}${v}"] ==> ["0a","1b"]
        { for k, v in { a = 1, b = 2 } : upper(k) => v + 1 } ==> {"A":2,"B":3}
        { for v in ["a", "b", "a"] : v => v... } ==> {"a":["a","a"],"b":["b"]}
        { for v in ["a", "a"] : v => v } ==> ! the key `a` comes twice
        [for i in 5 : i] ==> ! a loop goes over a list or an object, this is a number
        [for a in [1, 2] : [for b in [3, 4] : a * b]] ==> [[3,4],[6,8]]
        "%{ if true }yes%{ else }no%{ endif }" ==> "yes"
        "a %{ if false ~} b %{ endif ~} c" ==> "a c"
        "%{ for x in ["a", "b"] }<${x}>%{ endfor }" ==> "<a><b>"
        "a  ${~ "b" ~}  c" ==> "abc"
        "#,
    );
}

#[test]
fn functions() {
    check(
        r#"
        abs(-3) ==> 3
        base64decode(base64encode("hé")) ==> "hé"
        ceil(1.2) ==> 2
        chomp("a\n") ==> "a"
        chunklist([1, 2, 3], 2) ==> [[1,2],[3]]
        cidrhost("10.0.0.0/8", 5) ==> "10.0.0.5"
        coalesce(null, "", "x") ==> ""
        coalesce(null, "x") ==> "x"
        coalesce(null) ==> ! coalesce: all arguments are null
        coalescelist([], [1]) ==> [1]
        compact(["a", "", null]) ==> ["a"]
        concat([1], [2]) ==> [1,2]
        contains(["a"], "a") ==> true
        convert("3", number) ==> 3
        convert(["3"], list(number)) ==> [3]
        csvdecode("a,b\n1,\"x, \"\"y\"\"\"\n") ==> [{"a":"1","b":"x, \"y\""}]
        distinct([1, 1, 2]) ==> [1,2]
        element(["a", "b"], 3) ==> "b"
        flatten([[1], [2, [3]]]) ==> [1,2,3]
        floor(-1.5) ==> -2
        format("%s-%03d-%.2f-%q-%5s|%-3s|%t %v %%", "a", 7, 1.5, "q", "r", "l", true, [1]) ==> "a-007-1.50-\"q\"-    r|l  |true [1] %"
        format("%[2]s %[1]s", "a", "b") ==> "b a"
        format("%d", "x") ==> ! format: `%d` needs a number, this is a string
        format("%x %b %o %X", 255, 5, 8, 255) ==> "ff 101 10 FF"
        format("%e", 1500) ==> "1.500000e+03"
        format("a", 1) ==> ! format: the text has no verb for this value
        formatlist("%s:%d", ["a", "b"], 1) ==> ["a:1","b:1"]
        indent(2, "a\nb") ==> "a\n  b"
        index(["a", "b"], "b") ==> 1
        join(",", ["a", "b"]) ==> "a,b"
        jsondecode("{\"a\":[1,null]}") ==> {"a":[1,null]}
        jsonencode({ b = 1, a = "<" }) ==> "{\"a\":\"\\u003c\",\"b\":1}"
        keys({ b = 1, a = 2 }) ==> ["a","b"]
        length("héé") ==> 3
        length({ a = 1 }) ==> 1
        log(8, 2) ==> 3
        lookup({ a = 1 }, "b", 2) ==> 2
        lower("ABC") ==> "abc"
        max(1, 3, 2) ==> 3
        max([1, 5]...) ==> 5
        merge({ a = 1 }, { b = 2, a = 3 }) ==> {"a":3,"b":2}
        min(1, "0") ==> 0
        parseint("ff", 16) ==> 255
        pow(2, 10) ==> 1024
        range(3) ==> [0,1,2]
        range(1, 10, 4) ==> [1,5,9]
        regex_replace("a1b2", "[0-9]", "-") ==> "a-b-"
        replace("a.b", ".", "-") ==> "a-b"
        replace("a1", "/[0-9]/", "-") ==> "a-"
        reverse([1, 2]) ==> [2,1]
        setintersection(["a", "b"], ["b", "c"]) ==> ["b"]
        setproduct(["a", "b"], [1]) ==> [["a",1],["b",1]]
        setunion(["b"], ["a", "b"]) ==> ["a","b"]
        signum(-2.5) ==> -1
        slice([1, 2, 3], 1, 2) ==> [2]
        sort(["b", "a"]) ==> ["a","b"]
        split(",", "a,b") ==> ["a","b"]
        strlen("hé") ==> 2
        strrev("ab") ==> "ba"
        substr("hello", 1, 3) ==> "ell"
        substr("hello", -3, -1) ==> "llo"
        title("hello world") ==> "Hello World"
        trim("?!a!", "!?") ==> "a"
        trimprefix("ab", "a") ==> "b"
        trimspace(" a ") ==> "a"
        trimsuffix("ab", "b") ==> "a"
        upper("a") ==> "A"
        urlencode("a b/é") ==> "a+b%2F%C3%A9"
        values({ b = 1, a = 2 }) ==> [2,1]
        zipmap(["a"], [1]) ==> {"a":1}
        basename("/a/b.txt") ==> "b.txt"
        dirname("/a/b.txt") ==> "/a"
        file("a.txt") ==> "text"
        filebase64("a.txt") ==> "dGV4dA=="
        fileexists("b.txt") ==> false
        file("b.txt") ==> ! file: there is no file b.txt
        try(var.nope, local.nope, "d") ==> "d"
        can(var.nope) ==> false
        upper("a", "b") ==> ! upper: takes 1 arguments, 2 given
        uper("a") ==> ! there is no function `uper`
        range(2000) ==> ! range: the range has more than 1024 items
        range(1024)[1023] ==> 1023
        "#,
    );
}

#[test]
fn heredocs_lose_their_indentation_also_around_directives() {
    let text = "<<-EOT\n    a\n    %{ for x in [1, 2] ~}\n      ${x}\n    %{ endfor ~}\n\n    b $${x}\n    EOT\n";
    assert_eq!(evaluate(text), Ok(Value::text("a\n  1\n  2\n\nb ${x}\n")));
    assert_eq!(evaluate("<<EOT\n  a\n  EOT\n"), Ok(Value::text("  a\n")));
    assert_eq!(evaluate("<<-EOT\n\ta ${var.name} b\n\t\tc\nEOT\n"), Ok(Value::text("a web b\n\tc\n")));
}

/// What the specification of HCL says of `<<-` (section "Template Expressions"): the least indentation of all lines is
/// taken off each. A strip mark takes off a line break, and what follows is the start of a line all the same.
#[test]
fn heredocs_lose_their_indentation_on_lines_after_strip_marks_too() {
    let text = "<<-EOT\n    a\n    %{ if true ~}\n      b\n    %{ endif ~}\n    c\n    EOT\n";
    assert_eq!(evaluate(text), Ok(Value::text("a\n  b\nc\n")));
}
