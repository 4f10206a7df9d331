//! The difficult character's API: everything that real providers make hard, behind `/d`.
//!
//! ```text
//! POST /d/orders   GET /d/orders[/{id}]   POST /d/orders/{id}/capture               Bearer, Request-Id
//! POST /d/captures/{id}/refund            GET /d/captures/{id}   GET /d/refunds     GET /d/events
//! webhook ◄── id=ord_…    unsigned, and nothing else
//! ```
//! A payer approves, and may choose how much; the merchant takes it within three hours or it is let go. Keys are
//! remembered for three hours. Amounts are decimal texts. One text, `custom_id`, is all that a merchant can attach.
//!
//! Deliberately absent: a call that closes an order.

use crate::World;
use crate::api::{Authorised, Body, Params, Site, authorise, do_once, listed, page, param};
use crate::checkouts::{Fresh, by_capture, by_id};
use crate::db::Db;
use crate::difficult_ask::{NewBack, NewOrder};
use crate::object::{Api, Checkout, Dispute, Refund, State as Standing};
use crate::once::Keyed;
use crate::problem::{Failure, Problem, json_response};
use crate::{decimal, disputes, refunds};
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use till_core::money::Money;
use till_core::time::Timestamp;

/// How long an approval waits to be taken. Source: PayPal docs, "Uncaptured payments".
pub(crate) const APPROVAL: Duration = Duration::from_secs(3 * 3600);

/// Everything below `/d`.
pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/d/orders", post(create).get(find))
        .route("/d/orders/{id}", get(show))
        .route("/d/orders/{id}/capture", post(take))
        .route("/d/captures/{id}", get(show_paid))
        .route("/d/captures/{id}/refund", post(back))
        .route("/d/refunds", get(find_refund))
        .route("/d/events", get(list))
}

async fn create(State(world): Site, headers: HeaderMap, body: Body) -> Result<Response, Failure> {
    let call = Authorised::new(&world, &headers, body, Api::Difficult)?;
    do_once(&world, Keyed::order(call.key.as_deref(), &call.body)).await
}

async fn take(State(world): Site, Path(id): Path<String>, headers: HeaderMap, body: Body) -> Result<Response, Failure> {
    let call = Authorised::new(&world, &headers, body, Api::Difficult)?;
    do_once(&world, Keyed::take(call.key.as_deref(), &id, &call.body)).await
}

async fn back(State(world): Site, Path(id): Path<String>, headers: HeaderMap, body: Body) -> Result<Response, Failure> {
    let call = Authorised::new(&world, &headers, body, Api::Difficult)?;
    do_once(&world, Keyed::back(call.key.as_deref(), &id, &call.body)).await
}

