//! The web app's page: for people, with a policy of its own, and never in place of an answer to a program.

use crate::support::Served;

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

#[test]
fn a_browser_gets_the_page_at_every_address_of_the_app() {
    let served = Served::open();
    let mut policies = Vec::new();
    for path in ["/", "/runs/0a1b", "/systems/pfa/conflicts?state=open"] {
        let page = served.get_with(path, &[BROWSER]);
        assert_eq!(page.status, 200, "{path}");
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        assert_eq!(page.header("cache-control"), "no-cache", "{path}");
        assert!(page.header("etag").is_empty(), "the page and its policy belong together: {path}");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
        policies.push(policy.to_owned());
    }
    policies.sort();
    policies.dedup();
    assert_eq!(policies.len(), 3, "each page has a nonce of its own");
}

#[test]
fn programs_and_wrong_addresses_get_no_page() {
    let served = Served::open();
    for path in ["/api/v1/nowhere", "/api", "/ofrep/v1/nowhere", "/assets/gone-0a1b.js"] {
        let refused = served.get_with(path, &[BROWSER]);
        assert_eq!((refused.status, &*refused.code()), (404, "not_found"), "{path}");
    }
    assert_eq!(served.get("/runs/0a1b").status, 404, "a program that does not ask for a page");
    assert_eq!(served.post_with("/", "{}", &[]).code(), "method_not_allowed");
}
