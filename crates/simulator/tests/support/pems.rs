//! The requests that tests of the simulated PEMS make.
//!
//! Owns nothing of the simulator: it builds requests as any client would.

use plimsoll_simulator::pems::Running;
use serde_json::{Value, json};

use super::{Answer, Client};

/// A client of one simulator.
pub(crate) struct Pems {
    pub(crate) client: Client,
}

impl Pems {
    pub(crate) fn new(running: &Running) -> Self {
        Self { client: Client::new(running.socket()) }
    }

    /// One read that must be answered.
    pub(crate) fn get(&mut self, target: &str) -> Answer {
        self.client.get(target).unwrap()
    }

    /// A row as it is served, which must be there.
    pub(crate) fn row(&mut self, id: &str) -> Value {
        let answer = self.get(&format!("/api/pems/pfa/{id}"));
        assert_eq!(answer.status, 200, "{id}");
        answer.json()
    }

    pub(crate) fn put(
        &mut self,
        id: &str,
        version: u64,
        fields: Value,
        operation: &str,
    ) -> std::io::Result<Answer> {
        let body = json!({ "version": version, "fields": fields });
        let headers = format!("X-Operation-Id: {operation}\r\n");
        self.client.send("PUT", &format!("/api/pems/pfa/{id}"), &headers, Some(&body))
    }

    pub(crate) fn post(&mut self, target: &str, body: Value) -> Answer {
        self.client.send("POST", target, "", Some(&body)).unwrap()
    }

    pub(crate) fn delete(&mut self, id: &str, version: u64) -> std::io::Result<Answer> {
        self.client.send("DELETE", &format!("/api/pems/pfa/{id}?version={version}"), "", None)
    }

    /// Every row of an organization by the keyset, in steps of `limit`, in the order served; and how many
    /// pages that took.
    pub(crate) fn pull(&mut self, organization: &str, limit: usize) -> (Vec<Value>, usize) {
        let mut rows: Vec<Value> = Vec::new();
        for pages in 1.. {
            let place = rows.last().map_or_else(String::new, |row| {
                format!("&since={}&since_id={}", text(row, "pfs_lastmodified"), text(row, "pfs_id"))
            });
            let target = format!("/api/pems/pfa?organization={organization}&limit={limit}{place}");
            let page = self.get(&target).json();
            let served = page["rows"].as_array().unwrap();
            assert!(served.len() <= limit);
            rows.extend(served.iter().cloned());
            if page["more"] == false {
                return (rows, pages);
            }
            assert!(!served.is_empty() && pages < 1_000, "a keyset that leads nowhere");
        }
        unreachable!("the loop has no end of its own")
    }

    /// A page of a grid; `later` is empty for the first, else `&grid=G&offset=O`.
    pub(crate) fn grid(&mut self, session: &str, limit: usize, later: &str) -> Answer {
        let target =
            format!("/api/pems/grids/pfa?organization=DEMO01&session={session}&limit={limit}{later}");
        self.get(&target)
    }
}

/// The text of a field.
pub(crate) fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap()
}

/// The version of a row.
pub(crate) fn version(row: &Value) -> u64 {
    row["version"].as_u64().unwrap()
}

/// The ids of rows, in their order.
pub(crate) fn row_ids(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| text(row, "pfs_id").to_owned()).collect()
}

/// The code of a refusal.
pub(crate) fn code(answer: &Answer) -> String {
    answer.json()["error"]["code"].as_str().unwrap().to_owned()
}
