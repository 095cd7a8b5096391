//! The description of the API (OpenAPI 3.1), made from the table of routes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::route::{Handler, Route, Verb};

/// The document for `table`.
pub(super) fn document(table: &[Route], version: &str) -> Value {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for route in table {
        let path = paths.entry(route.path.replace('*', "")).or_default();
        for method in route.verb.methods() {
            path.insert(method.to_lowercase(), operation(route, method));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "sched", "version": version, "license": { "name": "Apache-2.0 OR MIT" } },
        "paths": paths,
    })
}

fn operation(route: &Route, method: &str) -> Value {
    let mut operation = json!({
        "operationId": format!("{} {}", method.to_lowercase(), route.path.replace('*', "")),
        "summary": route.summary,
        "x-action": route.action.as_str(),
        "parameters": parameters(route),
        "responses": {
            "200": { "description": "The answer." },
            "default": {
                "description": "What went wrong, in words.",
                "content": { "text/plain": { "schema": { "type": "string" } } },
            },
        },
    });
    if route.verb == Verb::Put {
        operation["requestBody"] = json!({ "content": { "application/json": { "schema": { "type": "object" } } } });
    }
    operation
}

fn parameters(route: &Route) -> Vec<Value> {
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = in_path.map(|name| parameter("path", name.trim_end_matches('*'), "string"));
    let in_query: &[(&str, &str)] = match route.handler {
        Handler::Read(_) => &[
            ("namespace", "string"),
            ("index", "integer"),
            ("wait", "string"),
            ("stale", "boolean"),
            ("prefix", "string"),
            ("filter", "string"),
            ("per_page", "integer"),
            ("next_token", "string"),
            ("reverse", "boolean"),
            ("pretty", "boolean"),
        ],
        Handler::Act(_) => &[("namespace", "string"), ("pretty", "boolean")],
    };
    in_path.chain(in_query.iter().map(|(name, kind)| parameter("query", name, kind))).collect()
}

fn parameter(place: &str, name: &str, kind: &str) -> Value {
    json!({ "in": place, "name": name, "required": place == "path", "schema": { "type": kind } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::nomad::ROUTES;

    #[test]
    fn every_route_is_described_with_its_action() {
        let document = document(ROUTES, "1");
        for route in ROUTES {
            for method in route.verb.methods() {
                let path = route.path.replace('*', "");
                let operation = &document["paths"][&path][method.to_lowercase()];
                assert_eq!(operation["x-action"], route.action.as_str(), "{method} {path}");
            }
        }
        assert_eq!(document["paths"]["/v1/job/{id}/evaluate"]["put"]["parameters"][0]["name"], "id");
    }
}
