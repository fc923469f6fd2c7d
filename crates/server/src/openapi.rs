//! The document of the API in OpenAPI 3.1, for programs that make a client from it.
//!
//! Owns what every route has in common: the role it needs (`x-role`, and `x-of-item` where the handler asks for it in the
//! system that the item belongs to), its parameters in the path, its refusals, its name. What a route takes stands at its
//! handler; an answer without a schema there is a free JSON value, the serialized answer of the engine's function.
//!
//! Invariant: a route is in the document exactly when it is routed, because both are made from the same lists: the router's
//! groups, and what systems declare.

use plimsoll_engine::EngineError;
use plimsoll_engine::system::System;
use serde_json::{Value, json};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, RefOr, Required, ResponseBuilder,
};

use crate::access::Needed;
use crate::login::COOKIE_NAME;
use crate::routes::alias;

/// The document as it is committed and served, with the routes that these systems declare: JSON, two spaces, a line's end at the end.
///
/// # Errors
/// When a system declares a route for a change that it does not have.
pub fn text(systems: &[&'static System]) -> Result<String, EngineError> {
    Ok(serde_json::to_string_pretty(&value(systems)?)? + "\n")
}

pub(crate) fn value(systems: &[&'static System]) -> Result<Value, EngineError> {
    let mut document = serde_json::to_value(crate::router::document())?;
    // The shape of every refusal; handlers never build it by hand.
    document["components"]["schemas"]["Refusal"] = json!({
        "type": "object",
        "required": ["errors"],
        "properties": { "errors": { "type": "array", "items": {
            "type": "object",
            "required": ["code", "detail"],
            "properties": {
                "code": { "type": "string", "description": "A word for programs." },
                "detail": { "type": "string", "description": "A sentence for people." },
                "hint": { "type": "string", "description": "What to do." },
            },
        } } },
    });
    for system in systems {
        for alias in alias::described(system)? {
            let (path, method) = (word(&alias, "path"), word(&alias, "method").to_lowercase());
            document["paths"][path][&method] = declared(system.name, &alias);
        }
    }
    Ok(document)
}

fn word<'alias>(alias: &'alias Value, member: &str) -> &'alias str {
    alias[member].as_str().unwrap_or_default()
}

/// The operation of a route that a system declares.
fn declared(system: &str, alias: &Value) -> Value {
    let (path, method) = (word(alias, "path"), word(alias, "method").to_lowercase());
    let (mut parameters, mut members, mut required) = (Vec::new(), serde_json::Map::new(), Vec::new());
    for field in alias["fields"].as_array().into_iter().flatten() {
        let name = word(field, "name");
        let kind = match word(field, "kind") {
            "number" => json!({ "type": "integer" }),
            "truth" => json!({ "type": "boolean" }),
            "texts" => json!({ "type": "array", "items": { "type": "string" } }),
            "day" => json!({ "type": "string", "format": "date" }),
            _ => json!({ "type": "string" }),
        };
        let help = word(field, "help");
        if word(field, "in") == "body" {
            let mut schema = kind;
            schema["description"] = json!(help);
            members.insert(name.to_owned(), schema);
            if field["required"] == true {
                required.push(json!(name));
            }
        } else {
            parameters.push(json!({ "name": name, "in": field["in"], "description": help, "schema": kind,
                "required": field["required"] == true || word(field, "in") == "path" }));
        }
    }
    let mut operation = json!({
        "operationId": name(path, &method),
        "tags": [tag(path)],
        "summary": alias["summary"],
        "parameters": parameters,
        "security": [{ "token": [] }, { "session": [] }],
        "x-role": alias["role"],
        "x-of-item": true,
        "x-system": system,
        "responses": {
            "200": { "description": "The answer", "content": { "application/json": { "schema": { "type": "object" } } } },
            "default": { "description": "Refused, and why",
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Refusal" } } } },
        },
    });
    if method != "get" {
        let schema = json!({ "type": "object", "properties": members, "required": required });
        operation["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    operation
}

/// One document from those of the groups.
pub(crate) fn whole(groups: impl Iterator<Item = (Option<Needed>, OpenApi)>) -> OpenApi {
    let info = InfoBuilder::new().title("Plimsoll").version(env!("CARGO_PKG_VERSION"));
    let components = ComponentsBuilder::new()
        .security_scheme(
            "token",
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()),
        )
        .security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE_NAME))));
    let mut whole = OpenApiBuilder::new().info(info.build()).components(Some(components.build())).build();
    for (needed, mut part) in groups {
        for (path, item) in &mut part.paths.paths {
            for (method, operation) in operations(item) {
                describe(path, method, operation, needed);
            }
        }
        whole.merge(part);
    }
    whole
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    [
        ("get", item.get.as_mut()),
        ("put", item.put.as_mut()),
        ("post", item.post.as_mut()),
        ("delete", item.delete.as_mut()),
        ("patch", item.patch.as_mut()),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation?)))
}

