//! `cargo xtask bench pilot --what parity`: whether both sides of a pilot say the same, over a million deliveries, beside
//! reladiff.
//!
//! Owns making both databases (SQLite with Big5, and a PostgreSQL of its own), carrying everything over, and measuring whole
//! commands: the sums of both sides made anew, the comparison after a thousand rows changed, and reladiff on the same orders.
//!
//! What is compared is not the same in kind, and is printed: ours reads a SQLite file of Big5 texts and tables of another
//! form in PostgreSQL, through the mapping, and all entities. reladiff reads no SQLite and maps nothing, so it gets two equal
//! tables in PostgreSQL with the columns of the carried orders, once as if they were in two databases (its `hashdiff`, which
//! is what a pilot needs) and once with a join in one database (`joindiff`). It keeps nothing, so that it reads everything each
//! time.
//!
//! Arguments: `--deliveries N` (default 1,000,000), `--changes N` (1,000), `--rounds N` (3; medians are printed), `--dev`
//! measures a development build.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::bench_checks::{Taken, median, once};
use crate::failure::Failure;
use crate::{campaigns, json, postgres, process, project};

/// The rival.
const RELADIFF: &str = "reladiff[postgresql]==0.6.0";

/// The carried orders in one table, as reladiff can compare them, twice.
const TABLES: &[&str] = &[
    "CREATE TABLE reladiff_left AS SELECT o.legacy_id, o.order_number, o.customer_code, o.status, o.scheduled_date,
        o.delivered_at, o.qty_50kg, o.qty_20kg, o.qty_16kg, o.qty_10kg, o.qty_4kg, o.notes, o.created_at, o.updated_at,
        d.driver_code, d.plate_number, d.returned_50kg, d.returned_20kg, d.returned_16kg, d.returned_10kg, d.returned_4kg
        FROM orders o JOIN deliveries d USING (order_number)",
    "CREATE TABLE reladiff_right AS TABLE reladiff_left",
    "ALTER TABLE reladiff_left ADD PRIMARY KEY (legacy_id)",
    "ALTER TABLE reladiff_right ADD PRIMARY KEY (legacy_id)",
    "VACUUM ANALYZE reladiff_left",
    "VACUUM ANALYZE reladiff_right",
];

struct Options {
    deliveries: u64,
    changes: u64,
    rounds: u64,
    profile: campaigns::Profile,
}

fn options(arguments: &[String]) -> Result<Options, Failure> {
    let mut options =
        Options { deliveries: 1_000_000, changes: 1_000, rounds: 3, profile: campaigns::Profile::Release };
    let mut what = false;
    let mut words = arguments.iter().filter(|word| *word != "--");
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| Failure::usage(format!("{word} needs a value")));
        let number = |text: &String| {
            text.parse::<u64>()
                .map_err(|_| Failure::usage(format!("{word} needs a number, and not `{text}`")))
        };
        match word.as_str() {
            "--what" => what = value()? == "parity",
            "--deliveries" => options.deliveries = number(value()?)?.max(10_000),
            "--changes" => options.changes = number(value()?)?.max(1),
            "--rounds" => options.rounds = number(value()?)?.max(1),
            "--dev" => options.profile = campaigns::Profile::Dev,
            _ => what = false,
        }
    }
    if what {
        return Ok(options);
    }
    Err(Failure::usage("bench pilot takes --what parity, --deliveries N, --changes N, --rounds N and --dev"))
}

/// Both databases, and the programs that work on them.
struct Bench {
    folder: PathBuf,
    plimsoll: PathBuf,
    psql: PathBuf,
    cluster: postgres::Cluster,
}

