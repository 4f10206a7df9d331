//! Every call, from the key to the answer: one table of endpoints, and the order in which a call is judged.

use crate::ask::Params;
use crate::call::{Answer, Call, Recorded, Reply};
use crate::keys::Caller;
use crate::once::Keyed;
use crate::problem::{Problem, pretty};
use crate::trouble::Fault;
use crate::{API_VERSION, World, account, disputes, events, expand, form, hooks, intents, refunds, sessions};
use serde_json::Value;
use till_core::time::Timestamp;

type Run = fn(&mut World, &Caller, &str, Params) -> Result<Value, Problem>;

struct Endpoint {
    method: &'static str,
    /// Below `/v1/`; `:` stands for the id.
    path: &'static str,
    needs: &'static [&'static str],
    run: Run,
}

const fn at(method: &'static str, path: &'static str, needs: &'static [&'static str], run: Run) -> Endpoint {
    Endpoint { method, path, needs, run }
}

const ENDPOINTS: [Endpoint; 25] = [
    at("POST", "checkout/sessions", &["rak_checkout_session_write"], sessions::create),
    at("GET", "checkout/sessions", &["rak_checkout_session_read"], sessions::list),
    at("GET", "checkout/sessions/:", &["rak_checkout_session_read"], sessions::show),
    at("GET", "checkout/sessions/:/line_items", &["rak_checkout_session_read"], sessions::line_items),
    at("POST", "checkout/sessions/:/expire", &["rak_checkout_session_write"], sessions::expire),
    at("GET", "payment_intents", &["rak_payment_intent_read"], intents::list_intents),
    at("GET", "payment_intents/:", &["rak_payment_intent_read"], intents::show_intent),
    at("GET", "charges", &["rak_charge_read"], intents::list_charges),
    at("GET", "charges/:", &["rak_charge_read"], intents::show_charge),
    at("POST", "refunds", &["rak_charge_write"], refunds::create),
    at("GET", "refunds", &["rak_charge_read"], refunds::list),
    at("GET", "refunds/:", &["rak_charge_read"], refunds::show),
    at("GET", "disputes", &["rak_dispute_read"], disputes::list),
    at("GET", "disputes/:", &["rak_dispute_read"], disputes::show),
    at("GET", "events", &["rak_event_read"], events::list),
    at("GET", "events/:", &["rak_event_read"], events::show),
    at("POST", "webhook_endpoints", &["rak_webhook_write"], hooks::create),
    at("GET", "webhook_endpoints", &["rak_webhook_read"], hooks::list),
    at("GET", "webhook_endpoints/:", &["rak_webhook_read"], hooks::show),
    at("POST", "webhook_endpoints/:", &["rak_webhook_write"], hooks::update),
    at("DELETE", "webhook_endpoints/:", &["rak_webhook_write"], hooks::delete),
    // Reading an account shows its owner's papers; Stripe names the permission for that (stripe-node#2246).
    at("GET", "account", &["rak_accounts_kyc_basic_read"], account::own),
    at("GET", "accounts/:", &["rak_accounts_kyc_basic_read"], account::show),
    at("GET", "balance", &["rak_balance_read"], account::balance),
    at("GET", "balance_transactions/:", &["rak_balance_transaction_source_read"], account::transaction),
];

fn endpoint(call: &Call) -> Result<(&'static Endpoint, String), Problem> {
    let given: Vec<&str> = call.route().strip_prefix("/v1/").unwrap_or_default().split('/').collect();
    let fits = |endpoint: &&Endpoint| {
        let wanted: Vec<&str> = endpoint.path.split('/').collect();
        let same = |(want, got): (&&str, &&str)| want == got || *want == ":" && !got.is_empty();
        endpoint.method == call.method && wanted.len() == given.len() && wanted.iter().zip(&given).all(same)
    };
    let Some(endpoint) = ENDPOINTS.iter().find(fits) else {
        let message = format!(
            "Unrecognized request URL ({}: {}). Please see https://stripe.com/docs or we can help at \
             https://support.stripe.com/.",
            call.method,
            call.route()
        );
        return Err(Problem::invalid(message).status(404));
    };
    let id = endpoint.path.split('/').position(|part| part == ":").map_or("", |at| given[at]);
    Ok((endpoint, id.to_owned()))
}

/// A call that may be carried out.
struct Ready {
    endpoint: &'static Endpoint,
    id: String,
    caller: Caller,
    params: Value,
    keyed: Option<Keyed>,
}

impl World {
    /// One call, whatever becomes of it.
    pub(crate) fn reply(&mut self, call: &Call) -> Reply {
        let fault = self.trouble.strikes(call, self.now);
        if fault == Some(Fault::LostBefore) {
            return Reply::Unsent;
        }
        let request = self.id("req_", 14);
        self.asking = Some((request.clone(), call.key().map(str::to_owned)));
        let answer = self.serve(call, &request, fault.as_ref());
        self.asking = None;
        self.record(call, answer.status);
        if fault == Some(Fault::LostAfter) { Reply::Unanswered } else { Reply::Answer(answer) }
    }

