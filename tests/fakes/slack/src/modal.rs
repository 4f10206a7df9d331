//! A person before a modal: fills it in, sends it, closes it; Slack checks before the app does.

use crate::Slack;
use crate::content::elements;
use crate::deliver::{Answer, Kind};
use crate::hand::option;
use crate::views::check;
use crate::world::World;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const TROUBLE: &str = "We had some trouble connecting. Try again?";

/// What came of sending a modal.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// What the person sees now.
    pub outcome: Outcome,
    /// What the app said; none where nothing was sent.
    pub answer: Option<Answer>,
}

/// What a person sees after they sent a modal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Slack itself did not let it through: why, by block.
    NotSent(BTreeMap<String, String>),
    /// It is closed; what lay below it is seen again.
    Closed,
    /// The whole stack is closed.
    Cleared,
    /// The app wants something else: why, by block.
    Errors(BTreeMap<String, String>),
    /// It says something else now.
    Updated,
    /// Another lies upon it: its id.
    Pushed(String),
    /// Nothing in time, or nothing that Slack understands; it stays open.
    Trouble(String),
}

impl World {
    /// The state of every input, with what the person put in; or why Slack does not send it.
    fn filled(&self, view: &Value, values: &BTreeMap<&str, Value>) -> Result<Value, BTreeMap<String, String>> {
        let (mut state, mut wrong, mut left) = (Map::new(), BTreeMap::new(), values.clone());
        for block in view["blocks"].as_array().into_iter().flatten() {
            let block_id = block["block_id"].as_str().unwrap_or_default();
            let is_input = block["type"] == "input";
            for element in elements(block).into_iter().filter(|element| element["type"] != "button") {
                let action = element["action_id"].as_str().unwrap_or_default();
                let given = left.remove(action).or_else(|| initial(element));
                let required = is_input && block["optional"] != true;
                match put(element, given.as_ref()) {
                    Ok(None) if required => {
                        wrong.insert(block_id.to_owned(), "Please complete this required field.".to_owned());
                    }
                    Ok(filled) => {
                        let filled = filled.unwrap_or_else(|| empty(element));
                        state.entry(block_id).or_insert_with(|| json!({}))[action] = filled;
                    }
                    Err(why) => drop(wrong.insert(block_id.to_owned(), why)),
                }
            }
        }
        assert!(left.is_empty(), "there is no input for {left:?} in {view:#}");
        if wrong.is_empty() { Ok(Value::Object(state)) } else { Err(wrong) }
    }

    /// What the answer to a submission does.
    fn submitted(&mut self, id: &str, answer: &Answer) -> Outcome {
        let trouble = |world: &mut Self, why: String| {
            world.complaints.push(why);
            Outcome::Trouble(TROUBLE.to_owned())
        };
        if let Some(error) = answer.error {
            return trouble(self, format!("a modal was not acknowledged: {error}"));
        }
        let body = &answer.body;
        let said_nothing =
            body.is_null() || *body == json!({}) || body.as_str().is_some_and(|text| text.trim().is_empty());
        let view = self.views.iter().find(|view| view.id == id).expect("a view of this fake").clone();
        match body["response_action"].as_str() {
            None if said_nothing => {
                self.close(id);
                Outcome::Closed
            }
            Some("clear") => {
                self.stack_of(id).iter().for_each(|id| self.close(id));
                Outcome::Cleared
            }
            Some("errors") => {
                let blocks = view.shown["blocks"].as_array().into_iter().flatten();
                let inputs: Vec<&str> = blocks
                    .filter(|block| block["type"] == "input")
                    .filter_map(|block| block["block_id"].as_str())
                    .collect();
                let errors = body["errors"].as_object().cloned().unwrap_or_default();
                let read = errors.iter().map(|(block, why)| {
                    let why = why.as_str().filter(|_| inputs.contains(&block.as_str()))?;
                    Some((block.clone(), why.to_owned()))
                });
                match read.collect::<Option<BTreeMap<_, _>>>().filter(|errors| !errors.is_empty()) {
                    Some(errors) => Outcome::Errors(errors),
                    None => trouble(self, format!("these errors are at no input: {body}")),
                }
            }
            Some(action @ ("update" | "push")) => {
                if let Err(wrong) = check(&body["view"], "modal") {
                    return trouble(self, format!("the view of an answer is wrong: {wrong:?}"));
                }
                if action == "update" {
                    self.replace(id, body["view"].clone());
                    return Outcome::Updated;
                }
                Outcome::Pushed(self.stand(&view.team, &view.user, body["view"].clone(), Some(id)))
            }
            _ => trouble(self, format!("nobody understands the answer {body}")),
        }
    }

