//! Whether a document is a contract of the Open Data Contract Standard 3.1.
//!
//! Owns the shape of a contract as the standard's JSON schema gives it (open-data-contract-standard 3.1.0): which keys
//! there are, which are needed, which values they may have; and what the schema cannot say: names and ids that are there
//! twice, references that lead nowhere. What the rules mean is `odcs`'s.

use std::collections::HashSet;

use serde_json::Value;

use super::document::{list, text};

const ROOT: &[&str] = &[
    "apiVersion",
    "authoritativeDefinitions",
    "contractCreatedTs",
    "customProperties",
    "dataProduct",
    "description",
    "domain",
    "id",
    "kind",
    "name",
    "price",
    "roles",
    "schema",
    "servers",
    "slaDefaultElement",
    "slaProperties",
    "status",
    "support",
    "tags",
    "team",
    "tenant",
    "version",
];
const ELEMENT: &[&str] = &[
    "authoritativeDefinitions",
    "businessName",
    "customProperties",
    "description",
    "id",
    "name",
    "physicalType",
    "tags",
];
const OBJECT: &[&str] =
    &["dataGranularityDescription", "logicalType", "physicalName", "properties", "quality", "relationships"];
const PROPERTY: &[&str] = &[
    "classification",
    "criticalDataElement",
    "encryptedName",
    "examples",
    "items",
    "logicalType",
    "logicalTypeOptions",
    "partitionKeyPosition",
    "partitioned",
    "physicalName",
    "primaryKey",
    "primaryKeyPosition",
    "properties",
    "quality",
    "relationships",
    "required",
    "transformDescription",
    "transformLogic",
    "transformSourceObjects",
    "unique",
];
const QUALITY: &[&str] = &[
    "arguments",
    "authoritativeDefinitions",
    "businessImpact",
    "customProperties",
    "description",
    "dimension",
    "engine",
    "id",
    "implementation",
    "method",
    "metric",
    "name",
    "query",
    "rule",
    "schedule",
    "scheduler",
    "severity",
    "tags",
    "type",
    "unit",
];
/// The operators of a rule.
pub(super) const OPERATORS: &[&str] = &[
    "mustBe",
    "mustNotBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
    "mustNotBeBetween",
];
/// The metrics of the standard's library.
pub(super) const METRICS: &[&str] =
    &["nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount"];
const LOGICAL_TYPES: &[&str] =
    &["string", "date", "timestamp", "time", "number", "integer", "object", "array", "boolean"];
const DIMENSIONS: &[(&str, &str)] = &[
    ("accuracy", "ac"),
    ("completeness", "cp"),
    ("conformity", "cf"),
    ("consistency", "cs"),
    ("coverage", "cv"),
    ("timeliness", "tm"),
    ("uniqueness", "uq"),
];
const SERVERS: &[&str] = &[
    "api",
    "athena",
    "azure",
    "bigquery",
    "clickhouse",
    "databricks",
    "denodo",
    "dremio",
    "duckdb",
    "glue",
    "cloudsql",
    "db2",
    "hive",
    "impala",
    "informix",
    "kafka",
    "kinesis",
    "local",
    "mysql",
    "oracle",
    "postgresql",
    "postgres",
    "presto",
    "pubsub",
    "redshift",
    "s3",
    "sftp",
    "snowflake",
    "sqlserver",
    "synapse",
    "trino",
    "vertica",
    "zen",
    "custom",
];
const VERSIONS: &[&str] = &["v3.1.0", "v3.0.2", "v3.0.1", "v3.0.0"];

/// The dimension in the words of this engine.
pub(super) fn dimension(word: &str) -> Option<&'static str> {
    DIMENSIONS.iter().find(|(long, short)| *long == word || *short == word).map(|(long, _)| *long)
}

/// Everything that is wrong with a contract.
pub(super) fn faults(contract: &Value) -> Vec<String> {
    let mut shape = Shape { faults: Vec::new(), columns: columns_of(contract) };
    shape.root(contract);
    shape.faults
}

