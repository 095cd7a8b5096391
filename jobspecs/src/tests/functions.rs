//! The functions with rules of their own, against published test vectors and what the reference's functions give.

use super::language::{check, evaluate};
use crate::value::Value;

/// From RFC 1321 (MD5), 3174 (SHA-1), 6234 (SHA-2) and 9562 (UUIDs).
#[test]
fn functions_that_hash() {
    check(
        r#"
        md5("") ==> "d41d8cd98f00b204e9800998ecf8427e"
        md5("message digest") ==> "f96b697d7cb7938d525a2f31aaf161d0"
        sha1("abc") ==> "a9993e364706816aba3e25717850c26c9cd0d89d"
        sha256("abc") ==> "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        sha256("é") ==> "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"
        sha512("abc") ==> "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        sha256(["a"]) ==> ! sha256: a string is needed here, this is a list
        substr(bcrypt("abc", 4), 0, 29) ==> "$2a$04$..CA.uOD/eaGAOmJB.yMBu"
        substr(bcrypt("abc"), 0, 7) ==> "$2a$10$"
        bcrypt("abc", 15) ==> ! bcrypt: a cost from 4 to 14 is needed here
        bcrypt("abc", 3) ==> ! bcrypt: a cost from 4 to 14 is needed here
        length(bcrypt("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrst", 4)) ==> 60
        bcrypt("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstu", 4) ==> ! bcrypt: the text has 73 bytes, the limit is 72
        uuidv4() ==> "00010203-0405-4607-8809-0a0b0c0d0e0f"
        uuidv4(1) ==> ! uuidv4: takes 0 arguments, 1 given
        uuidv5("dns", "www.example.com") ==> "2ed6657d-e927-568b-95e1-2665a8aea6a2"
        uuidv5("oid", "1.3.6.1") ==> "1447fa61-5277-5fef-a9b3-fbc6e44f4af3"
        uuidv5("x500", "CN=a") ==> "c4756781-662d-5713-b245-06d2e6262fc5"
        uuidv5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com") ==> "2ed6657d-e927-568b-95e1-2665a8aea6a2"
        uuidv5("web", "a") ==> ! uuidv5: a namespace is dns, url, oid, x500 or a UUID
        "#,
    );
}

#[test]
fn functions_of_time() {
    check(
        r#"
        formatdate("YYYY YY MMMM MMM MM M DD D", "2006-01-02T15:04:05Z") ==> "2006 06 January Jan 01 1 02 2"
        formatdate("EEEE EEE hh h HH H AA aa mm m ss s", "2006-01-02T15:04:05Z") ==> "Monday Mon 15 15 03 3 PM pm 04 4 05 5"
        formatdate("H AA", "2006-01-02T00:04:05Z") ==> "12 AM"
        formatdate("H aa", "2006-01-02T12:04:05Z") ==> "12 pm"
        formatdate("ZZZZZ ZZZZ ZZZ Z", "2006-01-02T15:04:05Z") ==> "+00:00 +0000 UTC Z"
        formatdate("ZZZZZ ZZZZ ZZZ Z", "2006-01-02T15:04:05.999-07:30") ==> "-07:30 -0730 -0730 -07:30"
        formatdate("'it''s' h 'o''clock' ''é", "2006-01-02T15:04:05Z") ==> "it's 15 o'clock 'é"
        formatdate("'at", "2006-01-02T15:04:05Z") ==> ! formatdate: a quote of the form does not end
        formatdate("YYY", "2006-01-02T15:04:05Z") ==> ! formatdate: the form has no `YYY`: a year is YYYY or YY
        formatdate("Q", "2006-01-02T15:04:05Z") ==> ! formatdate: the form has no `Q`: letters that stand for themselves are put between single quotes
        formatdate("ZZ", "2006-01-02T15:04:05Z") ==> ! formatdate: the form has no `ZZ`: an offset is ZZZZZ, ZZZZ, ZZZ or Z
        formatdate("YYYY", "2006-01-02") ==> ! formatdate: `2006-01-02` is not a point in time such as `2026-01-31T23:59:59Z`
        can(formatdate("YYYY", "2006-02-29T15:04:05Z")) ==> false
        can(formatdate("YYYY", "2006-01-02T24:04:05Z")) ==> false
        can(formatdate("YYYY", "2006-01-02T15:04:60Z")) ==> false
        can(formatdate("YYYY", "2006-01-02 15:04:05Z")) ==> false
        can(formatdate("YYYY", "2006-01-02T15:04:05.Z")) ==> false
        can(formatdate("YYYY", "2006-01-02T15:04:05+7:00")) ==> false
        can(formatdate("YYYY", "2006-01-02T15:04:05")) ==> false
        timeadd("2017-11-22T00:00:00Z", "10m") ==> "2017-11-22T00:10:00Z"
        timeadd("2017-11-22T00:00:00Z", "-1h30m") ==> "2017-11-21T22:30:00Z"
        timeadd("2017-11-22T00:00:00.6Z", "500ms") ==> "2017-11-22T00:00:01Z"
        timeadd("2017-12-31T23:00:00+02:00", "+1.5h") ==> "2018-01-01T00:30:00+02:00"
        timeadd("2017-11-22T00:00:00Z", "1d") ==> ! timeadd: `1d` is not a duration such as `90s` or `-1h30m`
        timeadd("9999-12-31T00:00:00Z", "24h") ==> ! timeadd: the result is not within the years 0 to 9999
        timeadd("0000-01-01T00:00:00Z", "-1s") ==> ! timeadd: the result is not within the years 0 to 9999
        timeadd("x", "1s") ==> ! timeadd: `x` is not a point in time such as `2026-01-31T23:59:59Z`
        "#,
    );
}

