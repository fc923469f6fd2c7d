//! Set IDs: `SP0222`, `MR0017-LH`.
//!
//! Owns how they are written and read. There is one way to write each, so two spellings never pass for two IDs.

use crate::rules::Refused;

/// A set ID, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetId {
    /// The category's prefix.
    pub prefix: String,
    /// The number, from 1.
    pub number: i64,
    /// Left-handed.
    pub left: bool,
}

impl std::fmt::Display for SetId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{:04}{}", self.prefix, self.number, if self.left { "-LH" } else { "" })
    }
}

impl SetId {
    /// Reads an ID as a person types it: case and outer blanks do not matter, everything else does.
    ///
    /// # Errors
    /// Rule `set_id.form`, saying how it should be.
    pub fn read(typed: &str) -> Result<Self, Refused> {
        let upper = typed.trim().to_ascii_uppercase();
        let (body, left) = upper.strip_suffix("-LH").map_or((upper.as_str(), false), |body| (body, true));
        let digits = body.bytes().rev().take_while(u8::is_ascii_digit).count();
        let (prefix, number) = body.split_at(body.len() - digits);
        let wrong = |hint: &str| Refused::new("set_id.form", format!("`{typed}` is no set ID: {hint}"));
        if prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(wrong("it begins with the letters of a category, such as SP0222"));
        }
        let parsed = number.parse::<i64>().ok().filter(|number| *number > 0);
        let Some(parsed) = parsed else {
            return Err(wrong("it ends with a number of at least four digits, such as SP0222"));
        };
        let id = Self { prefix: prefix.to_owned(), number: parsed, left };
        if id.to_string() != upper {
            return Err(wrong(&format!("it is written {id}")));
        }
        Ok(id)
    }
}