/// `table` and `table.column` of everything that the contract declares, nested columns by their own names too.
fn columns_of(contract: &Value) -> HashSet<String> {
    fn add(table: &str, property: &Value, found: &mut HashSet<String>) {
        if let Some(name) = text(property, "name") {
            found.insert(format!("{table}.{name}"));
        }
        list(property, "properties")
            .iter()
            .chain(property.get("items"))
            .for_each(|inner| add(table, inner, found));
    }
    let mut found = HashSet::new();
    for object in list(contract, "schema") {
        let Some(table) = text(object, "name") else { continue };
        found.insert(table.to_owned());
        list(object, "properties").iter().for_each(|property| add(table, property, &mut found));
    }
    found
}

struct Shape {
    faults: Vec<String>,
    columns: HashSet<String>,
}

impl Shape {
    fn fault(&mut self, place: &str, what: impl Into<String>) {
        let what = what.into();
        self.faults.push(if place.is_empty() { what } else { format!("{place}: {what}") });
    }

    /// Refuses keys that are not known.
    fn keys(&mut self, place: &str, value: &Value, known: &[&[&str]]) {
        let Some(object) = value.as_object() else {
            return self.fault(place, "is no mapping");
        };
        for key in object.keys() {
            if !known.iter().any(|known| known.contains(&key.as_str())) {
                self.fault(place, format!("`{key}` is not a key of the standard here"));
            }
        }
    }

    /// A text that must be there and not be empty.
    fn needed(&mut self, place: &str, value: &Value, key: &str) {
        match value.get(key) {
            Some(Value::String(text)) if !text.trim().is_empty() => {}
            Some(Value::String(_)) => self.fault(place, format!("`{key}` is empty")),
            Some(_) => self.fault(place, format!("`{key}` is no text")),
            None => self.fault(place, format!("`{key}` is missing")),
        }
    }

    fn one_of(&mut self, place: &str, value: &Value, key: &str, known: &[&str]) {
        match value.get(key) {
            None => {}
            Some(Value::String(text)) if known.contains(&text.as_str()) => {}
            Some(other) => {
                self.fault(place, format!("`{key}` is {other}, which is none of {}", known.join(", ")));
            }
        }
    }

    /// What may stand at anything: an id of its form, and properties of one's own.
    fn common(&mut self, place: &str, value: &Value) {
        if let Some(id) = value.get("id") {
            let proper = id.as_str().is_some_and(|id| {
                !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
            });
            if !proper {
                self.fault(place, format!("the id {id} is not of letters, digits, `_` and `-`"));
            }
        }
        self.custom(place, value);
    }

    fn custom(&mut self, place: &str, value: &Value) {
        let mut seen = HashSet::new();
        for (at, custom) in list(value, "customProperties").iter().enumerate() {
            let place = format!("{place}customProperties[{at}]");
            self.keys(&place, custom, &[&["id", "property", "value", "description"]]);
            self.needed(&place, custom, "property");
            if custom.get("value").is_none() {
                self.fault(&place, "`value` is missing");
            }
            if let Some(name) = text(custom, "property")
                && !seen.insert(name)
            {
                self.fault(&place, format!("`{name}` is there twice"));
            }
        }
    }

    fn twice(&mut self, place: &str, values: &[Value], key: &str) {
        let mut seen = HashSet::new();
        for value in values {
            if let Some(found) = text(value, key)
                && !seen.insert(found)
            {
                self.fault(place, format!("the {key} `{found}` is there twice"));
            }
        }
    }

    fn root(&mut self, contract: &Value) {
        self.keys("", contract, &[ROOT]);
        for key in ["version", "apiVersion", "kind", "id", "status"] {
            self.needed("", contract, key);
        }
        self.one_of("", contract, "kind", &["DataContract"]);
        if text(contract, "apiVersion").is_some_and(|version| !VERSIONS.contains(&version)) {
            self.one_of("", contract, "apiVersion", VERSIONS);
        }
        self.common("", contract);
        for (at, server) in list(contract, "servers").iter().enumerate() {
            let place = format!("servers[{at}]");
            self.needed(&place, server, "server");
            self.needed(&place, server, "type");
            self.one_of(&place, server, "type", SERVERS);
            self.common(&format!("{place}."), server);
        }
        self.twice("servers", list(contract, "servers"), "server");
        self.people(contract);
        self.price_and_support(contract);
        let schema = list(contract, "schema");
        self.twice("schema", schema, "name");
        for (at, object) in schema.iter().enumerate() {
            self.object(&format!("schema[{at}]"), object);
        }
        self.promises(contract);
    }