async fn show(State(world): Site, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, Failure> {
    authorise(&world, &headers)?;
    let found = world.checkout(&id).await?.filter(|it| it.api == Api::Difficult);
    let found = found.ok_or_else(|| Problem::not_found("order"))?;
    let mut db = world.read.acquire().await?;
    Ok(json_response(200, world.order(&mut db, &found, world.now()).await?.to_string()))
}

async fn show_paid(State(world): Site, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, Failure> {
    authorise(&world, &headers)?;
    let mut db = world.read.acquire().await?;
    let found = by_capture(&mut db, &id).await?.filter(|it| it.api == Api::Difficult);
    let found = found.ok_or_else(|| Problem::not_found("capture"))?;
    Ok(json_response(200, world.order(&mut db, &found, world.now()).await?.to_string()))
}

async fn find(State(world): Site, Query(params): Params, headers: HeaderMap) -> Result<Response, Failure> {
    authorise(&world, &headers)?;
    let ids = ids_of(&mut *world.read.acquire().await?, param(&params, "custom_id")?).await?;
    let mut found = Vec::new();
    for id in ids {
        if let Some(order) = world.checkout(&id).await? {
            found.push(world.order(&mut *world.read.acquire().await?, &order, world.now()).await?);
        }
    }
    listed(found, "order")
}

async fn find_refund(State(world): Site, Query(params): Params, headers: HeaderMap) -> Result<Response, Failure> {
    authorise(&world, &headers)?;
    let found = refunds::of_custom_id(&mut *world.read.acquire().await?, param(&params, "custom_id")?).await?;
    listed(found.iter().map(|it| world.refund_of_order(it, world.now())).collect(), "refund")
}

async fn list(State(world): Site, Query(params): Params, headers: HeaderMap) -> Result<Response, Failure> {
    authorise(&world, &headers)?;
    page(&world, &params, Api::Difficult).await
}

impl World {
    /// Makes an order.
    pub(crate) async fn create_order(&self, db: &mut Db, new: &NewOrder, now: Timestamp) -> Result<Value, Failure> {
        let order = new.checkout()?;
        let (amount, closes_at) = order.checked(now)?;
        let fresh = Fresh {
            api: Api::Difficult,
            amount,
            lines: &order.lines,
            metadata: &order.metadata,
            return_url: &order.return_url,
            locale: &order.locale,
            closes_at,
            always_challenged: false,
        };
        let made = self.insert(db, &fresh, now).await?;
        Ok(self.order(db, &made, now).await?)
    }

    /// The payer agrees to an amount; the merchant may take it for a while.
    pub(crate) async fn approve(&self, db: &mut Db, it: &Checkout, chosen: Money, now: Timestamp) -> sqlx::Result<()> {
        sqlx::query("update checkouts set chosen_minor = ?, approved_until_ms = ? where id = ?")
            .bind(chosen.minor())
            .bind(now.after(APPROVAL).ms())
            .bind(&it.id)
            .execute(&mut *db)
            .await?;
        self.become_state(db, &it.id, "approved", now).await?;
        self.told(db, "order.approved", &it.id, now).await.map(drop)
    }

    /// Takes what the payer agreed to; what was taken before is success.
    pub(crate) async fn take_order(&self, db: &mut Db, id: &str, now: Timestamp) -> Result<Value, Failure> {
        self.close_when_due(db, id, now).await?;
        let found = by_id(db, id).await?.filter(|it| it.api == Api::Difficult);
        let it = found.ok_or_else(|| Problem::not_found("order"))?;
        let taken = match it.state {
            Standing::Approved { chosen, .. } => self.arrive(db, &it, chosen, now).await?,
            Standing::Paid(_) => it,
            Standing::Open | Standing::Processing => {
                return Err(Problem::refused("not_approved", "the payer has not approved this order").into());
            }
            Standing::Expired | Standing::Failed => {
                return Err(Problem::refused("approval_gone", "this order was let go").into());
            }
        };
        Ok(self.order(db, &taken, now).await?)
    }

    /// Makes a refund.
    pub(crate) async fn back(&self, db: &mut Db, id: &str, new: &NewBack, now: Timestamp) -> Result<Value, Failure> {
        let (amount, metadata) = new.checked()?;
        let made = self.send_back(db, Api::Difficult, id, Some(amount), &metadata, now).await?;
        Ok(self.refund_of_order(&made, now))
    }

    /// An order with everything that hangs on it.
    async fn order(&self, db: &mut Db, it: &Checkout, now: Timestamp) -> sqlx::Result<Value> {
        let (mut back, mut asked) = (Vec::new(), Vec::new());
        if let Some(paid) = it.capture() {
            back = refunds::out_of(db, &paid.id).await?;
            asked = disputes::about(db, &paid.id).await?;
        }
        let declines = declines(db, &it.id).await?;
        let status = match &it.state {
            Standing::Open => "created",
            Standing::Approved { .. } => "approved",
            Standing::Processing => "pending",
            Standing::Failed => "failed",
            Standing::Paid(_) => "completed",
            Standing::Expired => "expired",
        };
        Ok(json!({
            "id": it.id,
            "account": self.config.account,
            "livemode": false,
            "status": status,
            "amount": texts(it.amount),
            "custom_id": it.metadata.get("custom_id"),
            "approve_url": format!("{}/pay/{}", self.config.public_url, it.id),
            "expires_at_ms": it.expires,
            "updated_ms": it.updated,
            "now_ms": now,
            "capture": it.capture().map(|paid| json!({
                "id": paid.id, "amount": texts(paid.amount), "at_ms": paid.at, "reversed_ms": paid.reversed,
            })),
            "attempts": declines.iter().map(|(id, code, at_ms)| json!({"id": id, "code": code, "at_ms": at_ms}))
                .collect::<Vec<_>>(),
            "refunds": back.iter().map(|refund| self.refund_of_order(refund, now)).collect::<Vec<_>>(),
            "disputes": asked.iter().map(dispute).collect::<Vec<_>>(),
        }))
    }

    fn refund_of_order(&self, it: &Refund, now: Timestamp) -> Value {
        json!({
            "id": it.id,
            "account": self.config.account,
            "livemode": false,
            "status": it.status.word(),
            "order": it.checkout,
            "capture": it.capture,
            "amount": texts(it.amount),
            "custom_id": it.metadata.get("custom_id"),
            "order_custom_id": it.payment_metadata.get("custom_id"),
            "updated_ms": it.updated,
            "now_ms": now,
        })
    }
}

fn dispute(it: &Dispute) -> Value {
    json!({
        "id": it.id,
        "status": it.status.word(),
        "capture": it.capture,
        "amount": texts(it.amount),
        "withdrawn": texts(it.withdrawn),
        "moves": it.moves,
        "answer_by_ms": it.answer_by,
        "updated_ms": it.updated,
    })
}

fn texts(amount: Money) -> Value {
    json!({"value": decimal::text(amount), "currency": amount.currency().code()})
}

/// Ids of the orders with this `custom_id`, oldest first.
async fn ids_of(db: &mut Db, custom_id: &str) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select id from checkouts where api = 'difficult' and metadata ->> '$.custom_id' = ? order by seq",
    )
    .bind(custom_id)
    .fetch_all(db)
    .await
}

/// Tries of the payer that were declined: id, code, time.
async fn declines(db: &mut Db, order: &str) -> sqlx::Result<Vec<(String, String, i64)>> {
    sqlx::query_as("select id, code, created_ms from declines where checkout = ? order by seq")
        .bind(order)
        .fetch_all(db)
        .await
}
