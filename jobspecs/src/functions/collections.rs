//! Functions of lists and objects.

use std::collections::BTreeMap;

use super::{Arguments, Called, Failure, Function, check_size};
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    Function { name: "chunklist", arity: (2, Some(2)), call: chunklist, doc: "a list in pieces of a size" },
    Function { name: "coalesce", arity: (1, None), call: coalesce, doc: "the first argument that is not null" },
    Function { name: "coalescelist", arity: (1, None), call: coalescelist, doc: "the first list that is not empty" },
    Function { name: "compact", arity: (1, Some(1)), call: compact, doc: "a list without its empty strings" },
    Function { name: "concat", arity: (1, None), call: concat, doc: "lists, one after another" },
    Function { name: "contains", arity: (2, Some(2)), call: contains, doc: "whether a list has an item" },
    Function { name: "distinct", arity: (1, Some(1)), call: distinct, doc: "a list with each item once" },
    Function { name: "element", arity: (2, Some(2)), call: element, doc: "an item by number, counted round and round" },
    Function { name: "flatten", arity: (1, Some(1)), call: flatten, doc: "a list with the items of the lists in it" },
    Function { name: "index", arity: (2, Some(2)), call: index, doc: "the number of an item in a list" },
    Function { name: "keys", arity: (1, Some(1)), call: keys, doc: "the keys of an object" },
    Function { name: "length", arity: (1, Some(1)), call: length, doc: "how many items or letters there are" },
    Function { name: "lookup", arity: (2, Some(3)), call: lookup, doc: "the value of a key, else a default" },
    Function { name: "merge", arity: (1, None), call: merge, doc: "objects as one; later ones win" },
    Function { name: "reverse", arity: (1, Some(1)), call: reverse, doc: "a list backwards" },
    Function { name: "setintersection", arity: (1, None), call: setintersection, doc: "the items that all lists have" },
    Function {
        name: "setproduct",
        arity: (1, None),
        call: setproduct,
        doc: "every combination of an item of each list",
    },
    Function { name: "setunion", arity: (1, None), call: setunion, doc: "the items that any list has" },
    Function { name: "slice", arity: (3, Some(3)), call: slice, doc: "the items from a number to before another" },
    Function { name: "sort", arity: (1, Some(1)), call: sort, doc: "a list of strings in order" },
    Function {
        name: "values",
        arity: (1, Some(1)),
        call: values,
        doc: "the values of an object, by the order of its keys",
    },
    Function {
        name: "zipmap",
        arity: (2, Some(2)),
        call: zipmap,
        doc: "an object of a list of keys and one of values",
    },
];

fn chunklist(arguments: &mut Arguments<'_>) -> Called {
    let list = arguments.list(0)?;
    let size = arguments.size(1, usize::MAX >> 1)?.max(1);
    Ok(Value::List(list.chunks(size).map(|chunk| Value::List(chunk.to_vec())).collect()))
}

/// Unlike Terraform's function of that name, this one takes an empty string for a value: Nomad has that of go-cty.
fn coalesce(arguments: &mut Arguments<'_>) -> Called {
    let given = |value: &&Value| !matches!(value, Value::Null);
    arguments.values.iter().find(given).cloned().ok_or_else(|| Failure::of("all arguments are null"))
}

fn coalescelist(arguments: &mut Arguments<'_>) -> Called {
    for at in 0..arguments.len() {
        let list = arguments.list(at)?;
        if !list.is_empty() {
            return Ok(Value::List(list));
        }
    }
    Err(Failure::of("all lists are empty"))
}

fn compact(arguments: &mut Arguments<'_>) -> Called {
    let list = arguments.list(0)?;
    let is_something = |value: &Value| !matches!(value, Value::Null) && *value != Value::text("");
    Ok(Value::List(list.into_iter().filter(is_something).collect()))
}

fn concat(arguments: &mut Arguments<'_>) -> Called {
    let mut all = Vec::new();
    for at in 0..arguments.len() {
        all.extend(arguments.list(at)?);
    }
    Ok(Value::List(all))
}

fn contains(arguments: &mut Arguments<'_>) -> Called {
    let list = arguments.list(0)?;
    Ok(Value::Bool(list.contains(&arguments.values[1])))
}

fn distinct(arguments: &mut Arguments<'_>) -> Called {
    Ok(Value::List(unique(arguments.list(0)?)))
}

/// The list with each item once. Compared through their JSON, so that a long list does not take its square of steps.
fn unique(list: Vec<Value>) -> Vec<Value> {
    let mut seen = std::collections::BTreeSet::new();
    list.into_iter().filter(|item| seen.insert(item.to_json().to_string())).collect()
}

fn element(arguments: &mut Arguments<'_>) -> Called {
    let mut list = arguments.list(0)?;
    if list.is_empty() {
        return Err(Failure::at(0, "the list is empty"));
    }
    let at = arguments.whole(1)?.rem_euclid(list.len() as i64) as usize;
    Ok(list.swap_remove(at))
}

