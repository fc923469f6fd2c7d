//! Unleash's server under the same load as ours: as many flags, as many connections, all flags of one user a question.
//!
//! Owns filling a running Unleash over its admin API and asking its front-end API. Fetching and starting it is xtask's.
//! Its answer holds the flags that are on, ours all of them with value and reason; the work of evaluating is the same.

use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::Failure;
use crate::serve::{self, FLAGS};

/// How long Unleash may take until its front-end API knows the flags: it refreshes them every ten seconds.
const REFRESH: Duration = Duration::from_secs(12);

/// Measures the Unleash that listens at `address` and runs as `process`; `admin` and `front_end` are its tokens.
pub(crate) fn run(address: &str, process: &str, admin: &str, front_end: &str) -> Result<(), Failure> {
    let process: u32 = process.parse()?;
    println!("\nUnleash server, the same load");
    println!("  memory, idle                                   {:>10}", serve::megabytes(process)?);
    fill(address, admin)?;
    std::thread::sleep(REFRESH);
    serve::load(address, "all flags (/api/frontend)", &|number| {
        format!(
            "GET /api/frontend?userId=user-{number} HTTP/1.1\r\nhost: {address}\r\nauthorization: {front_end}\r\n\r\n"
        )
    })?;
    println!("  memory, after the load                         {:>10}", serve::megabytes(process)?);
    Ok(())
}

/// Creates the flags, each on for half of the users by `userId`.
fn fill(address: &str, admin: &str) -> Result<(), Failure> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    let features = "/api/admin/projects/default/features";
    for number in 0..FLAGS {
        let name = format!("flag-{number}");
        let rollout = format!(
            r#"{{"name":"flexibleRollout","parameters":{{"rollout":"50","stickiness":"userId","groupId":"{name}"}}}}"#
        );
        for (path, body) in [
            (features.to_owned(), format!(r#"{{"name":"{name}","type":"release"}}"#)),
            (format!("{features}/{name}/environments/development/strategies"), rollout),
            (format!("{features}/{name}/environments/development/on"), String::new()),
        ] {
            let request = format!(
                "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: {admin}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            writer.write_all(request.as_bytes())?;
            serve::read_answer(&mut reader)?;
        }
    }
    Ok(())
}