#[test]
fn functions_of_paths_and_folders() {
    check(
        r#"
        abspath("a/./b/../c") ==> "/users/ann/jobs/a/c"
        abspath("../../../../etc/") ==> "/etc"
        abspath("/") ==> "/"
        pathexpand("~/.ssh/id") ==> "/users/ann/.ssh/id"
        pathexpand("~") ==> "/users/ann"
        pathexpand("a/~") ==> "a/~"
        pathexpand("~bob/a") ==> ! pathexpand: the folders of other users are not known
        fileset("conf", "*.yml") ==> ["a.yml","b.yml"]
        fileset("conf", "**/*.yml") ==> ["a.yml","b.yml","sub/c.yml"]
        fileset("conf", "**") ==> ["a.yml","b.yml","sub/c.yml"]
        fileset("conf", "*/*.yml") ==> ["back/b.yml","sub/c.yml"]
        fileset("conf", "{a,sub/c}.yml") ==> ["a.yml","sub/c.yml"]
        fileset("conf", "[^a].yml") ==> ["b.yml"]
        fileset(".", "*") ==> ["a.txt"]
        fileset("", "conf/?.yml") ==> ["conf/a.yml","conf/b.yml"]
        fileset("~/conf/sub", "*") ==> ["c.yml"]
        fileset("nowhere", "**") ==> []
        fileset("locked", "*") ==> ! fileset: locked: permission denied
        fileset(".", "[a") ==> ! fileset: a `[` of the pattern does not end
        fileset(".", "../*") ==> ! fileset: a pattern can't lead out of its folder with `..`
        "#,
    );
}