    fn people(&mut self, contract: &Value) {
        match contract.get("team") {
            None | Some(Value::Array(_)) => {}
            Some(team @ Value::Object(_)) => {
                let known = [
                    "authoritativeDefinitions",
                    "customProperties",
                    "description",
                    "id",
                    "members",
                    "name",
                    "tags",
                ];
                self.keys("team", team, &[&known]);
                self.common("team.", team);
            }
            Some(_) => self.fault("team", "is neither a list nor a mapping"),
        }
        let members = match contract.get("team") {
            Some(Value::Array(members)) => members.as_slice(),
            Some(team) => list(team, "members"),
            None => &[],
        };
        for (at, member) in members.iter().enumerate() {
            self.needed(&format!("team[{at}]"), member, "username");
        }
        let roles = list(contract, "roles");
        self.twice("roles", roles, "id");
        for (at, role) in roles.iter().enumerate() {
            self.needed(&format!("roles[{at}]"), role, "role");
        }
    }

    fn price_and_support(&mut self, contract: &Value) {
        if let Some(price) = contract.get("price") {
            self.keys("price", price, &[&["id", "priceAmount", "priceCurrency", "priceUnit"]]);
            if let Some(amount) = price.get("priceAmount") {
                if amount.as_f64().is_none_or(|amount| amount < 0.0) {
                    self.fault("price", format!("the amount {amount} is no price"));
                }
                self.needed("price", price, "priceCurrency");
            }
        }
        for (at, support) in list(contract, "support").iter().enumerate() {
            let place = format!("support[{at}]");
            let known =
                ["channel", "customProperties", "description", "id", "invitationUrl", "scope", "tool", "url"];
            self.keys(&place, support, &[&known]);
            self.needed(&place, support, "channel");
            self.needed(&place, support, "url");
        }
    }

    fn object(&mut self, place: &str, object: &Value) {
        self.keys(place, object, &[ELEMENT, OBJECT]);
        self.needed(place, object, "name");
        self.one_of(place, object, "logicalType", &["object"]);
        self.common(&format!("{place}."), object);
        self.twice(place, list(object, "properties"), "name");
        for (at, property) in list(object, "properties").iter().enumerate() {
            self.property(&format!("{place}.properties[{at}]"), property, true);
        }
        self.rules(place, object);
        for (at, relation) in list(object, "relationships").iter().enumerate() {
            let place = format!("{place}.relationships[{at}]");
            self.keys(&place, relation, &[&["customProperties", "from", "to", "type"]]);
            let from = self.ends(&place, relation, "from");
            let to = self.ends(&place, relation, "to");
            if from != to {
                self.fault(&place, format!("{from} columns refer to {to}"));
            }
        }
    }

    fn property(&mut self, place: &str, property: &Value, named: bool) {
        self.keys(place, property, &[ELEMENT, PROPERTY]);
        if named {
            self.needed(place, property, "name");
        }
        self.one_of(place, property, "logicalType", LOGICAL_TYPES);
        self.common(&format!("{place}."), property);
        if text(property, "logicalType") == Some("array") && property.get("items").is_none() {
            self.fault(place, "is an array without `items`");
        }
        for (at, inner) in list(property, "properties").iter().enumerate() {
            self.property(&format!("{place}.properties[{at}]"), inner, true);
        }
        if let Some(items) = property.get("items") {
            self.property(&format!("{place}.items"), items, false);
        }
        self.rules(place, property);
        for (at, relation) in list(property, "relationships").iter().enumerate() {
            let place = format!("{place}.relationships[{at}]");
            self.keys(&place, relation, &[&["customProperties", "to", "type"]]);
            self.ends(&place, relation, "to");
        }
    }