fn describe(path: &str, method: &'static str, operation: &mut Operation, needed: Option<Needed>) {
    operation.operation_id = Some(name(path, method));
    operation.tags = Some(vec![tag(path)]);
    let known = operation.parameters.get_or_insert_default();
    known.splice(0..0, path_parameters(path));
    operation.security = Some(match needed {
        Some(_) => {
            ["token", "session"].map(|scheme| SecurityRequirement::new::<_, [&str; 0], _>(scheme, [])).into()
        }
        None => Vec::new(),
    });
    if let Some(needed) = needed {
        let mut extensions = Extensions::default();
        extensions.insert("x-role".to_owned(), json!(needed.role));
        extensions.insert("x-of-item".to_owned(), json!(needed.of_item && !path.contains("{system}")));
        operation.extensions.get_or_insert_default().merge(extensions);
    }
    let answers = &mut operation.responses.responses;
    if answers.is_empty() {
        let any = ContentBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::Object))).build();
        let answer = ResponseBuilder::new().description("The answer").content("application/json", any);
        answers.insert("200".to_owned(), RefOr::T(answer.build()));
    }
    let refusal =
        ContentBuilder::new().schema(Some(utoipa::openapi::Ref::from_schema_name("Refusal"))).build();
    let refused = ResponseBuilder::new().description("Refused, and why").content("application/json", refusal);
    answers.insert("default".to_owned(), RefOr::T(refused.build()));
}

/// A name for the function of a client: the method and the parts of the path.
fn name(path: &str, method: &str) -> String {
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    let parts = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| part.trim_matches(['{', '}']).replace('-', "_"));
    std::iter::once(method.to_owned()).chain(parts).collect::<Vec<_>>().join("_")
}

/// What a route is about: the first part of its path, or of what follows the system.
fn tag(path: &str) -> String {
    let path = path.strip_prefix("/api/v1/").unwrap_or(path);
    let path = path.strip_prefix("systems/{system}/").unwrap_or(path);
    path.split('/').find(|part| !part.is_empty()).unwrap_or("other").to_owned()
}

fn path_parameters(path: &str) -> impl Iterator<Item = RefOr<Parameter>> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).map(|name| {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(text));
        RefOr::T(parameter.build())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_route_has_a_role_or_is_open_and_names_are_not_used_twice() {
        let document = value(&[]).unwrap();
        let mut names = BTreeSet::new();
        let mut open = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                assert!(
                    names.insert(operation["operationId"].as_str().unwrap().to_owned()),
                    "{method} {path}"
                );
                assert!(
                    operation["summary"].as_str().is_some_and(|text| !text.is_empty()),
                    "{method} {path}"
                );
                if operation.get("x-role").is_none() {
                    open.push(format!("{method} {path}"));
                }
            }
        }
        assert_eq!(open, ["post /api/v1/session", "get /healthz"]);
    }
}
