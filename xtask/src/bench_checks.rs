//! `cargo xtask bench checks`: twelve checks over a million customers and three million orders on PostgreSQL, with planted
//! faults, beside the same SQL by hand (the floor), Soda and Great Expectations.
//!
//! Owns generating the tables in a cluster of its own, the bundle in the words of each tool, and running them in turn.
//! A rival that cannot be installed is named as left out. What a tool counts differently is said with its figure.
//!
//! Arguments: `--rounds N` (default 3) repeats, medians are printed; `--customers N` makes the tables smaller (orders are
//! three times as many); `--dev` measures a development build; `--rivals DIR` uses virtual environments `soda` and `gx`
//! that are there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::{campaigns, postgres, process, project};

const TABLES: &str = "
CREATE TABLE customers AS
SELECT n AS id, 'user' || n || '@example.org' AS email, 18 + n % 70 AS age,
    (ARRAY['TW', 'JP', 'KR', 'US'])[1 + n % 4] AS country,
    now() - (n % 720) * interval '1 hour' AS updated_at
FROM generate_series(1, CUSTOMERS) AS g(n);
CREATE TABLE orders AS
SELECT n AS id, 1 + (n::bigint * 7919) % CUSTOMERS AS customer_id, (n % 50000) / 100.0::numeric AS amount,
    (ARRAY['open', 'paid', 'shipped'])[1 + n % 3] AS status
FROM generate_series(1, 3 * CUSTOMERS) AS g(n);
ALTER TABLE customers ADD PRIMARY KEY (id);
ALTER TABLE orders ADD PRIMARY KEY (id);
UPDATE customers SET email = NULL WHERE id % 1000 = 1;
UPDATE customers SET email = 'same@example.org' WHERE id BETWEEN 5000 AND 5199 AND id % 1000 <> 1;
UPDATE customers SET email = 'not an address' || id WHERE id % 5000 = 2;
UPDATE customers SET age = 999 WHERE id % 10000 = 3;
UPDATE customers SET country = 'XX' WHERE id % 20000 = 4;
UPDATE orders SET customer_id = CUSTOMERS + id WHERE id % 10000 = 5;
UPDATE orders SET customer_id = NULL WHERE id % 10000 = 6;
UPDATE orders SET amount = -1 WHERE id % 10000 = 7;
UPDATE orders SET status = 'lost' WHERE id % 10000 = 8;
VACUUM ANALYZE;";

/// Three statements by hand: what the checks cost when nothing but the answers is wanted.
const FLOOR: &[&str] = &[
    "SELECT count(*), count(email), count(DISTINCT email), count(*) FILTER (WHERE email !~ '^[^@ ]+@[^@ ]+$'),
        count(*) FILTER (WHERE age < 0 OR age > 120), count(*) FILTER (WHERE country NOT IN ('TW', 'JP', 'KR', 'US')),
        max(updated_at) FROM customers",
    "SELECT count(*), count(customer_id), count(*) FILTER (WHERE amount < 0),
        count(*) FILTER (WHERE status NOT IN ('open', 'paid', 'shipped')) FROM orders",
    "SELECT count(*) FROM orders o WHERE customer_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM customers c WHERE c.id = o.customer_id)",
];

/// The bundle: name, keys.
const BUNDLE: &[(&str, &str)] = &[
    ("customers-rows", "kind = 'row-count'\ntable = 'customers'\nrule = '> 0'"),
    ("email-there", "kind = 'completeness'\ntable = 'customers'\ncolumn = 'email'\nrule = '= 0'"),
    ("email-once", "kind = 'uniqueness'\ntable = 'customers'\ncolumn = 'email'\nrule = '= 0'"),
    (
        "email-form",
        "kind = 'pattern'\ntable = 'customers'\ncolumn = 'email'\npattern = '^[^@ ]+@[^@ ]+$'\nrule = '= 0'",
    ),
    ("age-range", "kind = 'range'\ntable = 'customers'\ncolumn = 'age'\nmin = 0\nmax = 120\nrule = '= 0'"),
    (
        "country-known",
        "kind = 'accepted-values'\ntable = 'customers'\ncolumn = 'country'\nvalues = ['TW', 'JP', 'KR', 'US']\nrule = '= 0'",
    ),
    ("customers-fresh", "kind = 'freshness'\ntable = 'customers'\ncolumn = 'updated_at'\nrule = '< 48 h'"),
    ("orders-rows", "kind = 'row-count'\ntable = 'orders'\nrule = '> 0'"),
    ("customer-there", "kind = 'completeness'\ntable = 'orders'\ncolumn = 'customer_id'\nrule = '= 0'"),
    (
        "customer-exists",
        "kind = 'orphans'\ntable = 'orders'\ncolumn = 'customer_id'\nrefers-to = 'customers.id'\nrule = '= 0'",
    ),
    ("amount-range", "kind = 'range'\ntable = 'orders'\ncolumn = 'amount'\nmin = 0\nrule = '= 0'"),
    (
        "status-known",
        "kind = 'accepted-values'\ntable = 'orders'\ncolumn = 'status'\nvalues = ['open', 'paid', 'shipped']\nrule = '= 0'",
    ),
];

