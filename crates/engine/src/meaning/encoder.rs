//! The encoder: six layers of attention, and the average of what comes out.
//!
//! Owns the arithmetic of BERT (Devlin et al. 2018) for one text at a time, in 32-bit floats on the processor. Texts are
//! not padded, so no mask is needed.

use super::DIMENSIONS;
use super::tensors::Tensors;
use crate::error::EngineError;

const LAYERS: usize = 6;
const HEADS: usize = 12;
const WIDTH: usize = DIMENSIONS / HEADS;
const INNER: usize = 1_536;
const POSITIONS: usize = 512;
/// Added to a variance before its root is taken, from the model's `config.json`.
const EPSILON: f32 = 1e-12;

/// A matrix and what is added after it; a row for each output.
struct Linear {
    weight: Vec<f32>,
    bias: Vec<f32>,
    inputs: usize,
}

struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    attended: Linear,
    attended_norm: Norm,
    widened: Linear,
    narrowed: Linear,
    narrowed_norm: Norm,
}

/// The weights of the model.
pub(super) struct Encoder {
    words: Vec<f32>,
    positions: Vec<f32>,
    segment: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

impl Encoder {
    pub(super) fn load(bytes: &[u8], words: usize) -> Result<Self, EngineError> {
        let tensors = Tensors::parse(bytes)?;
        let linear = |name: &str, inputs: usize, outputs: usize| {
            Ok::<Linear, EngineError>(Linear {
                weight: tensors.take(&format!("{name}.weight"), &[outputs, inputs])?,
                bias: tensors.take(&format!("{name}.bias"), &[outputs])?,
                inputs,
            })
        };
        let norm = |name: &str| {
            Ok::<Norm, EngineError>(Norm {
                weight: tensors.take(&format!("{name}.weight"), &[DIMENSIONS])?,
                bias: tensors.take(&format!("{name}.bias"), &[DIMENSIONS])?,
            })
        };
        let square = |name: &str| linear(name, DIMENSIONS, DIMENSIONS);
        let layers = (0..LAYERS)
            .map(|at| {
                let of = |name: &str| format!("encoder.layer.{at}.{name}");
                Ok(Layer {
                    query: square(&of("attention.self.query"))?,
                    key: square(&of("attention.self.key"))?,
                    value: square(&of("attention.self.value"))?,
                    attended: square(&of("attention.output.dense"))?,
                    attended_norm: norm(&of("attention.output.LayerNorm"))?,
                    widened: linear(&of("intermediate.dense"), DIMENSIONS, INNER)?,
                    narrowed: linear(&of("output.dense"), INNER, DIMENSIONS)?,
                    narrowed_norm: norm(&of("output.LayerNorm"))?,
                })
            })
            .collect::<Result<_, EngineError>>()?;
        let mut segments = tensors.take("embeddings.token_type_embeddings.weight", &[2, DIMENSIONS])?;
        segments.truncate(DIMENSIONS);
        Ok(Self {
            words: tensors.take("embeddings.word_embeddings.weight", &[words, DIMENSIONS])?,
            positions: tensors.take("embeddings.position_embeddings.weight", &[POSITIONS, DIMENSIONS])?,
            segment: segments,
            norm: norm("embeddings.LayerNorm")?,
            layers,
        })
    }