fn flatten(arguments: &mut Arguments<'_>) -> Called {
    fn gather(list: Vec<Value>, flat: &mut Vec<Value>) {
        for item in list {
            match item {
                Value::List(inner) => gather(inner, flat),
                other => flat.push(other),
            }
        }
    }
    let mut flat = Vec::new();
    gather(arguments.list(0)?, &mut flat);
    Ok(Value::List(flat))
}

fn index(arguments: &mut Arguments<'_>) -> Called {
    let list = arguments.list(0)?;
    let at = list.iter().position(|item| *item == arguments.values[1]);
    at.map(|at| Value::whole(at as i64)).ok_or_else(|| Failure::at(1, "the list has no such item"))
}

fn keys(arguments: &mut Arguments<'_>) -> Called {
    Ok(Value::List(arguments.object(0)?.into_keys().map(Value::Text).collect()))
}

fn length(arguments: &mut Arguments<'_>) -> Called {
    let length = match &arguments.values[0] {
        Value::List(list) => list.len(),
        Value::Object(object) => object.len(),
        Value::Text(text) => text.chars().count(),
        other => return Err(Failure::at(0, format!("{} has no length", other.kind()))),
    };
    Ok(Value::whole(length as i64))
}

fn lookup(arguments: &mut Arguments<'_>) -> Called {
    let (mut object, key) = (arguments.object(0)?, arguments.text(1)?);
    match object.remove(&key) {
        Some(value) => Ok(value),
        None if arguments.len() == 3 => Ok(arguments.take(2)),
        None => Err(Failure::at(1, format!("the object has no key `{key}`, and there is no default"))),
    }
}

fn merge(arguments: &mut Arguments<'_>) -> Called {
    let mut all = BTreeMap::new();
    for at in 0..arguments.len() {
        if !matches!(arguments.values[at], Value::Null) {
            all.extend(arguments.object(at)?);
        }
    }
    Ok(Value::Object(all))
}

fn reverse(arguments: &mut Arguments<'_>) -> Called {
    let mut list = arguments.list(0)?;
    list.reverse();
    Ok(Value::List(list))
}

/// Sets have no order of their own; their items come out in the order of their text or number.
fn in_order(list: Vec<Value>) -> Value {
    let mut list = unique(list);
    list.sort_by(|left, right| match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.real().total_cmp(&right.real()),
        _ => left.to_json().to_string().cmp(&right.to_json().to_string()),
    });
    Value::List(list)
}

fn setintersection(arguments: &mut Arguments<'_>) -> Called {
    let mut common = arguments.list(0)?;
    for at in 1..arguments.len() {
        let other: std::collections::BTreeSet<String> =
            arguments.list(at)?.iter().map(|item| item.to_json().to_string()).collect();
        common.retain(|item| other.contains(&item.to_json().to_string()));
    }
    Ok(in_order(common))
}

fn setunion(arguments: &mut Arguments<'_>) -> Called {
    let Value::List(all) = concat(arguments)? else { return Ok(Value::Null) };
    Ok(in_order(all))
}

fn setproduct(arguments: &mut Arguments<'_>) -> Called {
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for at in 0..arguments.len() {
        let list = arguments.list(at)?;
        let weight: u64 = list.iter().map(Value::weight).sum();
        check_size(rows.len().saturating_mul(weight as usize).saturating_mul(at + 1))?;
        rows = rows
            .into_iter()
            .flat_map(|row| {
                list.iter().map(move |item| row.iter().chain([item]).cloned().collect::<Vec<_>>()).collect::<Vec<_>>()
            })
            .collect();
    }
    Ok(Value::List(rows.into_iter().map(Value::List).collect()))
}

fn slice(arguments: &mut Arguments<'_>) -> Called {
    let list = arguments.list(0)?;
    let to = arguments.size(2, list.len())?;
    let from = arguments.size(1, to)?;
    Ok(Value::List(list[from..to].to_vec()))
}

fn sort(arguments: &mut Arguments<'_>) -> Called {
    let mut texts = arguments.texts(0)?;
    texts.sort();
    Ok(Value::List(texts.into_iter().map(Value::Text).collect()))
}

fn values(arguments: &mut Arguments<'_>) -> Called {
    Ok(Value::List(arguments.object(0)?.into_values().collect()))
}

fn zipmap(arguments: &mut Arguments<'_>) -> Called {
    let (keys, values) = (arguments.texts(0)?, arguments.list(1)?);
    if keys.len() != values.len() {
        return Err(Failure::of(format!("{} keys, but {} values", keys.len(), values.len())));
    }
    Ok(Value::Object(keys.into_iter().zip(values).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Number;

    #[test]
    fn whole_and_real_numbers_sort_together_in_a_set() {
        let list = vec![Value::whole(10), Value::Number(Number::Real(2.5)), Value::whole(10)];
        assert_eq!(in_order(list), Value::List(vec![Value::Number(Number::Real(2.5)), Value::whole(10)]));
    }
}