const SODA_SOURCE: &str = "type: postgres\nname: bench\nconnection:\n  host: 127.0.0.1\n  port: PORT\n  user: plimsoll\n  \
                           password: none\n  database: postgres\n";
const SODA_CUSTOMERS: &str = "dataset: bench/postgres/public/customers
checks:
  - row_count:
      threshold: {must_be_greater_than: 0}
  - freshness:
      column: updated_at
      threshold: {unit: hour, must_be_less_than: 48}
columns:
  - name: email
    checks:
      - missing: {}
      - duplicate: {}
      - invalid: {valid_format: {name: address, regex: '^[^@ ]+@[^@ ]+$'}}
  - name: age
    checks:
      - invalid: {valid_min: 0, valid_max: 120}
  - name: country
    checks:
      - invalid: {valid_values: [TW, JP, KR, US]}
";
const SODA_ORDERS: &str = "dataset: bench/postgres/public/orders
checks:
  - row_count:
      threshold: {must_be_greater_than: 0}
  - failed_rows:
      query: |
        SELECT o.id FROM orders o LEFT JOIN customers c ON c.id = o.customer_id
        WHERE o.customer_id IS NOT NULL AND c.id IS NULL
      threshold: {must_be: 0}
columns:
  - name: customer_id
    checks:
      - missing: {}
  - name: amount
    checks:
      - invalid: {valid_min: 0}
  - name: status
    checks:
      - invalid: {valid_values: [open, paid, shipped]}
";
const GX: &str = "
import os, sys
import great_expectations as gx
import great_expectations.expectations as e
context = gx.get_context(mode='ephemeral')
source = context.data_sources.add_postgres('bench', connection_string=sys.argv[1])
def batch(table):
    return source.add_table_asset(table, table_name=table).add_batch_definition_whole_table('all')
def suite(name, expectations):
    made = context.suites.add(gx.ExpectationSuite(name=name))
    for one in expectations: made.add_expectation(one)
    return made
customers = suite('customers', [
    e.ExpectTableRowCountToBeBetween(min_value=1), e.ExpectColumnValuesToNotBeNull(column='email'),
    e.ExpectColumnValuesToBeUnique(column='email'),
    e.ExpectColumnValuesToMatchRegex(column='email', regex='^[^@ ]+@[^@ ]+$'),
    e.ExpectColumnValuesToBeBetween(column='age', min_value=0, max_value=120),
    e.ExpectColumnValuesToBeInSet(column='country', value_set=['TW', 'JP', 'KR', 'US']),
    e.ExpectColumnMaxToBeBetween(column='updated_at', min_value='2020-01-01')])
orders = suite('orders', [
    e.ExpectTableRowCountToBeBetween(min_value=1), e.ExpectColumnValuesToNotBeNull(column='customer_id'),
    e.ExpectColumnValuesToBeBetween(column='amount', min_value=0),
    e.ExpectColumnValuesToBeInSet(column='status', value_set=['open', 'paid', 'shipped']),
    e.UnexpectedRowsExpectation(unexpected_rows_query='SELECT o.id FROM {batch} o LEFT JOIN customers c '
        'ON c.id = o.customer_id WHERE o.customer_id IS NOT NULL AND c.id IS NULL')])
for name, made in (('customers', customers), ('orders', orders)):
    result = batch(name).run(made) if hasattr(batch, 'run') else context.validation_definitions.add(
        gx.ValidationDefinition(name=name, data=batch(name), suite=made)).run()
    print(name, result.statistics)
";

struct Options {
    rounds: usize,
    customers: u64,
    profile: campaigns::Profile,
    rivals: Option<PathBuf>,
}

