//! flagd's `fractional`: shares of a computed bucket.
//!
//! Owns what is hashed and which buckets belong to which share. A share is a range of buckets of one computed field,
//! so that a rule, and a comparison of a share with a name, are constraints like any other.

use plimsoll_core::flag::bucket::BucketField;
use plimsoll_core::flag::{Algorithm, Constraint, Operator};
use serde_json::Value as Json;

use super::logic::Scope;

/// The shares of one `fractional`.
pub(super) struct Shares {
    /// The computed field, as a constraint names it.
    field: String,
    /// Name and weight, in the order of their buckets.
    weighted: Vec<(String, i64)>,
}

impl Shares {
    /// The shares that have a bucket, and what holds for those who are in them.
    pub(super) fn ranges(&self) -> Vec<(&str, Vec<Constraint>)> {
        let mut low = 0;
        let mut ranges = Vec::new();
        for (name, weight) in self.weighted.iter().filter(|(_, weight)| *weight > 0) {
            let high = low + weight;
            let mut range = Vec::new();
            if low > 0 {
                range.push(Constraint::than(&self.field, Operator::NumGte, low.to_string()));
            }
            range.push(Constraint::than(&self.field, Operator::NumLt, high.to_string()));
            ranges.push((name.as_str(), range));
            low = high;
        }
        ranges
    }
}

impl Scope<'_> {
    /// The shares of a `fractional` with these arguments.
    pub(super) fn shares(&self, arguments: &[Json]) -> Result<Shares, String> {
        let is_share =
            |value: &Json| value.as_array().is_some_and(|share| share.first().is_some_and(Json::is_string));
        let (by, shares) = match arguments {
            [first, rest @ ..] if !is_share(first) => (Some(first), rest),
            all => (None, all),
        };
        let (key, salt) = self.bucket_by(by)?;
        let mut weighted = Vec::new();
        for share in shares {
            let Some([name, rest @ ..]) = share.as_array().map(Vec::as_slice) else {
                return Err(format!("the share {share}"));
            };
            let name = name.as_str().ok_or_else(|| format!("the share {share}"))?;
            let weight = match rest {
                [] => 1,
                [weight] => weight.as_i64().ok_or_else(|| format!("the weight {weight}"))?.max(0),
                _ => return Err(format!("the share {share}")),
            };
            weighted.push((name.to_owned(), weight));
        }
        let total: i64 = weighted.iter().map(|(_, weight)| *weight).sum();
        let Some(buckets) = u32::try_from(total).ok().filter(|total| *total > 0) else {
            return Err("a `fractional` of no weight".to_owned());
        };
        let field = BucketField { algorithm: self.algorithm, buckets, key, salt }.name();
        Ok(Shares { field, weighted })
    }

    /// What is hashed: the flag's key with the targeting key, a field alone, or the flag's key joined with a field.
    fn bucket_by(&self, by: Option<&Json>) -> Result<(String, String), String> {
        let Some(by) = by else { return Ok(("userId".to_owned(), self.flag.to_owned())) };
        let text = |joined: &str| {
            if self.algorithm == Algorithm::Flagd3 { format!("text:{joined}") } else { joined.to_owned() }
        };
        if let Some(field) = self.field(by) {
            return Ok((field, text("")));
        }
        if let Some([first, second]) = by.get("cat").and_then(Json::as_array).map(Vec::as_slice)
            && let Some(field) = self.field(second)
        {
            let prefix = match self.field(first).as_deref() {
                Some("$flagd.flagKey") => Some(self.flag),
                Some(_) => None,
                None => first.as_str(),
            };
            if let Some(prefix) = prefix {
                return Ok((field, text(prefix)));
            }
        }
        Err(format!("`fractional` by {by}"))
    }
}
