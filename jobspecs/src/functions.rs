//! The functions of the language: one row each in a `TABLE` of its module.
//!
//! `try`, `can` and `convert` are not here, because they see their arguments before these have values; the evaluator
//! knows them itself.

mod collections;
mod encoding;
mod files;
mod format;
mod hashes;
mod networks;
mod numbers;
mod rsa;
mod strings;
mod times;
mod uuids;
mod yaml;

use std::collections::BTreeMap;

use crate::evaluate::Budget;
use crate::inputs::Outside;
use crate::value::{Number, Value};

/// A function: its name, how many arguments it takes, what it does, and a line of doc.
pub struct Function {
    /// The name.
    pub name: &'static str,
    /// The least and, if there is one, the greatest number of arguments.
    pub arity: (usize, Option<usize>),
    call: fn(&mut Arguments<'_>) -> Called,
    /// What it gives, in a line.
    pub doc: &'static str,
}

/// What a function gives, or why it can't.
type Called<T = Value> = Result<T, Failure>;

/// Why a function can't give a value.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The argument at fault, if it is one.
    pub argument: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl Failure {
    fn of(message: impl Into<String>) -> Self {
        Self { argument: None, message: message.into() }
    }

    fn at(argument: usize, message: impl Into<String>) -> Self {
        Self { argument: Some(argument), message: message.into() }
    }
}

/// The longest text or list that a function makes, in bytes or items.
const RESULT_SIZE_MAX: usize = 4 << 20;

/// Every function, in the order of their names.
pub fn table() -> impl Iterator<Item = &'static Function> {
    let tables: [&[Function]; 12] = [
        collections::TABLE,
        encoding::TABLE,
        files::TABLE,
        format::TABLE,
        hashes::TABLE,
        networks::TABLE,
        numbers::TABLE,
        rsa::TABLE,
        strings::TABLE,
        times::TABLE,
        uuids::TABLE,
        yaml::TABLE,
    ];
    let mut rows: Vec<&'static Function> = tables.into_iter().flatten().collect();
    rows.sort_by_key(|function| function.name);
    rows.into_iter()
}

/// The names of all functions, for hints.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    table().map(|function| function.name).chain(["try", "can", "convert"])
}

/// The function of that name, or what to say if there is none.
pub(crate) fn find(name: &str) -> Result<&'static Function, String> {
    let takes = |takes: &str| Err(format!("`{name}` takes {takes}"));
    match name {
        "try" => takes("one or more arguments"),
        "can" => takes("one argument"),
        "convert" => takes("a value and a type"),
        _ => table().find(|function| function.name == name).ok_or_else(|| format!("there is no function `{name}`")),
    }
}

impl Function {
    pub(crate) fn call(&self, values: Vec<Value>, outside: Outside<'_>, budget: &Budget) -> Called {
        let (least, most) = self.arity;
        let given = values.len();
        if given < least || most.is_some_and(|most| given > most) {
            let wanted = match most {
                Some(most) if most == least => format!("{least}"),
                Some(most) => format!("{least} to {most}"),
                None => format!("at least {least}"),
            };
            return Err(Failure::of(format!("takes {wanted} arguments, {given} given")));
        }
        (self.call)(&mut Arguments { values, outside, budget })
    }
}

/// The values that a function is called with, read by kind with HCL's implicit conversions.
struct Arguments<'a> {
    values: Vec<Value>,
    outside: Outside<'a>,
    budget: &'a Budget,
}