/// Runs the benchmark.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let options = options(arguments)?;
    let plimsoll = campaigns::build_plimsoll(options.profile)?;
    let programs = postgres::server_programs()
        .ok_or_else(|| Failure::new("no PostgreSQL is installed").hinted("cargo xtask setup"))?;
    let folder = project::temporary_folder("bench-parity")?;
    if postgres::is_root() {
        process::run(Command::new("chmod").arg("755").arg(&folder))?;
    }
    let cluster = postgres::Cluster::start(&folder)?;
    // A copy of its own: a build beside it must not change what is measured.
    let own = folder.join("plimsoll");
    fs::copy(&plimsoll, &own).map_err(|error| Failure::new(format!("{}: {error}", own.display())))?;
    let plimsoll = own;
    let bench = Bench { psql: programs.join("psql"), folder, plimsoll, cluster };
    let measured = bench.measure(&options);
    let Bench { folder, cluster, .. } = bench;
    drop(cluster);
    drop(fs::remove_dir_all(&folder));
    measured
}

impl Bench {
    fn measure(&self, options: &Options) -> Result<(), Failure> {
        self.fill(options)?;
        let (mut built, mut compared) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds {
            built.push(self.parity(&["--build"], 0)?);
        }
        let step = (options.deliveries / options.changes).max(1);
        for round in 0..options.rounds {
            let changed = self.touch("orders", step, round, "+")?;
            compared.push(self.parity(&[], changed)?);
            self.touch("orders", step, round, "-")?;
            self.parity(&[], 0)?;
        }
        let (built, compared) = (median(&built), median(&compared));
        println!(
            "all entities of both sides, {} deliveries; SQLite with Big5 beside PostgreSQL 1:1 through the mapping",
            options.deliveries
        );
        figure(
            "plimsoll parity --build, everything anew",
            built,
            None,
            "sums of both sides made and compared",
        );
        let note = format!("after {} changed rows", options.changes);
        figure("plimsoll parity", compared, None, &note);
        match rival() {
            Ok(reladiff) => self.beside(&reladiff, options, step, built, compared),
            Err(failure) => {
                println!("left out: reladiff ({failure})");
                Ok(())
            }
        }
    }

    /// Makes both databases, with everything carried over.
    fn fill(&self, options: &Options) -> Result<(), Failure> {
        let settings = format!("data = \"data\"\n\n[stores]\nluckygas = \"{}\"\n", self.cluster.url());
        fs::write(self.folder.join("plimsoll.toml"), settings)
            .map_err(|error| Failure::new(format!("plimsoll.toml: {error}")))?;
        let (clients, deliveries) = ((options.deliveries / 10).to_string(), options.deliveries.to_string());
        let words = [
            "simulate",
            "luckygas",
            "--clients",
            &clients,
            "--deliveries",
            &deliveries,
            "--dirty",
            "0",
            "--carried",
            "--quiet",
        ];
        let taken = once(self.plimsoll().args(words), &[0], Stdio::null())?;
        println!(
            "{} deliveries of {clients} clients made on both sides in {:.0} s, {} MB",
            options.deliveries, taken.seconds, taken.megabytes
        );
        self.sql("VACUUM ANALYZE").map(drop)
    }

    fn plimsoll(&self) -> Command {
        let mut command = Command::new(&self.plimsoll);
        command.current_dir(&self.folder);
        command
    }

    /// One comparison by the whole command, which must find this many differing records.
    fn parity(&self, words: &[&str], differing: u64) -> Result<Taken, Failure> {
        let path = self.folder.join("parity.json");
        let output = File::create(&path).map_err(|error| Failure::new(format!("parity.json: {error}")))?;
        let mut command = self.plimsoll();
        command.args(["parity", "--quiet", "--json"]).args(words);
        let taken = once(&mut command, &[if differing > 0 { 3 } else { 0 }], output.into())?;
        let text =
            fs::read_to_string(&path).map_err(|error| Failure::new(format!("parity.json: {error}")))?;
        let found = json::number(&json::parse("the answer of parity", &text)?, "differing");
        if found == Some(differing as f64) {
            return Ok(taken);
        }
        Err(Failure::new(format!("parity found {found:?} differing records, and {differing} differ")))
    }

