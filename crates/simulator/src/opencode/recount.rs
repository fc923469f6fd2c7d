//! The manifest against the files: every total counted again from what was written.
//!
//! Owns a second, naive way of counting that shares no code with the generator. It knows the rules of the
//! format only: which tokens a message and a step state, and that a copy's identifier is younger than its
//! time.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{Settings, Tokens, Totals, generate};

/// Every JSON file in the folders of a folder, with the folder's name.
fn nested(folder: &Path) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for group in fs::read_dir(folder).unwrap() {
        let group = group.unwrap();
        for file in fs::read_dir(group.path()).unwrap() {
            let value = serde_json::from_slice(&fs::read(file.unwrap().path()).unwrap()).unwrap();
            found.push((group.file_name().into_string().unwrap(), value));
        }
    }
    found
}

fn tokens(of: &Value) -> Tokens {
    let number = |path: &str| of.pointer(path).and_then(Value::as_u64).unwrap();
    Tokens {
        input: number("/tokens/input"),
        output: number("/tokens/output"),
        reasoning: number("/tokens/reasoning"),
        cache_read: number("/tokens/cache/read"),
        cache_write: number("/tokens/cache/write"),
    }
}

/// A cost in whole units of 1e-10 USD.
fn cost(of: &Value) -> u64 {
    (of["cost"].as_f64().unwrap() * 1e10).round() as u64
}

fn units(text: &str) -> u64 {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{decimals:0<10}").parse().unwrap()
}

#[derive(Default)]
struct Sum {
    messages: u64,
    cost: u64,
    tokens: Tokens,
    models: BTreeMap<(String, String), (u64, u64)>,
    tools: BTreeMap<String, u64>,
}

impl Sum {
    fn add(&mut self, cost: u64, tokens: Tokens) {
        self.cost += cost;
        self.tokens.input += tokens.input;
        self.tokens.output += tokens.output;
        self.tokens.reasoning += tokens.reasoning;
        self.tokens.cache_read += tokens.cache_read;
        self.tokens.cache_write += tokens.cache_write;
    }

    fn must_be(&self, totals: &Totals) {
        assert_eq!(self.messages, totals.messages);
        assert_eq!(self.cost, units(&totals.total_cost));
        assert_eq!(self.tokens, totals.tokens);
        let models: BTreeMap<_, _> = totals
            .models
            .iter()
            .map(|model| {
                ((model.provider.clone(), model.model.clone()), (model.messages, units(&model.cost)))
            })
            .collect();
        assert_eq!(self.models, models);
        let tools: BTreeMap<_, _> = totals.tools.iter().map(|tool| (tool.tool.clone(), tool.calls)).collect();
        assert_eq!(self.tools, tools);
    }
}

#[test]
fn the_manifest_is_what_a_naive_reader_counts() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { messages: 1_500, parts: 7_000, mean_part_bytes: 700, ..Settings::of(70, 11) };
    let manifest = generate(&settings, folder.path()).unwrap();
    let storage = folder.path().join("opencode/storage");
    let mut parts: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (message, part) in nested(&storage.join("part")) {
        parts.entry(message).or_default().push(part);
    }
    let (mut every, mut unique, mut copies) = (Sum::default(), Sum::default(), 0);
    for (_, message) in nested(&storage.join("message")) {
        let id = message["id"].as_str().unwrap();
        let minted = u64::from_str_radix(&id[4..16], 16).unwrap() >> 12;
        let created = message["time"]["created"].as_u64().unwrap() & ((1 << 36) - 1);
        let copy = (minted + (1 << 36) - created) % (1 << 36) > 1_000;
        copies += u64::from(copy);
        let parts = parts.get(id).map_or(&[][..], Vec::as_slice);
        for sum in [Some(&mut every), (!copy).then_some(&mut unique)].into_iter().flatten() {
            sum.messages += 1;
            for tool in parts.iter().filter_map(|part| part["tool"].as_str()) {
                *sum.tools.entry(tool.to_owned()).or_default() += 1;
            }
            let Some(model) = message["modelID"].as_str() else { continue };
            let provider = message["providerID"].as_str().unwrap().to_owned();
            let of_model = sum.models.entry((provider, model.to_owned())).or_default();
            of_model.0 += 1;
            of_model.1 += cost(&message);
        }
        if message["role"] != "assistant" {
            continue;
        }
        every.add(cost(&message), tokens(&message));
        if copy {
            continue;
        }
        let steps: Vec<&Value> = parts.iter().filter(|part| part["type"] == "step-finish").collect();
        if steps.is_empty() {
            unique.add(cost(&message), tokens(&message));
        }
        for step in steps {
            unique.add(cost(step), tokens(step));
        }
    }
    every.must_be(&manifest.opencode_way);
    unique.must_be(&manifest.deduplicated);
    assert!(copies > 0 && copies == manifest.fork_copies.messages);
    // The last step is not the sum of all, and some answers know their tokens only themselves.
    assert!(unique.tokens.output > every.tokens.output);
}
