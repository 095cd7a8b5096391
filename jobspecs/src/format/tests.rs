//! What is laid out, and that it means what it meant.

use std::fs;

use super::*;
use crate::tests::{files, folder, parse_file, parse_text};

#[track_caller]
fn check(text: &str, wanted: &str) {
    let laid_out = format(&Source::new("job.hcl", text)).unwrap_or_else(|errors| panic!("{}", errors.render(false)));
    assert_eq!(laid_out, wanted, "{laid_out}");
    let again = format(&Source::new("job.hcl", &laid_out)).unwrap();
    assert_eq!(again, laid_out, "laid out again it changes");
}

#[test]
fn levels_are_indented_and_what_is_assigned_stands_in_a_column() {
    check(
        "job   \"web\"{\n type=\"service\"\n      count_of_something =3\n\n\n# about groups\n\tgroup \"g\" {\n}\n }",
        "job \"web\" {
  type               = \"service\"
  count_of_something = 3


  # about groups
  group \"g\" {
  }
}
",
    );
}

#[test]
fn comments_stay_and_stand_in_a_column_behind_lines_that_follow_one_another() {
    check(
        "a = 1 // one\nlonger = 22      # two\nb = 1\n/* of\n   several lines */\nc = 3 /* inside */\n",
        "a      = 1  // one
longer = 22 # two
b      = 1
/* of
   several lines */
c = 3 /* inside */
",
    );
}

#[test]
fn a_value_of_several_lines_stands_for_itself() {
    check(
        "short = 1\nlist_of_many = [\n1,\n2 ,\n]\nlonger = { a=1, b = [ 2 ] }\nf = merge( {\nx = 1\nlonger = 2\n},{\ny=2},\n{})\n",
        "short = 1
list_of_many = [
  1,
  2,
]
longer = { a = 1, b = [2] }
f = merge({
  x      = 1
  longer = 2
}, {
  y = 2 },
  {})
",
    );
}

#[test]
fn operators_have_spaces_and_signs_have_none() {
    check(
        "a = -1+ 2*-b\nb = !x&&y||(c==-1)? [ 1 ]:[ ]\nc = x . y [ 0 ] . z\nd = a.*.b\ne = a[*].b\nf = f( 1,g()... )\n",
        "a = -1 + 2 * -b
b = !x && y || (c == -1) ? [1] : []
c = x.y [0].z
d = a.*.b
e = a[*].b
f = f(1, g()...)
",
    );
    check(
        "a = [for k,v in {x=1}: k if v>0]\nb = {for k in [1]: k=>-k...}\n",
        "a = [for k, v in { x = 1 }: k if v > 0]
b = { for k in [1]: k => -k... }
",
    );
}

#[test]
fn strings_and_heredocs_are_left_alone() {
    check(
        "a=\"x  ${ f(\"}\")   }  $${ y \"\ntext =<<-EOF\n   a  =  1\n  {\n  EOF\nb = 2",
        "a    = \"x  ${ f(\"}\")   }  $${ y \"
text = <<-EOF
   a  =  1
  {
  EOF
b    = 2
",
    );
    check("a = f(<<E\nx\n  E , 1)\n", "a = f(<<E\nx\n  E, 1)\n");
}

#[test]
fn windows_line_ends_and_an_empty_file_are_laid_out_too() {
    check("a = 1\r\nbc = 2\r\n", "a  = 1\nbc = 2\n");
    check("", "");
    check("\n\n", "");
}

#[test]
fn what_is_no_hcl_is_refused_with_its_place() {
    let error = format(&Source::new("job.hcl", "job \"a\" {\n")).unwrap_err();
    assert_eq!(error.first().message, "this block is not closed");
    let odd = "a = <<E\n%{ for x in [] }\nE\n  b %{ endfor }\nE\n";
    let error = format(&Source::new("job.hcl", odd)).unwrap_err();
    assert_eq!(error.first().message, "laid out, this file would mean something else");
    let error = format(&Source::new("job.json", " {\"Job\": {}}")).unwrap_err();
    assert_eq!(error.first().message, "this is a jobspec in JSON, which has no layout of its own");
}

/// Every jobspec that we have, also with all its blanks gone wrong, means the same when it is laid out.
#[test]
fn laid_out_jobspecs_mean_what_they_meant() {
    for path in files("tests/good").into_iter().chain(files("")) {
        let text = fs::read_to_string(&path).unwrap();
        if text.trim_start().starts_with('{') {
            continue;
        }
        let meant = parse_file(&path).unwrap().job;
        let laid_out = format(&Source::new("job.hcl", &text)).unwrap();
        let means = parse_text("job.hcl", &laid_out);
        assert_eq!(
            means.unwrap_or_else(|errors| panic!("{laid_out}\n{}", errors.render(false))).job,
            meant,
            "{laid_out}"
        );
        assert_eq!(format(&Source::new("job.hcl", &laid_out)).unwrap(), laid_out, "laid out again it changes");
    }
}

#[test]
fn our_examples_are_laid_out() {
    for path in files("") {
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(format(&Source::new("job.hcl", &text)).unwrap(), text, "{}", folder("").join(&path).display());
    }
}
