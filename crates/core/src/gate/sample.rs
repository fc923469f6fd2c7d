//! How much sample a judgement needs.
//!
//! Owns two figures: what is missing to a least sample, and how many trials tell a rate from a multiple of it. The
//! second is the usual normal approximation for a proportion against a known one, one-sided at 5 % with 80 % power
//! (quantiles 1.6449 and 0.8416).

const Z_ALPHA: f64 = 1.644_853_626_951;
const Z_BETA: f64 = 0.841_621_233_573;

/// How much more sample is needed to reach the least.
pub fn missing(least: u64, found: Option<u64>) -> u64 {
    least.saturating_sub(found.unwrap_or(0))
}

/// How many trials it takes to see that a rate is `factor` times `base`, rather than `base`. `None` where the question
/// makes no sense: rates outside 0 to 1, or a factor that changes nothing.
pub fn needed_to_see(base: f64, factor: f64) -> Option<u64> {
    let other = base * factor;
    let sensible =
        base > 0.0 && base < 1.0 && other > 0.0 && other < 1.0 && (other - base).abs() > f64::EPSILON;
    if !sensible {
        return None;
    }
    let spread = |rate: f64| (rate * (1.0 - rate)).sqrt();
    let needed = ((Z_ALPHA * spread(base) + Z_BETA * spread(other)) / (other - base)).powi(2).ceil();
    // At most about 1e15 for sensible rates; the cast cannot be wrong below 2^53.
    (needed.is_finite() && needed < 9e15).then_some(needed as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_is_never_negative() {
        assert_eq!(missing(500, Some(88)), 412);
        assert_eq!(missing(500, Some(500)), 0);
        assert_eq!(missing(500, Some(900)), 0);
        assert_eq!(missing(500, None), 500);
    }

    /// The values of the same formula worked out by hand: base 1 %, twice that.
    #[test]
    fn a_doubled_error_rate_needs_so_many_requests() {
        let by_hand = ((1.644_854 * 0.01_f64.mul_add(0.99, 0.0).sqrt()
            + 0.841_621 * 0.02_f64.mul_add(0.98, 0.0).sqrt())
            / 0.01)
            .powi(2)
            .ceil() as u64;
        assert_eq!(needed_to_see(0.01, 2.0), Some(by_hand));
        assert!(needed_to_see(0.01, 4.0) < needed_to_see(0.01, 2.0), "a larger change is seen sooner");
        assert_eq!(needed_to_see(0.0, 2.0), None);
        assert_eq!(needed_to_see(0.6, 2.0), None);
        assert_eq!(needed_to_see(0.1, 1.0), None);
    }
}