    /// Moves the time of every `step`th order by a second; returns how many rows that were.
    fn touch(&self, table: &str, step: u64, round: u64, sign: &str) -> Result<u64, Failure> {
        let sql = format!(
            "WITH touched AS (UPDATE {table} SET updated_at = updated_at {sign} interval '1 second'
             WHERE legacy_id % {step} = {} RETURNING 1) SELECT count(*) FROM touched",
            round % step
        );
        let text = self.sql(&sql)?;
        text.trim().parse().map_err(|_| Failure::new(format!("psql answered `{}`", text.trim())))
    }

    fn sql(&self, statement: &str) -> Result<String, Failure> {
        let words = ["-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-d", self.cluster.url(), "-c", statement];
        process::capture(Command::new(&self.psql).args(words))
    }

    /// The rival on the same orders.
    fn beside(
        &self,
        reladiff: &Path,
        options: &Options,
        step: u64,
        built: Taken,
        compared: Taken,
    ) -> Result<(), Failure> {
        for statement in TABLES {
            self.sql(statement)?;
        }
        println!("reladiff 0.6.0, two tables of these orders in one form, both in PostgreSQL, 2 threads:");
        for (algorithm, name) in [
            ("hashdiff", "reladiff hashdiff, as two databases"),
            ("joindiff", "reladiff joindiff, one database"),
        ] {
            let mut equal = Vec::new();
            let mut different = Vec::new();
            for round in 0..options.rounds {
                equal.push(self.reladiff(reladiff, algorithm, 0)?);
                let changed = self.touch("reladiff_right", step, round, "+")?;
                different.push(self.reladiff(reladiff, algorithm, changed)?);
                self.touch("reladiff_right", step, round, "-")?;
            }
            figure(name, median(&equal), Some(("built anew", built)), "equal tables");
            let note = format!("after {} changed rows", options.changes);
            figure(name, median(&different), Some(("by change", compared)), &note);
        }
        Ok(())
    }

    /// One comparison by reladiff, which must find this many differing rows.
    fn reladiff(&self, program: &Path, algorithm: &str, differing: u64) -> Result<Taken, Failure> {
        let path = self.folder.join("reladiff.txt");
        let output = File::create(&path).map_err(|error| Failure::new(format!("reladiff.txt: {error}")))?;
        let address = self.cluster.url().replace("postgres://", "postgresql://");
        let mut command = Command::new(program);
        command.args([&address, "reladiff_left"]);
        if algorithm == "hashdiff" {
            command.arg(&address);
        }
        command.args([
            "reladiff_right",
            "-k",
            "legacy_id",
            "-c",
            "%",
            "-j",
            "2",
            "-a",
            algorithm,
            "--stats",
            "--json",
        ]);
        // Its JSON is broken into lines at the width of the terminal.
        command.env("COLUMNS", "100000");
        let taken = once(command.current_dir(&self.folder), &[0], output.into())?;
        let text =
            fs::read_to_string(&path).map_err(|error| Failure::new(format!("reladiff.txt: {error}")))?;
        let stats = json::parse("the answer of reladiff", &text)?;
        let found: Vec<f64> = ["updated", "exclusive_A", "exclusive_B"]
            .iter()
            .filter_map(|name| json::number(&stats, name))
            .collect();
        if found == [differing as f64, 0.0, 0.0] {
            return Ok(taken);
        }
        Err(Failure::new(format!("reladiff found {}, and {differing} rows differ", text.trim())))
    }
}

/// Prints a figure; with one of ours, by how much it is more.
fn figure(name: &str, taken: Taken, beside: Option<(&str, Taken)>, note: &str) {
    let ratio = beside.map_or_else(String::new, |(what, ours)| {
        format!("  {:.2} x ours, {what}", taken.seconds / ours.seconds)
    });
    println!("{name:<44} {:>8.2} s {:>5} MB  {note}{ratio}", taken.seconds, taken.megabytes);
}

/// The rival's program, in a virtual environment among the ignored tools.
fn rival() -> Result<PathBuf, Failure> {
    let place = project::root().join(".tools/reladiff");
    let program = place.join("bin/reladiff");
    if !program.is_file() {
        process::capture(Command::new("python3").args(["-m", "venv"]).arg(&place))?;
        let pip = ["install", "--quiet", "--disable-pip-version-check", RELADIFF];
        process::capture(Command::new(place.join("bin/pip")).args(pip))?;
    }
    Ok(program)
}