impl Arguments<'_> {
    fn len(&self) -> usize {
        self.values.len()
    }

    /// Counts `cost` against the budget of the jobspec, for work that is not in proportion to the result. Once nothing
    /// is left the evaluator says so itself, whatever the failure says.
    fn spend(&self, cost: u64) -> Called<()> {
        if self.budget.spend(cost) { Ok(()) } else { Err(Failure::of("this takes too much to evaluate")) }
    }

    /// As many random bytes as an array has.
    fn random<const N: usize>(&self) -> Called<[u8; N]> {
        let fill = self.outside.random.ok_or_else(|| Failure::of("there is no source of random bytes here"))?;
        let mut bytes = [0; N];
        fill(&mut bytes);
        Ok(bytes)
    }

    /// Moves the argument out.
    fn take(&mut self, at: usize) -> Value {
        std::mem::replace(&mut self.values[at], Value::Null)
    }

    fn text(&self, at: usize) -> Called<String> {
        let value = &self.values[at];
        value.to_text().ok_or_else(|| Failure::at(at, format!("a string is needed here, this is {}", value.kind())))
    }

    fn number(&self, at: usize) -> Called<Number> {
        let value = &self.values[at];
        value.to_number().ok_or_else(|| Failure::at(at, format!("a number is needed here, this is {}", value.kind())))
    }

    fn whole(&self, at: usize) -> Called<i64> {
        let whole = self.number(at)?.whole().and_then(|whole| i64::try_from(whole).ok());
        whole.ok_or_else(|| Failure::at(at, "a whole number is needed here"))
    }

    /// A whole number from 0 to `most`.
    fn size(&self, at: usize, most: usize) -> Called<usize> {
        let whole = self.whole(at)?;
        let size = usize::try_from(whole).ok().filter(|size| *size <= most);
        size.ok_or_else(|| Failure::at(at, format!("a number from 0 to {most} is needed here, this is {whole}")))
    }

    fn list(&mut self, at: usize) -> Called<Vec<Value>> {
        match self.take(at) {
            Value::List(list) => Ok(list),
            other => Err(Failure::at(at, format!("a list is needed here, this is {}", other.kind()))),
        }
    }

    fn texts(&mut self, at: usize) -> Called<Vec<String>> {
        let list = self.list(at)?;
        let texts: Option<Vec<String>> = list.iter().map(Value::to_text).collect();
        texts.ok_or_else(|| Failure::at(at, "a list of strings is needed here"))
    }

    fn object(&mut self, at: usize) -> Called<BTreeMap<String, Value>> {
        match self.take(at) {
            Value::Object(object) => Ok(object),
            other => Err(Failure::at(at, format!("an object is needed here, this is {}", other.kind()))),
        }
    }
}

/// Refuses a result that would be too large, before it is made.
fn check_size(size: usize) -> Called<()> {
    if size <= RESULT_SIZE_MAX {
        return Ok(());
    }
    Err(Failure::of(format!("the result would have {size} bytes or items, the limit is {RESULT_SIZE_MAX}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_function_is_in_the_table_twice() {
        let names: Vec<&str> = table().map(|function| function.name).collect();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
    }

    /// The list of the reference, section 2.1.
    #[test]
    fn every_function_of_the_reference_is_there() {
        let reference = "abs base64decode base64encode bcrypt can ceil chomp chunklist cidrhost cidrnetmask \
            cidrsubnet cidrsubnets coalesce coalescelist compact concat contains convert csvdecode distinct element \
            flatten floor format formatdate formatlist indent index join jsondecode jsonencode keys length log lookup \
            lower max md5 merge min parseint pow range regex_replace replace reverse rsadecrypt setintersection \
            setproduct setunion sha1 sha256 sha512 signum slice sort split strlen strrev substr timeadd title trim \
            trimprefix trimspace trimsuffix try upper urlencode uuidv4 uuidv5 values yamldecode yamlencode zipmap \
            abspath basename dirname file filebase64 fileexists fileset pathexpand";
        let known: Vec<&str> = names().collect();
        let absent: Vec<&str> = reference.split_whitespace().filter(|name| !known.contains(name)).collect();
        assert_eq!(absent, Vec::<&str>::new());
    }

    #[test]
    fn a_result_at_the_limit_is_made_and_one_more_is_not() {
        assert!(check_size(RESULT_SIZE_MAX).is_ok());
        assert!(check_size(RESULT_SIZE_MAX + 1).is_err());
    }
}
