//! Asks a server by OpenFeature's own provider for Rust, and prints each answer as a line of JSON.

use open_feature::EvaluationContext;
use open_feature::provider::FeatureProvider as _;
use open_feature_ofrep::{OfrepOptions, OfrepProvider};

#[tokio::main]
async fn main() {
    let base_url = std::env::args().nth(1).expect("the server's address");
    let options = OfrepOptions { base_url, ..OfrepOptions::default() };
    let provider = OfrepProvider::new(options).await.expect("a provider");
    let me = EvaluationContext::default().with_targeting_key("user-1").with_custom_field("plan", "pro");
    let boolean = provider.resolve_bool_value("boolean", &me).await.expect("boolean");
    println!("{{\"boolean\": {}}}", boolean.value);
    let text = provider.resolve_string_value("text", &me).await.expect("text");
    println!("{{\"text\": {:?}, \"variant\": {:?}}}", text.value, text.variant.unwrap_or_default());
    let number = provider.resolve_int_value("number", &me).await.expect("number");
    println!("{{\"number\": {}}}", number.value);
    let object = provider.resolve_struct_value("object", &me).await.expect("object");
    println!("{{\"fields\": {}}}", object.value.fields.len());
    let missing = provider.resolve_bool_value("none", &me).await.expect_err("no such flag");
    println!("{{\"missing\": {:?}}}", format!("{:?}", missing.code));
    let mistyped = provider.resolve_bool_value("text", &me).await.expect_err("another type");
    println!("{{\"mistyped\": {:?}}}", format!("{:?}", mistyped.code));
    let mut halves = Vec::new();
    for key in 0..100 {
        let who = EvaluationContext::default().with_targeting_key(key.to_string());
        let half = provider.resolve_bool_value("half", &who).await.expect("half");
        halves.push(format!("\"{key}\": {}", half.value));
    }
    println!("{{{}}}", halves.join(", "));
}
