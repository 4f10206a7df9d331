use crate::stand::{START, Stand};
use serde_json::json;
use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

/// The tables of the first version, and one checkout of each kind that it knew.
const FIRST: &str = include_str!("../../migrations/0001_first.sql");
const ROWS: &str = r#"
insert into checkouts (id, amount_minor, currency, lines, metadata, return_url, locale, expires_ms, created_ms, updated_ms, status, capture, attempts) values
  ('co_1', 2500, 'EUR', '[]', '{"till_payment":"pay_1","till_n":"1"}', 'https://till.example/', 'en', 1795375800000, 1795372200000, 1795372200000, 'open', null, 2),
  ('co_2', 2500, 'EUR', '[]', '{"till_payment":"pay_2","till_n":"1"}', 'https://till.example/', 'en', 1795375800000, 1795372200000, 1795372201000, 'complete', 'py_2', 0),
  ('co_3', 2500, 'EUR', '[]', '{"till_payment":"pay_3","till_n":"1"}', 'https://till.example/', 'en', 1795375800000, 1795372200000, 1795372200000, 'expired', null, 0);
insert into refunds (id, capture, amount_minor, metadata, created_ms) values ('re_1', 'py_2', 500, '{}', 1795372202000);
insert into events (id, created_ms, body) values ('evt_1', 1795372200000, '{"id":"evt_1","type":"checkout.created"}');
"#;

#[tokio::test]
async fn a_file_of_the_first_version_opens_with_everything_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new().filename(dir.path().join("sandbox.db")).create_if_missing(true);
    let pool = SqlitePoolOptions::new().connect_with(options).await.unwrap();
    let first = Migration::new(1, "first".into(), MigrationType::Simple, FIRST.into_sql_str(), false);
    Migrator::with_migrations(vec![first]).run(&pool).await.unwrap();
    sqlx::raw_sql(ROWS).execute(&pool).await.unwrap();
    pool.close().await;

    let stand = Stand::start(dir.path(), None).await;
    let found = async |id: &str| stand.get(&format!("/v1/checkouts/{id}")).await.json();
    assert_eq!(found("co_1").await["status"], "open");
    assert_eq!(found("co_3").await["status"], "expired");
    let paid = found("co_2").await;
    let payment = &paid["payment"];
    assert_eq!(
        (&payment["id"], &payment["amount"]["minor"], &payment["status"]),
        (&json!("py_2"), &json!(2500), &json!("succeeded"))
    );
    let back = stand.get("/v1/refunds?capture=py_2").await.json();
    assert_eq!(
        (&back["data"][0]["status"], &back["data"][0]["updated_ms"]),
        (&json!("succeeded"), &json!(START.ms() + 2000))
    );
    assert_eq!(stand.kinds().await, ["checkout.created"]);
    assert_eq!(stand.act("refund", "py_2").await.json()["object"]["amount"]["minor"], 2000, "and goes on");
}
