//! Rollback certificates: what was carried back, and whether it equals what it should.
//!
//! Owns the content of a certificate, its canonical bytes, its digest, its signature and its printed form. It measures
//! nothing: counts, digests and the oracle's digests are the engine's, taken while nobody could write.
//!
//! The canonical bytes are JSON without spaces, members in the order of their declaration here, no floats. A signed
//! certificate is one such document; one that is not byte for byte canonical is refused, so that no byte of it can be
//! changed. The signature is BLAKE3 in keyed mode over the certificate's canonical bytes, under a key that is derived from
//! the caller's secret for this purpose alone. Who holds the secret can sign: it proves that the holder of the secret
//! issued it, to others who hold it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::cutover::{Forced, Said};
use crate::digest::TableDigest;

/// The form of the certificate. A form that says something else gets another name.
pub const FORM: &str = "plimsoll-rollback-1";

/// What the derived key is for; part of the form.
const KEY_PURPOSE: &str = "plimsoll 2026 rollback certificate plimsoll-rollback-1";

/// Who was rolled back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Scope {
    /// One customer.
    Customer(String),
    /// A cohort.
    Cohort {
        /// Its name.
        name: String,
        /// Its members who were rolled back, sorted.
        customers: Vec<String>,
    },
}

/// What moved in one table of the legacy side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows deleted.
    pub deleted: u64,
    /// The table's rows of the scope before the rollback.
    pub before: TableDigest,
    /// The same afterwards.
    pub after: TableDigest,
    /// What the oracle, which computes it on its own from both sides' rows, says that it must be.
    pub oracle: TableDigest,
}

impl Moved {
    /// Whether the rows are what the oracle says.
    pub fn is_equal(&self) -> bool {
        self.after == self.oracle
    }
}

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// [`FORM`].
    pub form: String,
    /// Who was rolled back.
    pub scope: Scope,
    /// By whom, and why.
    pub by: Said,
    /// When it began (RFC 3339, UTC).
    pub began_at: String,
    /// When the legacy side was opened again.
    pub ended_at: String,
    /// The legacy side's fencing epoch from then on; of a cohort, the highest.
    pub epoch: u64,
    /// The legacy position after it was closed.
    pub legacy_position: u64,
    /// The new side's position after it was closed: everything up to it was carried back.
    pub new_position: u64,
    /// The tables.
    pub tables: Vec<Moved>,
    /// The steps that were forced, with what was named as lost at most.
    pub forced: Vec<Forced>,
}

impl Certificate {
    /// Whether every table equals the oracle's and no step was forced.
    pub fn is_whole(&self) -> bool {
        !self.tables.is_empty() && self.forced.is_empty() && self.tables.iter().all(Moved::is_equal)
    }

    /// The most writes that may be lost, by what was named when steps were forced.
    pub fn loss_bound(&self) -> u64 {
        self.forced.iter().map(|forced| forced.loss.writes).fold(0, u64::saturating_add)
    }

    /// The canonical bytes.
    ///
    /// # Errors
    /// [`CertificateError::Form`] when it cannot be written, which no certificate of this form does.
    pub fn canonical(&self) -> Result<Vec<u8>, CertificateError> {
        serde_json::to_vec(self).map_err(|error| CertificateError::Form(error.to_string()))
    }

    /// Signs it under a secret of the caller's, named `key_id`.
    ///
    /// # Errors
    /// [`CertificateError::ShortSecret`] for a secret of less than 32 bytes.
    pub fn sign(self, key_id: &str, secret: &[u8]) -> Result<Signed, CertificateError> {
        let bytes = self.canonical()?;
        let key = key(secret)?;
        Ok(Signed {
            digest: blake3::hash(&bytes).to_hex().to_string(),
            signature: signature(&key, key_id, &bytes).to_hex().to_string(),
            key_id: key_id.to_owned(),
            certificate: self,
        })
    }
}

/// A certificate with its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// What is signed.
    pub certificate: Certificate,
    /// BLAKE3 of its canonical bytes, hexadecimal.
    pub digest: String,
    /// Which secret.
    pub key_id: String,
    /// The signature, hexadecimal.
    pub signature: String,
}