    /// The ends of a relationship; returns how many columns they are.
    fn ends(&mut self, place: &str, relation: &Value, key: &str) -> usize {
        let ends: Vec<&str> = match relation.get(key) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) if !several.is_empty() => {
                several.iter().map(|end| end.as_str().unwrap_or_default()).collect()
            }
            _ => {
                self.fault(place, format!("`{key}` is missing or no reference"));
                return 0;
            }
        };
        for end in &ends {
            let word =
                |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            match end.split_once('.') {
                Some((table, column)) if word(table) && word(column) => {
                    if !self.columns.contains(*end) {
                        self.fault(place, format!("`{end}` is not in the contract"));
                    }
                }
                // A full path names things by their ids, also of other contracts: it is not followed.
                _ if end.contains('/') => {}
                _ => self.fault(place, format!("`{end}` is not of the form `table.column`")),
            }
        }
        ends.len()
    }

    fn rules(&mut self, place: &str, owner: &Value) {
        for (at, rule) in list(owner, "quality").iter().enumerate() {
            self.rule(&format!("{place}.quality[{at}]"), rule);
        }
    }

    fn rule(&mut self, place: &str, rule: &Value) {
        self.keys(place, rule, &[QUALITY, OPERATORS]);
        if rule.as_object().is_some_and(serde_json::Map::is_empty) {
            return self.fault(place, "is empty");
        }
        self.common(&format!("{place}."), rule);
        if let Some(word) = rule.get("dimension")
            && word.as_str().and_then(dimension).is_none()
        {
            self.fault(place, format!("the dimension {word} is not one of the standard"));
        }
        self.one_of(place, rule, "type", &["text", "library", "sql", "custom"]);
        match text(rule, "type").unwrap_or("library") {
            "library" => {
                self.needed(place, rule, "metric");
                self.one_of(place, rule, "metric", METRICS);
            }
            "sql" => self.needed(place, rule, "query"),
            "custom" => {
                self.needed(place, rule, "engine");
                if rule.get("implementation").is_none() {
                    self.fault(place, "`implementation` is missing");
                }
            }
            _ => {}
        }
        let given: Vec<&str> =
            OPERATORS.iter().copied().filter(|operator| rule.get(*operator).is_some()).collect();
        if given.len() > 1 {
            self.fault(place, format!("has several operators: {}", given.join(", ")));
        }
        for operator in given {
            let value = &rule[operator];
            let fits = match operator {
                "mustBeBetween" | "mustNotBeBetween" => {
                    value.as_array().is_some_and(|both| both.len() == 2 && both.iter().all(Value::is_number))
                }
                "mustBe" | "mustNotBe" => true,
                _ => value.is_number(),
            };
            if !fits {
                self.fault(place, format!("`{operator}` is {value}"));
            }
        }
    }

    fn promises(&mut self, contract: &Value) {
        let known = |columns: &HashSet<String>, element: &str| {
            element.split(',').all(|one| !one.trim().is_empty() && columns.contains(one.trim()))
        };
        if let Some(element) = text(contract, "slaDefaultElement")
            && !known(&self.columns, element)
        {
            self.fault("slaDefaultElement", format!("`{element}` is not in the contract"));
        }
        for (at, promise) in list(contract, "slaProperties").iter().enumerate() {
            let place = format!("slaProperties[{at}]");
            let keys = [
                "description",
                "driver",
                "element",
                "id",
                "property",
                "schedule",
                "scheduler",
                "unit",
                "value",
                "valueExt",
            ];
            self.keys(&place, promise, &[&keys]);
            self.needed(&place, promise, "property");
            if promise.get("value").is_none() {
                self.fault(&place, "`value` is missing");
            }
            if promise.get("scheduler").is_some() && promise.get("schedule").is_none() {
                self.fault(&place, "there is a `scheduler` without a `schedule`");
            }
            if let Some(element) = text(promise, "element")
                && !known(&self.columns, element)
            {
                self.fault(&place, format!("`{element}` is not in the contract"));
            }
        }
    }
}