    pub(crate) fn close(&mut self, id: &str) {
        self.views.iter_mut().filter(|view| view.id == id).for_each(|view| view.open = false);
    }
}

/// The key under which an element's state stands, and whether there can be many.
fn slot(kind: &str) -> (&'static str, bool) {
    match kind {
        "static_select" | "external_select" | "radio_buttons" | "overflow" => ("selected_option", false),
        "multi_static_select" | "multi_external_select" | "checkboxes" => ("selected_options", true),
        "users_select" => ("selected_user", false),
        "multi_users_select" => ("selected_users", true),
        "conversations_select" => ("selected_conversation", false),
        "channels_select" => ("selected_channel", false),
        "datepicker" => ("selected_date", false),
        "timepicker" => ("selected_time", false),
        _ => ("value", false),
    }
}

fn initial(element: &Value) -> Option<Value> {
    let value_of = |option: &Value| option["value"].clone();
    let many = element["initial_options"].as_array();
    let many = many.map(|list| Value::Array(list.iter().map(value_of).collect()));
    let one = element.get("initial_option").map(value_of);
    let other = ["initial_value", "initial_user", "initial_users", "initial_date", "initial_time", "initial_channel"];
    many.or(one).or_else(|| other.iter().find_map(|key| element.get(*key).cloned()))
}

fn empty(element: &Value) -> Value {
    let kind = element["type"].as_str().unwrap_or_default();
    let (key, many) = slot(kind);
    let mut state = json!({"type": kind});
    state[key] = if many { json!([]) } else { Value::Null };
    state
}

/// The state of one element; none where it is empty.
fn put(element: &Value, given: Option<&Value>) -> Result<Option<Value>, String> {
    let kind = element["type"].as_str().unwrap_or_default();
    let (key, many) = slot(kind);
    let Some(given) = given.filter(|given| !given.is_null()) else { return Ok(None) };
    let state = |value: Value| {
        let mut state = json!({"type": kind});
        state[key] = value;
        Ok(Some(state))
    };
    if many {
        let list = given.as_array().cloned().unwrap_or_else(|| vec![given.clone()]);
        if list.is_empty() {
            return Ok(None);
        }
        let most = element["max_selected_items"].as_u64().and_then(|max| usize::try_from(max).ok());
        if most.is_some_and(|most| list.len() > most) {
            return Err(format!("choose at most {} items", element["max_selected_items"]));
        }
        if key != "selected_options" {
            return state(list.into());
        }
        let picked = list.iter().map(|value| option(element, value.as_str().unwrap_or_default()));
        let picked = picked.collect::<Option<Vec<_>>>();
        return state(picked.unwrap_or_else(|| panic!("not all of {given} are in {element:#}")).into());
    }
    let text = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
    if text.trim().is_empty() {
        return Ok(None);
    }
    if key == "selected_option" {
        let picked = option(element, &text);
        return state(picked.unwrap_or_else(|| panic!("there is no `{text}` in {element:#}")));
    }
    if key == "value" {
        typed(element, kind, &text)?;
    }
    state(text.into())
}

/// What Slack's client says about a text before it sends it.
fn typed(element: &Value, kind: &str, text: &str) -> Result<(), String> {
    let chars = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    // Slack takes 3,000 characters where the app names no limit.
    let most = element["max_length"].as_u64().unwrap_or(3000);
    if chars > most {
        return Err(format!("Please enter no more than {most} characters."));
    }
    if let Some(least) = element["min_length"].as_u64().filter(|least| chars < *least) {
        return Err(format!("Please enter at least {least} characters."));
    }
    match kind {
        "number_input" => {
            let number: f64 = text.parse().map_err(|_| "Please enter a number.".to_owned())?;
            if element["is_decimal_allowed"] != true && text.contains('.') {
                return Err("Please enter a whole number.".to_owned());
            }
            let bound = |key: &str| element[key].as_str().and_then(|bound| bound.parse::<f64>().ok());
            if bound("min_value").is_some_and(|min| number < min) || bound("max_value").is_some_and(|max| number > max)
            {
                return Err("Please enter a number in range.".to_owned());
            }
            Ok(())
        }
        "email_text_input" if !text.contains('@') => Err("Please enter a valid email address.".to_owned()),
        "url_text_input" if url::Url::parse(text).is_err() => Err("Please enter a valid URL.".to_owned()),
        _ => Ok(()),
    }
}

