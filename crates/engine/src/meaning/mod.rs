//! Search by meaning: texts as vectors of a local sentence model (OC-57). Opt-in: built with the feature `meaning` only.
//!
//! Owns the model - tokens, encoder, weights - and the index of vectors in the store. It loads weights from a folder that
//! a person names and never fetches anything; no text leaves the machine.
//!
//! The model is all-MiniLM-L6-v2 (Apache-2.0): a BERT of six layers, whose token vectors are averaged and scaled to
//! length one. The layout is that of its `config.json`; other sizes are refused.
//!
//! Invariant: the same text gives the same vector, whatever other texts were embedded before.

mod encoder;
mod index;
mod tensors;
mod tokens;

use std::fs;
use std::path::Path;

pub use index::{Hit, IndexReport, fill, search};

use crate::error::EngineError;
use encoder::Encoder;
use tokens::Vocabulary;

/// Numbers in a vector.
pub const DIMENSIONS: usize = 384;
/// Longer texts are cut after so many tokens, as the model's makers do.
const LONGEST: usize = 256;
/// What vectors of this model are stored under.
pub const MODEL: &str = "all-MiniLM-L6-v2";

/// A loaded model.
pub struct Model {
    vocabulary: Vocabulary,
    encoder: Encoder,
}

impl Model {
    /// Loads `vocab.txt` and `model.safetensors` from a folder.
    ///
    /// # Errors
    /// Usage, when a file is missing or is not that model's.
    pub fn load(folder: &Path) -> Result<Self, EngineError> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read(&path).map_err(|error| {
                EngineError::usage(format!(
                    "{}: {error}\nhint: the folder holds the model all-MiniLM-L6-v2; cargo xtask fetch-model",
                    path.display()
                ))
            })
        };
        let words = String::from_utf8(read("vocab.txt")?)
            .map_err(|_| EngineError::usage("vocab.txt is not UTF-8"))?;
        let vocabulary = Vocabulary::parse(&words)?;
        let encoder = Encoder::load(&read("model.safetensors")?, vocabulary.len())?;
        Ok(Self { vocabulary, encoder })
    }

    /// The vector of a text; its length is one.
    pub fn embed(&self, text: &str) -> Vec<f32> {
        self.encoder.embed(&self.vocabulary.encode(text, LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The model, where `cargo xtask fetch-model` put it.
    fn model() -> Option<Model> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/models").join(MODEL);
        if folder.is_dir() {
            return Some(Model::load(&folder).unwrap());
        }
        println!("skipped: the model is not at hand; cargo xtask fetch-model");
        None
    }

    /// Computed with another tokenizer and another implementation of the encoder (numpy).
    #[test]
    fn tokens_and_vectors_are_those_of_another_implementation() {
        let Some(model) = model() else { return };
        for (text, tokens, begin) in [
            (
                "How do I undo a migration?",
                &[101, 2129, 2079, 1045, 25672, 1037, 9230, 1029, 102][..],
                [0.02006, -0.01226, 0.03358, -0.00254],
            ),
            (
                "Café déjà-vu: naïve strings, 東京 & 42%",
                &[
                    101, 7668, 2139, 3900, 1011, 24728, 1024, 15743, 7817, 1010, 1879, 1755, 1004, 4413,
                    1003, 102,
                ],
                [0.09787, -0.00378, 0.0713, -0.02408],
            ),
            (
                "fn unwrap_or_else() -> Result<(), E> {}",
                &[
                    101, 1042, 2078, 4895, 13088, 9331, 1035, 2030, 1035, 2842, 1006, 1007, 1011, 1028, 2765,
                    1026, 1006, 1007, 1010, 1041, 1028, 1063, 1065, 102,
                ],
                [-0.06303, 0.1189, 0.06443, -0.00482],
            ),
        ] {
            assert_eq!(model.vocabulary.encode(text, LONGEST), tokens, "{text}");
            let vector = model.embed(text);
            for (found, expected) in vector.iter().zip(begin) {
                assert!((found - expected).abs() < 2e-5, "{text}: {found} for {expected}");
            }
            let length: f32 = vector.iter().map(|number| number * number).sum();
            assert!((length - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn a_text_of_the_same_meaning_is_nearer_than_others() {
        let Some(model) = model() else { return };
        let near =
            |a: &str, b: &str| -> f32 { model.embed(a).iter().zip(model.embed(b)).map(|(a, b)| a * b).sum() };
        let asked = "How do I undo a migration?";
        let same = near(asked, "Roll the database change back");
        assert!((same - 0.46557).abs() < 1e-3, "{same}");
        assert!(near(asked, "The weather is nice today") < 0.1);
        // A text longer than the model takes is cut, not refused.
        assert_eq!(model.embed(&"word ".repeat(5_000)).len(), DIMENSIONS);
        assert_eq!(model.embed("").len(), DIMENSIONS);
    }
}
