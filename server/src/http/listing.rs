//! Lists: namespace, prefix, filter, order and pages, the same for every kind of object.

use model::Index;
use serde::Serialize;
use serde_json::Value;
use server_core::authorize::Object;

use super::failure::Failure;
use super::filter::Filter;
use super::read::{Content, Found, Read};
use super::reply::json_bytes;

/// One object of a list.
pub(super) struct Row<'a, T> {
    /// Where it stands in the list; also the token of the page that begins with it.
    pub(super) order: String,
    /// What `prefix` is compared with.
    pub(super) id: String,
    /// What must be allowed to be seen.
    pub(super) object: Object<'a>,
    /// The object.
    pub(super) value: &'a T,
}

/// The order of objects by age, then id.
pub(super) fn by_age(create_index: Index, id: &str) -> String {
    // Fixed width makes the order of text that of numbers.
    format!("{create_index:020}.{id}")
}

/// The list of `rows` as `view` shows them; it last changed at `index`.
pub(super) fn list<'a, T: 'a, V: Serialize>(
    read: &'a Read<'a>,
    index: Index,
    rows: impl Iterator<Item = Row<'a, T>> + 'a,
    view: impl Fn(&'a T) -> V + 'a,
) -> Result<Found<'a>, Failure> {
    let wish = Wish::of(read)?;
    Ok(Found::written(index, move || write(read, wish, rows, view)))
}

/// What a client wants to see of a list.
struct Wish<'a> {
    prefix: &'a str,
    filter: Option<Filter>,
    reverse: bool,
    page_size: usize,
    begin: Option<&'a str>,
}

impl<'a> Wish<'a> {
    fn of(read: &'a Read<'a>) -> Result<Self, Failure> {
        let query = &read.call.query;
        Ok(Self {
            prefix: query.text("prefix").unwrap_or_default(),
            filter: query.text("filter").map(Filter::parse).transpose()?,
            reverse: query.flag("reverse")?,
            page_size: query.number("per_page")?.map_or(0, |size| usize::try_from(size).unwrap_or(usize::MAX)),
            begin: query.text("next_token"),
        })
    }

    fn comes_before_page(&self, order: &str) -> bool {
        self.begin.is_some_and(|begin| if self.reverse { order > begin } else { order < begin })
    }
}

fn write<'a, T: 'a, V: Serialize>(
    read: &Read<'_>,
    wish: Wish<'_>,
    rows: impl Iterator<Item = Row<'a, T>>,
    view: impl Fn(&'a T) -> V,
) -> Result<Content, Failure> {
    let mut rows: Vec<_> =
        rows.filter(|row| row.id.starts_with(wish.prefix) && read.call.gate.sees(row.object)).collect();
    if let Some(begin) = wish.begin
        && !rows.is_empty()
        && !rows.iter().any(|row| Shape::of(&row.order) == Shape::of(begin))
    {
        let message = format!("invalid next_token {begin:?}: give the X-Nomad-NextToken of the page before");
        return Err(Failure::bad_request(message));
    }
    rows.sort_by(|one, other| one.order.cmp(&other.order));
    if wish.reverse {
        rows.reverse();
    }
    let page_size = if wish.page_size == 0 { usize::MAX } else { wish.page_size };
    let mut page = Page { shown: Vec::new(), filtered: Vec::new() };
    let mut next_token = None;
    for row in rows.into_iter().skip_while(|row| wish.comes_before_page(&row.order)) {
        let shown = view(row.value);
        let as_value = wish.filter.as_ref().map(|_| serde_json::to_value(&shown)).transpose();
        let as_value = as_value.map_err(|error| Failure::internal(error.to_string()))?;
        if let (Some(filter), Some(value)) = (&wish.filter, &as_value) {
            if let Some(field) = filter.unknown_field(value) {
                let message = format!("failed to read filter expression: what is listed has no field {field:?}");
                return Err(Failure::bad_request(message));
            }
            if !filter.matches(value) {
                continue;
            }
        }
        if page.len() == page_size {
            next_token = Some(row.order);
            break;
        }
        match as_value {
            Some(value) => page.filtered.push(value),
            None => page.shown.push(shown),
        }
    }
    let json = match wish.filter {
        Some(_) => json_bytes(read.call, &page.filtered)?,
        None => json_bytes(read.call, &page.shown)?,
    };
    Ok(Content { json, next_token })
}

/// What kind of token begins a page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Made by [`by_age`].
    Age,
    /// An id.
    Id,
    /// `namespace.name`.
    Name,
    /// Anything else.
    Other,
}

impl Shape {
    fn of(token: &str) -> Self {
        let is_index = |text: &str| text.len() == 20 && text.bytes().all(|digit| digit.is_ascii_digit());
        match token.split_once('.') {
            Some((index, _)) if is_index(index) => Shape::Age,
            Some(_) => Shape::Name,
            None if uuid::Uuid::try_parse(token).is_ok() => Shape::Id,
            None => Shape::Other,
        }
    }
}

/// The objects of a page: as views, or as the JSON that a filter has looked at.
struct Page<V> {
    shown: Vec<V>,
    filtered: Vec<Value>,
}

impl<V> Page<V> {
    fn len(&self) -> usize {
        self.shown.len() + self.filtered.len()
    }
}