/// Why a certificate is not what it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It does not read as one.
    #[error(
        "this is no rollback certificate: {0}\nhint: take the file as it was issued, not a copy that was formatted anew"
    )]
    Form(String),
    /// The digest is another.
    #[error(
        "the certificate's content does not have the digest that it names\nhint: it was changed; ask for the one that was issued"
    )]
    Digest,
    /// The signature is another.
    #[error(
        "the signature is not one of the key `{0}` for this content\nhint: it was changed, or the secret is another one; check which secret has this name"
    )]
    Signature(String),
    /// The secret is too short.
    #[error(
        "the secret has {0} bytes and needs 32\nhint: make one with a random generator, and keep it in a file"
    )]
    ShortSecret(usize),
}

impl Signed {
    /// The document.
    ///
    /// # Errors
    /// As [`Certificate::canonical`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, CertificateError> {
        serde_json::to_vec(self).map_err(|error| CertificateError::Form(error.to_string()))
    }

    /// Reads a document and verifies it.
    ///
    /// # Errors
    /// [`CertificateError`] when a byte of it is not as it was issued, or the secret is another one.
    pub fn verify(document: &[u8], secret: &[u8]) -> Result<Self, CertificateError> {
        let signed: Self =
            serde_json::from_slice(document).map_err(|error| CertificateError::Form(error.to_string()))?;
        if signed.to_bytes()? != document {
            return Err(CertificateError::Form("its bytes are not canonical".into()));
        }
        if signed.certificate.form != FORM {
            return Err(CertificateError::Form(format!("its form is `{}`", signed.certificate.form)));
        }
        let bytes = signed.certificate.canonical()?;
        if blake3::hash(&bytes).to_hex().as_str() != signed.digest {
            return Err(CertificateError::Digest);
        }
        let expected = signature(&key(secret)?, &signed.key_id, &bytes);
        // Hashes compare in constant time. Reading hexadecimal would take capitals too: they are another byte.
        let canonical = |issued: &blake3::Hash| issued.to_hex().as_str() == signed.signature;
        match blake3::Hash::from_hex(&signed.signature).ok().filter(canonical) {
            Some(issued) if issued == expected => Ok(signed),
            _ => Err(CertificateError::Signature(signed.key_id)),
        }
    }

    /// For people: Markdown, with all that is signed and the signature.
    pub fn to_markdown(&self) -> String {
        let certificate = &self.certificate;
        let mut text = String::from("# Rollback certificate\n\n");
        let verdict = if certificate.is_whole() {
            "Every table equals the oracle's; nothing was lost.".to_owned()
        } else {
            let differing = certificate.tables.iter().filter(|table| !table.is_equal()).count();
            let (forced, loss) = (certificate.forced.len(), certificate.loss_bound());
            format!(
                "**Not whole**: {differing} tables differ from the oracle's, {forced} steps were forced, at most {loss} writes may be lost."
            )
        };
        let who = match &certificate.scope {
            Scope::Customer(id) => format!("customer `{}`", plain(id)),
            Scope::Cohort { name, customers } => {
                let ids =
                    customers.iter().map(|id| format!("`{}`", plain(id))).collect::<Vec<_>>().join(", ");
                format!("cohort `{}`, {} customers: {ids}", plain(name), customers.len())
            }
        };
        // Writing to a text never fails.
        let _ = write!(
            text,
            "{verdict}\n\n- Rolled back: {who}\n- By: {}, because: {}\n- From {} to {}\n- Epoch {}; positions: legacy {}, new {}\n\n\
             | table | inserted | updated | deleted | rows before | rows after | digest after | oracle |\n\
             |---|---|---|---|---|---|---|---|\n",
            plain(&certificate.by.actor),
            plain(&certificate.by.reason),
            plain(&certificate.began_at),
            plain(&certificate.ended_at),
            certificate.epoch,
            certificate.legacy_position,
            certificate.new_position,
        );
        for table in &certificate.tables {
            let equal = if table.is_equal() {
                "equal".to_owned()
            } else {
                format!("`{}`", plain(&table.oracle.digest))
            };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | `{}` | {equal} |",
                plain(&table.after.table),
                table.inserted,
                table.updated,
                table.deleted,
                table.before.rows,
                table.after.rows,
                plain(&table.after.digest),
            );
        }
        for forced in &certificate.forced {
            let _ = write!(
                text,
                "\nForced in {} by {} ({}): at most {} writes lost, {}; missing: {}.\n",
                forced.stage,
                plain(&forced.by.actor),
                plain(&forced.by.reason),
                forced.loss.writes,
                plain(&forced.loss.what),
                plain(&forced.missing.join("; ")),
            );
        }
        let _ = write!(
            text,
            "\nDigest `{}`\nSignature `{}` (key `{}`, {})\n",
            self.digest,
            self.signature,
            plain(&self.key_id),
            FORM
        );
        text
    }
}