fn options(arguments: &[String]) -> Result<Options, Failure> {
    let mut options =
        Options { rounds: 3, customers: 1_000_000, profile: campaigns::Profile::Release, rivals: None };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut number = || -> Result<u64, Failure> {
            let value = words.next().and_then(|value| value.parse().ok());
            value.ok_or_else(|| Failure::usage(format!("{word} needs a number")))
        };
        match word.as_str() {
            "--rounds" => options.rounds = usize::try_from(number()?).unwrap_or(1).max(1),
            "--customers" => options.customers = number()?.max(10_000),
            "--dev" => options.profile = campaigns::Profile::Dev,
            "--rivals" => options.rivals = words.next().map(PathBuf::from),
            _ => {
                return Err(Failure::usage(
                    "bench checks takes --rounds N, --customers N, --dev and --rivals DIR",
                ));
            }
        }
    }
    Ok(options)
}

/// How long a program took, and its highest resident memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    /// From start to end.
    pub(crate) seconds: f64,
    /// Its highest resident memory.
    pub(crate) megabytes: u64,
}

/// Runs the benchmark.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let options = options(arguments)?;
    let plimsoll = campaigns::build_plimsoll(options.profile)?;
    let programs = postgres::server_programs()
        .ok_or_else(|| Failure::new("no PostgreSQL is installed").hinted("cargo xtask setup"))?;
    let folder = project::temporary_folder("bench-checks")?;
    if postgres::is_root() {
        process::run(Command::new("chmod").arg("755").arg(&folder))?;
    }
    let cluster = postgres::Cluster::start(&folder)?;
    let url = cluster.url().to_owned();
    let psql = programs.join("psql");
    let tables = TABLES.replace("CUSTOMERS", &options.customers.to_string());
    println!("{} customers, {} orders on PostgreSQL", options.customers, 3 * options.customers);
    for statement in tables.split(';').filter(|statement| !statement.trim().is_empty()) {
        process::capture(Command::new(&psql).args([
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            &url,
            "-c",
            statement,
        ]))?;
    }
    let checks = folder.join("checks");
    write(&checks.join("bundle.toml"), &bundle())?;
    let names: Vec<&str> = BUNDLE.iter().map(|(name, _)| *name).collect();
    let ours = || {
        let mut command = Command::new(&plimsoll);
        command.args(["check", "hearings"]).args(&names).arg("--checks").arg(&checks);
        command.args(["--store", &url, "--samples", "0"]).current_dir(&folder);
        command
    };
    let floor = || {
        let mut command = Command::new(&psql);
        command.args(["-q", "-d", &url]);
        for statement in FLOOR {
            command.args(["-c", statement]);
        }
        command
    };
    let soda = rival(&options, &folder, "soda", &["soda-postgres==4.28.0"]);
    let gx = rival(&options, &folder, "gx", &["great_expectations==1.24.1", "psycopg2-binary", "sqlalchemy"]);
    let port = url.rsplit(':').next().and_then(|rest| rest.split('/').next()).unwrap_or_default();
    write(&folder.join("source.yml"), &SODA_SOURCE.replace("PORT", port))?;
    write(&folder.join("customers.yml"), SODA_CUSTOMERS)?;
    write(&folder.join("orders.yml"), SODA_ORDERS)?;
    write(&folder.join("gx.py"), GX)?;

    // Once before anything is measured: tables are in memory, and what the tools find is shown.
    let (_, found) = process::capture_with_codes(&mut ours(), &[0, 3])?;
    println!("{}", found.trim_end());
    let mut results: Vec<(&str, Vec<Taken>, &str)> = vec![
        ("hand-written SQL, three statements (floor)", Vec::new(), "psql"),
        ("plimsoll check, 12 checks", Vec::new(), "verdicts, siblings of all numbers, history kept"),
    ];
    if soda.is_ok() {
        results.push(("Soda 4.28, telemetry off, two contracts", Vec::new(), "duplicates are surplus rows"));
    }
    if gx.is_ok() {
        results.push((
            "Great Expectations 1.24",
            Vec::new(),
            "duplicates are duplicate rows; freshness by max()",
        ));
    }
    for _ in 0..options.rounds {
        for (name, taken, _) in &mut results {
            let one = match *name {
                name if name.starts_with("hand") => once(&mut floor(), &[0], Stdio::null())?,
                name if name.starts_with("plimsoll") => once(&mut ours(), &[0, 3], Stdio::null())?,
                name if name.starts_with("Soda") => {
                    let mut both = Taken { seconds: 0.0, megabytes: 0 };
                    for contract in ["customers.yml", "orders.yml"] {
                        let mut command = Command::new(program(&soda, "bin/soda"));
                        command.args(["contract", "verify", "-ds", "source.yml", "-c", contract]);
                        command.env("SODA_CORE_TELEMETRY_ENABLED", "false").current_dir(&folder);
                        let one = once(&mut command, &[0, 1], Stdio::null())?;
                        both.seconds += one.seconds;
                        both.megabytes = both.megabytes.max(one.megabytes);
                    }
                    both
                }
                _ => {
                    let mut command = Command::new(program(&gx, "bin/python"));
                    let address = url.replace("postgres://", "postgresql+psycopg2://");
                    command
                        .arg("gx.py")
                        .arg(address)
                        .env("GX_ANALYTICS_ENABLED", "false")
                        .current_dir(&folder);
                    once(&mut command, &[0], Stdio::null())?
                }
            };
            taken.push(one);
        }
    }
    let floor = results.first().map_or(f64::NAN, |(_, taken, _)| median(taken).seconds);
    for (name, taken, note) in &results {
        let middle = median(taken);
        println!(
            "{name:<44} {:>7.2} s {:>6.2} x floor {:>5} MB  {note}",
            middle.seconds,
            middle.seconds / floor,
            middle.megabytes
        );
    }
    for (name, rival) in [("Soda", &soda), ("Great Expectations", &gx)] {
        if let Err(failure) = rival {
            println!("left out: {name} ({failure})");
        }
    }
    drop(cluster);
    drop(fs::remove_dir_all(&folder));
    Ok(())
}

