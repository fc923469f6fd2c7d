//! The grammar of `plimsoll flag`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What to do with flags.
#[derive(Debug, Subcommand)]
pub(crate) enum FlagCommand {
    /// List the flags
    List {
        /// Deleted ones too
        #[arg(long)]
        archived: bool,
    },
    /// Show one flag: who gets it, its members where the keys are known, and what is wrong with it
    Show {
        /// The flag
        name: String,
        /// List the members
        #[arg(long)]
        members: bool,
    },
    /// Create a flag; it is off
    Create(CreateArguments),
    /// Change a flag
    Set(Box<SetArguments>),
    /// Put keys on the allow list: they get it whatever the percentage
    Allow(ListArguments),
    /// Put keys on the deny list: they do not get it, whatever else says so
    Deny(ListArguments),
    /// Turn a flag off for everybody, until it is set on again
    Kill {
        /// The flag
        name: String,
        #[command(flatten)]
        how: HowArguments,
    },
    /// Tell who gets a flag and why, now or at a past time
    Explain {
        /// The flag
        name: String,
        /// Who asks
        #[arg(long)]
        key: Option<String>,
        /// A further field of the context
        #[arg(long = "with", value_name = "FIELD=VALUE", value_parser = crate::args::assignment)]
        fields: Vec<(String, String)>,
        /// At this time instead of now: 14:03, 2026-11-28T14:03, RFC 3339; without a zone it is UTC
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
    },
    /// Show every change of a flag, with who, why, and what it did to the members
    History {
        /// The flag
        name: String,
    },
    /// Give a flag another name; nobody moves
    Rename {
        /// The flag
        name: String,
        /// Its new name
        new: String,
        #[command(flatten)]
        how: HowArguments,
    },
    /// Delete a flag; it is kept for its history, and can be brought back
    Delete {
        /// The flag
        name: String,
        #[command(flatten)]
        how: HowArguments,
    },
    /// Take over the flags of an Unleash document or a flagd definition, all or nothing
    Import {
        /// The file
        file: PathBuf,
        /// What it is [default: told by what is in it]
        #[arg(long)]
        format: Option<Format>,
        /// The generation of flagd whose members are kept
        #[arg(long, default_value = "flagd-3")]
        algorithm: AlgorithmName,
        #[command(flatten)]
        how: HowArguments,
    },
    /// Write all flags as an Unleash document or a flagd definition; what the other side cannot say is named
    Export {
        /// As what
        #[arg(long, default_value = "flagd")]
        format: Format,
        /// Into this file [default: standard output]
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Judge the triggers of all flags that are on against measures, and do what those that fire say
    ///
    /// Measures come from the metrics and checks that the triggers name. A trigger that fires, or that cannot be
    /// judged, raises an incident; one that is quiet resolves it.
    ///
    /// Exit codes: 0 all are quiet; 3 one fired, or could not be judged.
    Triggers {
        /// A measured value instead of the one that the trigger names, and after a colon on how many observations it
        /// rests; repeat for more
        #[arg(long = "measure", value_name = "NAME=VALUE[:SAMPLE]", value_parser = crate::args::assignment)]
        measures: Vec<(String, String)>,
        /// Say what would happen, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Add a segment - conditions that flags share - or change it; without conditions, list the segments
    Segment {
        /// Its number, by which flags name it
        number: Option<i32>,
        /// Its name
        #[arg(long, default_value = "")]
        name: String,
        /// A condition, such as region=north,south or age>=18; all must hold
        #[arg(long = "where", value_name = "CONDITION")]
        conditions: Vec<String>,
        /// Take it away
        #[arg(long, conflicts_with = "conditions")]
        remove: bool,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
        /// Say what would happen, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// How a change is made.
#[derive(Debug, Clone, Args)]
pub(crate) struct HowArguments {
    /// Why
    #[arg(long)]
    pub(crate) reason: String,
    /// Say what would happen, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Swap members of a live pilot
    #[arg(long)]
    pub(crate) override_swap: bool,
}

/// What there is to say about a flag that decides nothing.
#[derive(Debug, Clone, Args)]
pub(crate) struct AboutArguments {
    /// What it is for
    #[arg(long)]
    pub(crate) description: Option<String>,
    /// Who answers for it
    #[arg(long)]
    pub(crate) owner: Option<String>,
    /// What sort of flag it is: release, experiment, operational, kill-switch, permission
    #[arg(long)]
    pub(crate) purpose: Option<String>,
    /// When it should be gone from the code; reported when the date has passed
    #[arg(long, value_name = "TIME")]
    pub(crate) expires: Option<String>,
}

/// Arguments of `flag create`.
#[derive(Debug, Args)]
pub(crate) struct CreateArguments {
    /// The flag
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) about: AboutArguments,
    /// The context field that says who asks [default: userId, which is OFREP's targetingKey]
    #[arg(long, value_name = "FIELD")]
    pub(crate) key: Option<String>,
    #[command(flatten)]
    pub(crate) how: HowArguments,
}

/// Whose document it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A flagd definition
    Flagd,
    /// What Unleash serves to its clients
    Unleash,
}

/// How keys are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AlgorithmName {
    /// As Unleash does; whole percent
    #[value(name = "unleash-1")]
    Unleash1,
    /// Hundredths of a percent
    #[value(name = "plimsoll-1")]
    Plimsoll1,
    /// Exactly so many of the known keys
    #[value(name = "quota-1")]
    Quota1,
    /// As flagd did until March 2026
    #[value(name = "flagd-1")]
    Flagd1,
    /// As flagd did until October 2026
    #[value(name = "flagd-2")]
    Flagd2,
    /// As flagd does
    #[value(name = "flagd-3")]
    Flagd3,
}

/// Arguments of `flag set`.
#[derive(Debug, Args)]
pub(crate) struct SetArguments {
    /// The flag
    pub(crate) name: String,
    /// Turn it on
    #[arg(long, conflicts_with = "off")]
    pub(crate) on: bool,
    /// Turn it off
    #[arg(long)]
    pub(crate) off: bool,
    /// The percentage that gets it; turns it on, unless it was killed
    #[arg(long, value_name = "P")]
    pub(crate) percent: Option<plimsoll_core::flag::Percent>,
    /// Without a percentage: everybody gets it once it is on, or those whom the rules match
    #[arg(long, conflicts_with_all = ["percent", "stages", "algorithm", "salt"])]
    pub(crate) everybody: bool,
    /// How keys are hashed
    #[arg(long)]
    pub(crate) algorithm: Option<AlgorithmName>,
    /// What keys are hashed with; flags with the same salt have the same members
    #[arg(long)]
    pub(crate) salt: Option<String>,
    /// A later percentage; repeat for more. They replace the schedule
    #[arg(long = "stage", value_name = "TIME=P", value_parser = crate::args::assignment)]
    pub(crate) stages: Vec<(String, String)>,
    /// Take the schedule away
    #[arg(long, conflicts_with = "stages")]
    pub(crate) no_stages: bool,
    /// The percentage is of those who keep this condition, such as region=north,south or age>=18; repeat for more. They
    /// replace the conditions
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) conditions: Vec<String>,
    /// The percentage is of those within this segment; repeat for more. They replace the segments
    #[arg(long = "segment", value_name = "NUMBER")]
    pub(crate) segments: Vec<i32>,
    /// Take the conditions and segments away
    #[arg(long, conflicts_with_all = ["conditions", "segments"])]
    pub(crate) anywhere: bool,
    /// A rule: all who keep these conditions get it, separated by `&`, such as `plan=pro & age>=18`; repeat for more. They
    /// replace the rules
    #[arg(long = "rule", value_name = "CONDITIONS")]
    pub(crate) rules: Vec<String>,
    /// Take the rules away
    #[arg(long, conflicts_with = "rules")]
    pub(crate) no_rules: bool,
    /// A variant with its weight and, after a colon, its value as JSON or text; repeat for more. They replace the variants
    #[arg(long = "variant", value_name = "NAME=WEIGHT[:VALUE]", value_parser = crate::args::assignment)]
    pub(crate) variants: Vec<(String, String)>,
    /// Take the variants away
    #[arg(long, conflicts_with = "variants")]
    pub(crate) no_variants: bool,
    /// The variant of those whom nothing matches; empty for none
    #[arg(long, value_name = "NAME")]
    pub(crate) default_variant: Option<String>,
    /// A flag that must be on; with `!` before its name, off. Repeat for more. They replace the prerequisites
    #[arg(long = "requires", value_name = "FLAG")]
    pub(crate) requires: Vec<String>,
    /// Take the prerequisites away
    #[arg(long, conflicts_with = "requires")]
    pub(crate) no_requires: bool,
    /// A file with every key there is, one a line: members are then known one by one
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
    /// A trigger: when this CEL expression over measures is true, the flag is killed or turned down
    #[arg(long = "trigger", value_name = "NAME=EXPRESSION", value_parser = crate::args::assignment)]
    pub(crate) triggers: Vec<(String, String)>,
    /// Triggers turn the flag down to this percentage instead of killing it
    #[arg(long, value_name = "P", requires = "triggers")]
    pub(crate) trigger_percent: Option<plimsoll_core::flag::Percent>,
    /// Where a measure of the triggers comes from: `metric SELECTOR`, `metric SELECTOR of SELECTOR` (the second counts its
    /// observations), or `check SYSTEM CHECK`; repeat for more
    #[arg(long = "measure", value_name = "NAME=SOURCE", value_parser = crate::args::assignment, requires = "triggers")]
    pub(crate) measures: Vec<(String, String)>,
    /// Triggers judge nothing on a smaller sample
    #[arg(long, value_name = "N", default_value_t = 0, requires = "triggers")]
    pub(crate) minimum_sample: u64,
    /// Take the triggers away
    #[arg(long, conflicts_with = "triggers")]
    pub(crate) no_triggers: bool,
    #[command(flatten)]
    pub(crate) about: AboutArguments,
    /// The context field that says who asks
    #[arg(long, value_name = "FIELD")]
    pub(crate) key: Option<String>,
    /// Bring an earlier version back, name and life included
    #[arg(long, value_name = "N")]
    pub(crate) to_version: Option<i64>,
    #[command(flatten)]
    pub(crate) how: HowArguments,
}

/// Arguments of `flag allow` and `flag deny`.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// The flag
    pub(crate) name: String,
    /// Who
    #[arg(required = true, value_name = "KEY")]
    pub(crate) keys: Vec<String>,
    /// Take them off the list
    #[arg(long)]
    pub(crate) remove: bool,
    /// The variant that they get (allow list)
    #[arg(long, value_name = "NAME")]
    pub(crate) variant: Option<String>,
    #[command(flatten)]
    pub(crate) how: HowArguments,
}