    /// The vector of a text, by the numbers of its tokens.
    pub(super) fn embed(&self, tokens: &[u32]) -> Vec<f32> {
        let mut rows = Vec::with_capacity(tokens.len() * DIMENSIONS);
        for (at, token) in tokens.iter().enumerate() {
            let word = row(&self.words, *token as usize);
            let position = row(&self.positions, at);
            rows.extend((0..DIMENSIONS).map(|at| word[at] + position[at] + self.segment[at]));
        }
        self.norm.apply(&mut rows);
        for layer in &self.layers {
            layer.apply(&mut rows);
        }
        let mut vector = vec![0.0; DIMENSIONS];
        for token in rows.chunks_exact(DIMENSIONS) {
            for (sum, number) in vector.iter_mut().zip(token) {
                *sum += number;
            }
        }
        let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        vector.iter_mut().for_each(|number| *number /= length);
        vector
    }
}

fn row(matrix: &[f32], at: usize) -> &[f32] {
    &matrix[at * DIMENSIONS..(at + 1) * DIMENSIONS]
}

/// The inner product, in eight sums so that the processor may work on them side by side.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0_f32; 8];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

impl Linear {
    fn apply(&self, rows: &[f32]) -> Vec<f32> {
        let mut out = Vec::with_capacity(rows.len() / self.inputs * self.bias.len());
        for row in rows.chunks_exact(self.inputs) {
            let weights = self.weight.chunks_exact(self.inputs).zip(&self.bias);
            out.extend(weights.map(|(weight, bias)| dot(row, weight) + bias));
        }
        out
    }
}

impl Norm {
    fn apply(&self, rows: &mut [f32]) {
        for row in rows.chunks_exact_mut(DIMENSIONS) {
            let mean = row.iter().sum::<f32>() / DIMENSIONS as f32;
            let variance =
                row.iter().map(|number| (number - mean) * (number - mean)).sum::<f32>() / DIMENSIONS as f32;
            let scale = 1.0 / (variance + EPSILON).sqrt();
            for (number, (weight, bias)) in row.iter_mut().zip(self.weight.iter().zip(&self.bias)) {
                *number = (*number - mean) * scale * weight + bias;
            }
        }
    }
}

impl Layer {
    fn apply(&self, rows: &mut Vec<f32>) {
        let attended = self.attended.apply(&self.attention(rows));
        add(rows, &attended);
        self.attended_norm.apply(rows);
        let mut inner = self.widened.apply(rows);
        inner.iter_mut().for_each(|number| *number = gelu(*number));
        let narrowed = self.narrowed.apply(&inner);
        add(rows, &narrowed);
        self.narrowed_norm.apply(rows);
    }

    fn attention(&self, rows: &[f32]) -> Vec<f32> {
        let (queries, keys, values) = (self.query.apply(rows), self.key.apply(rows), self.value.apply(rows));
        let count = rows.len() / DIMENSIONS;
        let mut out = vec![0.0; rows.len()];
        let mut shares = vec![0.0; count];
        let scale = 1.0 / (WIDTH as f32).sqrt();
        for head in 0..HEADS {
            let part = |matrix: &'_ [f32], at: usize| -> std::ops::Range<usize> {
                let begin = at * DIMENSIONS + head * WIDTH;
                debug_assert!(begin + WIDTH <= matrix.len());
                begin..begin + WIDTH
            };
            for at in 0..count {
                let query = &queries[part(&queries, at)];
                for (other, share) in shares.iter_mut().enumerate() {
                    *share = dot(query, &keys[part(&keys, other)]) * scale;
                }
                let largest = shares.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                shares.iter_mut().for_each(|share| *share = (*share - largest).exp());
                let sum: f32 = shares.iter().sum();
                let target = part(&out, at);
                for (other, share) in shares.iter().enumerate() {
                    let value = &values[part(&values, other)];
                    for (number, value) in out[target.clone()].iter_mut().zip(value) {
                        *number += share / sum * value;
                    }
                }
            }
        }
        out
    }
}

fn add(rows: &mut [f32], other: &[f32]) {
    for (number, other) in rows.iter_mut().zip(other) {
        *number += other;
    }
}

/// `x` times the share of a normal distribution below `x`; the error function by Abramowitz and Stegun 7.1.26, exact
/// to 1.5e-7.
fn gelu(x: f32) -> f32 {
    let z = (x.abs() / std::f32::consts::SQRT_2).min(9.0);
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let sum =
        t * (0.254_829_6 + t * (-0.284_496_74 + t * (1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4))));
    let erf = 1.0 - sum * (-z * z).exp();
    0.5 * x * (1.0 + if x < 0.0 { -erf } else { erf })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_activation_is_that_of_the_tables() {
        for (x, expected) in [(0.0, 0.0), (1.0, 0.841_344_7), (-1.0, -0.158_655_3), (3.0, 2.995_950_3)] {
            assert!((gelu(x) - expected).abs() < 1e-6, "{x}: {}", gelu(x));
        }
    }

    #[test]
    fn inner_products_of_any_length() {
        for length in [0, 1, 7, 8, 9, 33] {
            let a: Vec<f32> = (0..length).map(|n| n as f32).collect();
            assert_eq!(dot(&a, &a), a.iter().map(|n| n * n).sum::<f32>());
        }
    }
}