/// The bundle as a file of checks.
fn bundle() -> String {
    BUNDLE
        .iter()
        .map(|(name, keys)| {
            format!(
                "[[check]]\nname = '{name}'\ntitle = '{name}'\nseverity = 'error'\nhint = 'look'\n{keys}\n\n"
            )
        })
        .collect()
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let told = |error: std::io::Error| Failure::new(format!("{}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(told)?;
    }
    fs::write(path, text).map_err(told)
}

/// The virtual environment of a rival, made where it is not there yet.
fn rival(options: &Options, folder: &Path, name: &str, packages: &[&str]) -> Result<PathBuf, Failure> {
    if let Some(rivals) = &options.rivals {
        let there = rivals.join(name);
        if there.join("bin/python").is_file() {
            return Ok(there);
        }
        return Err(Failure::new(format!("{} is not there", there.display())));
    }
    let place = folder.join(name);
    process::capture(Command::new("python3").args(["-m", "venv"]).arg(&place))?;
    process::capture(Command::new(place.join("bin/pip")).args(["install", "--quiet"]).args(packages))?;
    Ok(place)
}

/// A program of a rival that is there.
fn program(rival: &Result<PathBuf, Failure>, name: &str) -> PathBuf {
    rival.as_ref().map(|place| place.join(name)).unwrap_or_default()
}

/// Runs a program, with its output to `output`, and watches its memory.
pub(crate) fn once(command: &mut Command, good: &[i32], output: Stdio) -> Result<Taken, Failure> {
    let began = Instant::now();
    let shown = process::shown(command);
    let mut child = command
        .stdout(output)
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| Failure::new(format!("{shown}: {error}")))?;
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut megabytes = 0;
    loop {
        if let Some(ended) = child.try_wait().map_err(|error| Failure::new(error.to_string()))? {
            if !ended.code().is_some_and(|code| good.contains(&code)) {
                return Err(Failure::new(format!("{shown} ended with {ended}")));
            }
            return Ok(Taken { seconds: began.elapsed().as_secs_f64(), megabytes });
        }
        let text = fs::read_to_string(&status).unwrap_or_default();
        let high = text
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        megabytes = megabytes.max(high.unwrap_or(0_u64) / 1_024);
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The middle time, and the highest memory.
pub(crate) fn median(taken: &[Taken]) -> Taken {
    let mut seconds: Vec<f64> = taken.iter().map(|one| one.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    Taken {
        seconds: seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN),
        megabytes: taken.iter().map(|one| one.megabytes).max().unwrap_or(0),
    }
}