    fn serve(&mut self, call: &Call, request: &str, fault: Option<&Fault>) -> Answer {
        if let Some(problem) = fault.and_then(Fault::refusal) {
            return self.refusal(call, request, &problem);
        }
        let ready = match self.ready(call) {
            Ok(ready) => ready,
            Err(problem) => return self.refusal(call, request, &problem),
        };
        match ready.keyed.as_ref().map_or(Ok(None), |keyed| self.once.look(keyed, self.now)) {
            Err(problem) => return self.refusal(call, request, &problem),
            Ok(Some(saved)) => {
                let mut answer = self.respond(call, request, saved.status, saved.body);
                answer.headers.push(("idempotent-replayed".into(), "true".into()));
                answer.headers.retain(|(name, _)| name != "original-request");
                answer.headers.push(("original-request".into(), saved.request));
                return answer;
            }
            Ok(None) => {}
        }
        let done = match fault {
            Some(Fault::ErrorBefore) => Err(Problem::api(500)),
            Some(Fault::ErrorAfter) => self.run(&ready).and(Err(Problem::api(500))),
            _ => self.run(&ready),
        };
        let (answer, saves) = match done {
            Ok(object) => (self.respond(call, request, 200, pretty(&object).into_bytes()), true),
            Err(problem) => (self.refusal(call, request, &problem), problem.begun),
        };
        if let Some(keyed) = ready.keyed.filter(|_| saves) {
            self.once.save(keyed, request, &answer, self.now);
        }
        answer
    }

    fn run(&mut self, ready: &Ready) -> Result<Value, Problem> {
        (ready.endpoint.run)(self, &ready.caller, &ready.id, Params::new(ready.params.clone()))
    }

    /// Judges a call up to where its endpoint begins.
    fn ready(&self, call: &Call) -> Result<Ready, Problem> {
        let caller = self.caller(call)?;
        version(call)?;
        let caller = self.acting_for(caller, call)?;
        let params = params(call)?;
        let (endpoint, id) = endpoint(call)?;
        caller.may(&[endpoint.needs, &expand::needs(&params)].concat())?;
        let keyed = call.key().map(|key| Keyed {
            slot: (caller.account.clone(), key.to_owned()),
            path: call.route().to_owned(),
            params: params.to_string(),
        });
        Ok(Ready { endpoint, id, caller, params, keyed })
    }

    fn refusal(&self, call: &Call, request: &str, problem: &Problem) -> Answer {
        let mut answer = self.respond(call, request, problem.status, problem.body(request).into_bytes());
        answer.headers.extend(problem.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        answer
    }

    fn respond(&self, call: &Call, request: &str, status: u16, body: Vec<u8>) -> Answer {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut headers = vec![
            header("content-type", "application/json"),
            header("cache-control", "no-cache, no-store"),
            header("date", &http_date(self.now)),
            header("request-id", request),
            header("stripe-version", call.get("stripe-version").unwrap_or(API_VERSION)),
        ];
        if let Some(key) = call.key() {
            headers.extend([header("idempotency-key", key), header("original-request", request)]);
        }
        Answer { status, headers, body }
    }

    fn record(&mut self, call: &Call, status: u16) {
        self.recorded.push(Recorded {
            method: call.method.clone(),
            path: call.route().to_owned(),
            params: form::read(&call.form_given()).unwrap_or_default(),
            headers: call.headers.iter().filter(|(name, _)| name != "authorization").cloned().collect(),
            status,
        });
    }
}

fn version(call: &Call) -> Result<(), Problem> {
    let Some(version) = call.get("stripe-version") else { return Ok(()) };
    let (day, name) = version.split_once('.').map_or((version, None), |(day, name)| (day, Some(name)));
    let digits = |part: &str, len: usize| part.len() == len && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = day.split('-').collect();
    let dated = matches!(parts[..], [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2));
    let named = name.is_none_or(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase()));
    if dated && named {
        return Ok(());
    }
    Err(Problem::invalid(format!("Invalid Stripe API version: {version}")))
}

fn params(call: &Call) -> Result<Value, Problem> {
    let malformed = || {
        Problem::invalid(
            "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have any \
             questions, we can help at https://support.stripe.com/.",
        )
    };
    let kind = call.get("content-type").and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    if call.posts() && !call.body.is_empty() && !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(malformed());
    }
    form::read(&call.form_given()).ok_or_else(malformed)
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 7231, section 7.1.1.1).
pub(crate) fn http_date(at: Timestamp) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (precise, days) = (at.precise(), usize::try_from(at.secs() / 86_400).unwrap_or_default());
    let month = precise[5..7].parse::<usize>().map_or("Jan", |month| MONTHS[month - 1]);
    format!("{}, {} {month} {} {} GMT", DAYS[days % 7], &precise[8..10], &precise[..4], &precise[11..19])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_http() {
        assert_eq!(http_date(Timestamp::from_secs(784_111_777)), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(Timestamp::default()), "Thu, 01 Jan 1970 00:00:00 GMT");
    }
}