#[test]
fn yaml_is_read() {
    check(
        r##"
        yamldecode("a: 1\nb: [x, 'y', \"z\"]\nc: {d: ~}\n") ==> {"a":1,"b":["x","y","z"],"c":{"d":null}}
        yamldecode("[true, False, null, ~, yes, 012, 0x1F, 0o17, -1.5, .5, 1., 1e3, +3, 1_000]") ==> [true,false,null,null,"yes",12,31,15,-1.5,0.5,1,1000,3,"1_000"]
        yamldecode("['1', \"true\", !!str 1, !!int '2', !!float 3, ! 4]") ==> ["1","true","1",2,3,"4"]
        yamldecode("[2006-01-02, a b, -x, 1.2.3, 0x, 1e, .]") ==> ["2006-01-02","a b","-x","1.2.3","0x","1e","."]
        yamldecode("") ==> null
        yamldecode("# nothing\n") ==> null
        yamldecode("---\na\n...\n") ==> "a"
        yamldecode("1: a\ntrue: b\n1.50: c\n") ==> {"1":"a","1.5":"c","true":"b"}
        yamldecode("a: |\n  x\n  y\nb: >-\n  x\n  y\n") ==> {"a":"x\ny\n","b":"x y"}
        yamldecode("a: &x {p: 1, q: 2}\nb: *x\n") ==> {"a":{"p":1,"q":2},"b":{"p":1,"q":2}}
        yamldecode("a: &x {p: 1, q: 2}\nb: {q: 3, <<: *x}\n") ==> {"a":{"p":1,"q":2},"b":{"p":1,"q":3}}
        yamldecode("{<<: [{p: 1}, {p: 2, q: 2}], r: 3}") ==> {"p":1,"q":2,"r":3}
        yamldecode("['<<', {\"<<\": 1}]") ==> ["<<",{"<<":1}]
        yamldecode("a: b: c") ==> ! yamldecode: this is not YAML: line 1, column 5: mapping values are not allowed in this context
        yamldecode("{<<: 1}") ==> ! yamldecode: line 1, column 6: only objects can be merged with `<<`
        yamldecode("{[a]: 1}") ==> ! yamldecode: line 1, column 2: a key must be a string
        yamldecode("{~: 1}") ==> ! yamldecode: line 1, column 2: a key must be a string
        yamldecode("a: &x\n  - *x\n") ==> ! yamldecode: line 2, column 5: the alias stands within what it refers to
        yamldecode("*x") ==> ! yamldecode: this is not YAML: line 1, column 1: while parsing node, found unknown anchor
        yamldecode("a\n---\nb\n") ==> ! yamldecode: line 2, column 1: there is more than one document
        yamldecode("!include a") ==> ! yamldecode: line 1, column 1: the tag `!include` is not known
        yamldecode("!!int a") ==> ! yamldecode: line 1, column 1: `a` is no `!!int`
        yamldecode("!!set {a}") ==> ! yamldecode: line 1, column 1: the tag `tag:yaml.org,2002:set` is not known here
        yamldecode(".inf") ==> ! yamldecode: line 1, column 1: the number `.inf` is not finite
        "##,
    );
}

#[test]
fn yaml_is_written() {
    check(
        r##"
        yamlencode({ b = 1, a = "x", c = null, d = [true, 0.5] }) ==> "\"a\": \"x\"\n\"b\": 1\n\"c\": null\n\"d\":\n- true\n- 0.5\n"
        yamlencode([[1, [2]], { a = { b = [] }, c = {} }]) ==> "- - 1\n  - - 2\n- \"a\":\n    \"b\": []\n  \"c\": {}\n"
        yamlencode("a") ==> "\"a\"\n"
        yamlencode(1) ==> "1\n...\n"
        yamlencode(null) ==> "null\n...\n"
        yamlencode([]) ==> "[]\n"
        yamlencode("q\"\\\t\u0001é\u00a0") ==> "\"q\\\"\\\\\\t\\x01é \"\n"
        yamlencode("😀") ==> "\"\\U0001F600\"\n"
        yamlencode({ a = "x\ny" }) ==> "\"a\": |-\n  x\n  y\n"
        yamlencode({ a = "x\n\n  y\n", b = 1 }) ==> "\"a\": |\n  x\n\n    y\n\"b\": 1\n"
        yamlencode(["x\n\n"]) ==> "- |+\n  x\n\n...\n"
        yamlencode("\nx") ==> "|2-\n\n  x\n"
        yamlencode("x \ny") ==> "\"x \\ny\"\n"
        yamlencode({ "a\nb" = ["c"] }) ==> "? |-\n  a\n  b\n: - \"c\"\n"
        yamldecode(yamlencode({ a = [[{ b = "x\ny\n" }], " y"], "k\nl" = { m = "\n" } })) ==> {"a":[[{"b":"x\ny\n"}]," y"],"k\nl":{"m":"\n"}}
        "##,
    );
}

/// YAML reads the line break as the space that stood there.
#[test]
fn yaml_breaks_long_strings_at_the_first_space_behind_column_80() {
    let long = "word ".repeat(40);
    let long = long.trim_end();
    let written = evaluate(&format!("yamlencode({{ a = \"{long}\" }})")).unwrap().to_text().unwrap();
    let lengths: Vec<usize> = written.lines().map(str::len).collect();
    assert_eq!(lengths, [85, 81, 42], "{written}");
    assert_eq!(evaluate(&format!("yamldecode(yamlencode(\"{long}\"))")), Ok(Value::text(long)));
}
