//! Slack's own description as the judge of what this fake calls an argument.

use fake_slack::methods;
use serde_json::Value;
use std::path::Path;
use till_core::contract::left_out;

/// Written after the description, which is of 2020: docs.slack.dev has them.
const NEWER: [&str; 1] = ["apps.connections.open"];

#[test]
fn every_argument_that_slack_describes_is_known() {
    // It lies beside the checkout; a git worktree is one folder deeper.
    let here = env!("CARGO_MANIFEST_DIR");
    let name = "slack_web_openapi_v2.json";
    let places = ["../../../../shared/specs", "../../../../../shared/specs"];
    let text = places.iter().find_map(|at| std::fs::read_to_string(Path::new(here).join(at).join(name)).ok());
    let Some(text) = text else {
        let test = "fake_slack::judges::every_argument_that_slack_describes_is_known";
        return left_out(test, &format!("no ../shared/specs/{name}"));
    };
    let spec: Value = serde_json::from_str(&text).unwrap();
    for (method, args) in methods() {
        let path = &spec["paths"][format!("/{method}")];
        assert_eq!(path.is_null(), NEWER.contains(&method), "{method}");
        for described in path.as_object().into_iter().flat_map(serde_json::Map::values) {
            let names = described["parameters"].as_array().unwrap().iter();
            let names = names.map(|parameter| parameter["name"].as_str().unwrap()).filter(|name| *name != "token");
            let lacks: Vec<&str> = names.filter(|name| !args.contains(name)).collect();
            assert!(lacks.is_empty(), "{method} lacks {lacks:?}");
        }
    }
}