impl Slack {
    fn top(&self, user: &str, view: &str) -> (String, Value) {
        let world = self.lock();
        let found = world.views.iter().find(|one| one.id == view && one.open && one.user == user);
        let found = found.unwrap_or_else(|| panic!("{user} sees no view {view}"));
        assert_eq!(world.stack_of(view).last().map(String::as_str), Some(view), "another view lies upon it");
        (found.team.clone(), world.view_shown(view))
    }

    /// A person puts these values (text, the value of an option, or a list of them) into the inputs with these
    /// `action_id`s and sends the modal. What they do not name stays as it was.
    pub async fn submit(&self, user: &str, view: &str, values: &[(&str, Value)]) -> Submitted {
        let (team, mut shown) = self.top(user, view);
        let values: BTreeMap<&str, Value> = values.iter().cloned().collect();
        let n = {
            let mut world = self.lock();
            match world.filled(&shown, &values) {
                Err(wrong) => return Submitted { outcome: Outcome::NotSent(wrong), answer: None },
                Ok(state) => shown["state"]["values"] = state,
            }
            let trigger = world.trigger(&team, user, Some(view));
            let mut payload = world.interaction("view_submission", user, &trigger);
            (payload["view"], payload["response_urls"]) = (shown, json!([]));
            world.parcel(Kind::Interaction, "view_submission", payload)
        };
        self.send(n, view).await
    }

    /// The same submission once more: a double click, or an impatient person.
    pub async fn submit_again(&self, n: usize, view: &str) -> Submitted {
        self.send(n, view).await
    }

    async fn send(&self, n: usize, view: &str) -> Submitted {
        let answer = self.inner.deliver(n, None).await;
        let outcome = self.lock().submitted(view, &answer);
        Submitted { outcome, answer: Some(answer) }
    }

    /// A person closes a modal; the app hears of it where it asked to.
    pub async fn close_view(&self, user: &str, view: &str) -> Option<Answer> {
        let (_, shown) = self.top(user, view);
        let n = {
            let mut world = self.lock();
            let gone = if shown["clear_on_close"] == true { world.stack_of(view) } else { vec![view.to_owned()] };
            gone.iter().for_each(|id| world.close(id));
            if shown["notify_on_close"] != true {
                return None;
            }
            let mut payload = world.interaction("view_closed", user, "");
            payload.as_object_mut().expect("an object").remove("trigger_id");
            (payload["view"], payload["is_cleared"]) = (shown, json!(gone.len() > 1));
            world.parcel(Kind::Interaction, "view_closed", payload)
        };
        Some(self.inner.deliver(n, None).await)
    }

    /// A click on a button inside a modal or a home.
    pub async fn click_view(&self, user: &str, view: &str, action_id: &str) -> Answer {
        let n = {
            let mut world = self.lock();
            let found = world.views.iter().find(|one| one.id == view && one.open && one.user == user);
            let team = found.unwrap_or_else(|| panic!("{user} sees no view {view}")).team.clone();
            let shown = world.view_shown(view);
            let element = shown["blocks"].as_array().into_iter().flatten().find_map(|block| {
                let element = elements(block).into_iter().find(|element| element["action_id"] == action_id)?;
                Some((block["block_id"].clone(), element.clone()))
            });
            let (block_id, element) = element.unwrap_or_else(|| panic!("there is no `{action_id}` in {shown:#}"));
            let (now, trigger) = (world.ts(), world.trigger(&team, user, Some(view)));
            let mut payload = world.interaction("block_actions", user, &trigger);
            let mut action = json!({"type": "button", "action_id": action_id, "block_id": block_id, "action_ts": now});
            for key in ["text", "value", "style", "url"] {
                if let Some(value) = element.get(key) {
                    action[key] = value.clone();
                }
            }
            payload["container"] = json!({"type": "view", "view_id": view});
            (payload["view"], payload["actions"]) = (shown, json!([action]));
            world.parcel(Kind::Interaction, "block_actions", payload)
        };
        self.inner.deliver(n, None).await
    }
}
