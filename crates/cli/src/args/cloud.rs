//! The grammar of `cloud`.

use std::path::PathBuf;

use clap::Subcommand;

/// What to do with the bucket of `[cloud]`.
#[derive(Debug, Subcommand)]
pub(crate) enum CloudCommand {
    /// Try the whole set-up: credential, bucket, writing, reading back, taking away, listing
    Check,
    /// Copy a file there, and read it back to compare; nothing is overwritten
    Put {
        /// The file, such as a backup or a certificate
        file: PathBuf,
        /// What it is called there [default: the file's name]
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Say what would be copied, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Copy an object here; nothing is overwritten
    Get {
        /// What it is called there
        name: String,
        /// Where it goes
        file: PathBuf,
    },
    /// List what is there
    List {
        /// Only names that begin so
        #[arg(long, value_name = "PREFIX", default_value = "", hide_default_value = true)]
        prefix: String,
    },
    /// Take an object away, for good
    Delete {
        /// What it is called there
        name: String,
        /// Say what would be taken away, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
}