/// One line, without what would end a cell or a code span.
fn plain(text: &str) -> String {
    text.chars().map(|one| if one.is_control() || one == '|' || one == '`' { ' ' } else { one }).collect()
}

fn key(secret: &[u8]) -> Result<[u8; 32], CertificateError> {
    if secret.len() < 32 {
        return Err(CertificateError::ShortSecret(secret.len()));
    }
    Ok(blake3::derive_key(KEY_PURPOSE, secret))
}

/// Covers the key's name too, so that it cannot be changed.
fn signature(key: &[u8; 32], key_id: &str, bytes: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(&(key_id.len() as u64).to_le_bytes()).update(key_id.as_bytes()).update(bytes);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::super::cutover::{LossBound, Stage};
    use super::*;

    const SECRET: &[u8] = b"a secret of thirty-two bytes or more";

    fn certificate() -> Certificate {
        let digest =
            |rows: u64, digest: &str| TableDigest { table: "clients".into(), rows, digest: digest.repeat(8) };
        Certificate {
            form: FORM.into(),
            scope: Scope::Cohort { name: "pilot".into(), customers: vec!["C1".into(), "C2".into()] },
            by: Said { actor: "林小姐".into(), reason: "parity | alarm".into() },
            began_at: "2026-11-29T03:00:00.000Z".into(),
            ended_at: "2026-11-29T03:00:04.000Z".into(),
            epoch: 3,
            legacy_position: 17,
            new_position: 5,
            tables: vec![Moved {
                inserted: 1,
                updated: 2,
                deleted: 0,
                before: digest(2, "aa"),
                after: digest(3, "bb"),
                oracle: digest(3, "bb"),
            }],
            forced: Vec::new(),
        }
    }

    #[test]
    fn any_changed_byte_fails() {
        let document = certificate().sign("pilot-2026", SECRET).unwrap().to_bytes().unwrap();
        assert_eq!(Signed::verify(&document, SECRET).unwrap().certificate, certificate());
        for at in 0..document.len() {
            for bit in 0..8 {
                let mut changed = document.clone();
                changed[at] ^= 1 << bit;
                assert!(Signed::verify(&changed, SECRET).is_err(), "byte {at}, bit {bit}");
            }
            let mut shorter = document.clone();
            shorter.remove(at);
            assert!(Signed::verify(&shorter, SECRET).is_err(), "without byte {at}");
            let mut longer = document.clone();
            longer.insert(at, b' ');
            assert!(Signed::verify(&longer, SECRET).is_err(), "a space at {at}");
        }
    }

    #[test]
    fn who_does_not_hold_the_secret_cannot_sign() {
        let forged = certificate().sign("pilot-2026", b"another secret of thirty-two bytes!!").unwrap();
        let error = Signed::verify(&forged.to_bytes().unwrap(), SECRET).unwrap_err();
        assert_eq!(error, CertificateError::Signature("pilot-2026".into()));
        assert_eq!(certificate().sign("x", b"short"), Err(CertificateError::ShortSecret(5)));
        assert_eq!(
            Signed::verify(&forged.to_bytes().unwrap(), b"short"),
            Err(CertificateError::ShortSecret(5))
        );
    }

    #[test]
    fn whole_is_equal_and_unforced_and_the_print_says_so() {
        let text = certificate().sign("pilot-2026", SECRET).unwrap().to_markdown();
        assert!(
            text.contains("Every table equals") && text.contains("林小姐, because: parity   alarm"),
            "{text}"
        );
        assert!(text.contains("| clients | 1 | 2 | 0 | 2 | 3 | `bb"), "{text}");
        let mut other = certificate();
        other.tables[0].oracle.rows = 4;
        assert!(!other.is_whole());
        let mut forced = certificate();
        forced.forced.push(Forced {
            stage: Stage::GoingBack,
            missing: vec!["4 changes are not carried over".into()],
            known: 4,
            loss: LossBound { writes: 4, what: "orders of the last minute".into() },
            by: forced.by.clone(),
            at_ms: 1,
        });
        assert!(!forced.is_whole());
        let text = forced.sign("k", SECRET).unwrap().to_markdown();
        assert!(
            text.contains("**Not whole**")
                && text.contains("at most 4 writes lost, orders of the last minute")
        );
        let empty = Certificate { tables: Vec::new(), ..certificate() };
        assert!(!empty.is_whole(), "a certificate about nothing proves nothing");
    }
}
