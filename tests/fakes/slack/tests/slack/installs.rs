//! Installing by OAuth, tokens that expire, and removal.

use crate::app::Stand;
use fake_slack::{Consent, Settings, TeamSet, UserSet};
use serde_json::{Value, json};

const BACK: &str = "https://till.example/slack/oauth";

async fn page(stand: &Stand, more: &[(&str, &str)]) -> Result<url::Url, String> {
    let mut asked =
        vec![("client_id", "1111.2222"), ("scope", "chat:write,commands"), ("state", "s1"), ("redirect_uri", BACK)];
    asked.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    asked.extend(more);
    let page = stand.http.get(format!("{}/oauth/v2/authorize", stand.slack.url())).query(&asked).send().await.unwrap();
    match page.headers().get("location") {
        Some(to) => Ok(to.to_str().unwrap().parse().unwrap()),
        None => Err(page.text().await.unwrap()),
    }
}

fn part(url: &url::Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

async fn access(stand: &Stand, more: &[(&str, &str)]) -> Value {
    let post = stand.http.post(format!("{}/api/oauth.v2.access", stand.slack.url()));
    let post = post.basic_auth("1111.2222", Some("client-secret"));
    post.form(more).send().await.unwrap().json().await.unwrap()
}

async fn installed(stand: &Stand) -> Value {
    let code = part(&page(stand, &[]).await.unwrap(), "code").unwrap();
    access(stand, &[("code", &code), ("redirect_uri", BACK)]).await
}

#[tokio::test]
async fn a_person_allows_it_and_the_code_becomes_a_token_once() {
    let mut fresh = TeamSet::bare("T0NEW", "new", "");
    fresh.bot_token = None;
    fresh.users = vec![UserSet::person("U0NEA", "nea", "Nea Nord")];
    let stand = Stand::with(Settings::test().team(fresh)).await;
    stand.slack.consent(Consent::Allow { team: "T0NEW".into(), user: "U0NEA".into() });
    let back = page(&stand, &[]).await.unwrap();
    assert!(back.as_str().starts_with(BACK));
    assert_eq!(part(&back, "state").unwrap(), "s1");
    let code = part(&back, "code").unwrap();
    let wrong = [("code", code.as_str()), ("redirect_uri", "https://till.example/slack/oauth/other")];
    assert_eq!(access(&stand, &wrong).await["error"], "bad_redirect_uri");
    let right = [("code", code.as_str()), ("redirect_uri", BACK)];
    let granted = access(&stand, &right).await;
    assert_eq!((&granted["team"]["id"], &granted["authed_user"]["id"]), (&json!("T0NEW"), &json!("U0NEA")));
    assert_eq!((&granted["scope"], granted.get("refresh_token")), (&json!("chat:write,commands"), None));
    let token = granted["access_token"].as_str().unwrap();
    assert_eq!(stand.call_as(token, "auth.test", json!({})).await["team_id"], "T0NEW");
    assert_eq!(stand.slack.token("T0NEW").as_deref(), Some(token));
    assert_eq!(access(&stand, &right).await["error"], "code_already_used");
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let stand = Stand::new().await;
    assert_eq!(page(&stand, &[("client_id", "9.9")]).await.unwrap_err(), "Something went wrong: invalid_client_id");
    assert!(page(&stand, &[("redirect_uri", "https://evil.example/")]).await.unwrap_err().contains("bad_redirect_uri"));
    assert!(page(&stand, &[("scope", "")]).await.unwrap_err().contains("no_scopes"));
    stand.slack.consent(Consent::Deny);
    let denied = page(&stand, &[]).await.unwrap();
    assert_eq!((part(&denied, "error").unwrap(), part(&denied, "code")), ("access_denied".into(), None));
    assert_eq!(access(&stand, &[("code", "1.x")]).await["error"], "invalid_code");
    assert_eq!(access(&stand, &[("grant_type", "password")]).await["error"], "invalid_grant_type");
    let code = part(&page(&stand, &[]).await.unwrap(), "code").unwrap();
    stand.pass(601);
    assert_eq!(access(&stand, &[("code", &code), ("redirect_uri", BACK)]).await["error"], "invalid_code");
    let post = |pairs: [(&'static str, &'static str); 2]| {
        stand.http.post(format!("{}/api/oauth.v2.access", stand.slack.url())).form(&pairs).send()
    };
    let word = async |id, secret| {
        let answer = post([("client_id", id), ("client_secret", secret)]).await.unwrap();
        answer.json::<Value>().await.unwrap()["error"].clone()
    };
    assert_eq!(word("9.9", "client-secret").await, "invalid_client_id");
    assert_eq!(word("1111.2222", "guess").await, "bad_client_secret");
}

#[tokio::test]
async fn installing_again_keeps_the_token_and_adds_scopes() {
    let stand = Stand::new().await;
    stand.slack.rescope(crate::app::BOT, &["users:read"]);
    let granted = installed(&stand).await;
    assert_eq!(granted["access_token"], crate::app::BOT);
    assert_eq!(granted["scope"], "chat:write,commands,users:read");
}

#[tokio::test]
async fn a_token_expires_and_is_refreshed_once() {
    let stand = Stand::with(Settings { rotation: true, ..Settings::test() }).await;
    let first = installed(&stand).await;
    assert_eq!(first["expires_in"], 43_200);
    let old = first["access_token"].as_str().unwrap().to_owned();
    assert!(old.starts_with("xoxe.xoxb-"));
    assert_eq!(stand.call_as(&old, "auth.test", json!({})).await["ok"], true);
    stand.pass(43_200);
    assert_eq!(stand.call_as(&old, "auth.test", json!({})).await["error"], "token_expired");
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", first["refresh_token"].as_str().unwrap())];
    let second = access(&stand, &refresh).await;
    let new = second["access_token"].as_str().unwrap();
    assert_eq!(stand.call_as(new, "auth.test", json!({})).await["ok"], true);
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(access(&stand, &refresh).await["error"], "invalid_refresh_token");
    let none = [("grant_type", "refresh_token"), ("refresh_token", "xoxe-1-guess")];
    assert_eq!(access(&stand, &none).await["error"], "invalid_refresh_token");
}

#[tokio::test]
async fn a_workspace_that_removes_the_app_says_so_and_ends_its_tokens() {
    let stand = Stand::new().await;
    stand.slack.uninstall("T0SHOP").await;
    assert_eq!(stand.app.heard(), ["tokens_revoked", "app_uninstalled"]);
    assert_eq!(stand.app.got()[0].json()["event"]["tokens"]["bot"], json!(["U0SHOPBOT"]));
    assert_eq!(stand.error("chat.postMessage", json!({"channel": "C0SALES", "text": "x"})).await, "account_inactive");
    assert_eq!(stand.slack.token("T0SHOP"), None);
    stand.slack.say("U0ANA", "C0SALES", "hello?", None).await;
    assert_eq!(stand.app.heard().len(), 2, "nothing is told any more");
}

#[tokio::test]
async fn an_organization_allows_it_for_all_its_workspaces() {
    let corp = Some(("E0CORP".to_owned(), "Corp".to_owned()));
    let mut second = TeamSet::bare("T0SECOND", "second", "");
    (second.bot_token, second.enterprise) = (None, corp.clone());
    second.users = vec![UserSet::person("U0SEC", "sec", "Sec Second")];
    let mut settings = Settings::test().team(second).team(TeamSet::bare("T0ELSE", "else", "xoxb-else"));
    (settings.teams[0].bot_token, settings.teams[0].enterprise) = (None, corp);
    let stand = Stand::with(settings).await;
    stand.slack.consent(Consent::AllowOrg { enterprise: "E0CORP".into(), user: "U0ANA".into() });
    let back = page(&stand, &[("scope", "chat:write,commands,users:read,usergroups:read,im:write")]).await.unwrap();
    let granted = access(&stand, &[("code", &part(&back, "code").unwrap()), ("redirect_uri", BACK)]).await;
    assert_eq!((&granted["team"], &granted["is_enterprise_install"]), (&Value::Null, &json!(true)));
    assert_eq!(granted["enterprise"]["id"], "E0CORP");
    let token = granted["access_token"].as_str().unwrap();
    let call = async |method: &str, args: Value| stand.call_as(token, method, args).await;

    assert_eq!(call("auth.test", json!({})).await["is_enterprise_install"], true);
    let posted = call("chat.postMessage", json!({"channel": "C0SALES", "text": "here"})).await;
    assert_eq!(posted["message"]["team"], "T0SHOP");
    assert_eq!(call("users.info", json!({"user": "U0SEC"})).await["user"]["team_id"], "T0SECOND");
    assert_eq!(call("conversations.open", json!({"users": "U0SEC"})).await["ok"], true);
    let group = json!({"usergroup": "S0CASH"});
    assert_eq!(call("usergroups.users.list", group).await["error"], "invalid_arguments");
    let group = json!({"usergroup": "S0CASH", "team_id": "T0SHOP"});
    assert_eq!(call("usergroups.users.list", group).await["users"], json!(["U0ANA"]));
    let elsewhere = json!({"usergroup": "S0CASH", "team_id": "T0ELSE"});
    assert_eq!(call("usergroups.users.list", elsewhere).await["error"], "team_access_not_granted");

    let command = stand.slack.command("U0ANA", "C0SALES", "/pay", "").await;
    let told = stand.slack.deliveries()[command.n].payload.clone();
    assert_eq!((&told["is_enterprise_install"], &told["enterprise_id"]), (&json!("true"), &json!("E0CORP")));
    stand.slack.open_home("U0ANA").await;
    let authorized = stand.app.got().last().unwrap().json()["authorizations"][0].clone();
    assert_eq!(
        (&authorized["is_enterprise_install"], &authorized["team_id"], &authorized["enterprise_id"]),
        (&json!(true), &json!("T0SHOP"), &json!("E0CORP"))
    );
    stand.slack.uninstall("E0CORP").await;
    assert_eq!(call("auth.test", json!({})).await["error"], "account_inactive");
    assert_eq!(stand.slack.token("T0ELSE").as_deref(), Some("xoxb-else"));
}
