//! What Slack told us, done: the desk decides, and the answer leaves in two parts.
//!
//! ```text
//! Heard ─► desk ─► Answer { ack: within three seconds, next: a form, a word in private }
//! ```
//! The acknowledgement waits for one commit and for nothing else. What follows it may be lost with the process: the
//! card does not depend on it.

use crate::api::CallError;
use crate::people::parts;
use crate::receive::{self, AGAIN, Act, AnswerTo, Heard, SHOW, said_at};
use crate::render::plain_text;
use crate::views::{self, AMOUNT_FIELD, FormAt, PayFields, PayForm, Question};
use crate::wire::{Interaction, Org, Outer, SlashCommand};
use crate::{Access, Slack, mrkdwn};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use till_core::command::Verb;
use till_core::money::{Money, Reading};
use till_core::payment::Refusal;
use till_core::place::{PersonId, Place};
use till_core::port::chat::{SendError, Standing};
use till_core::port::desk::{Ack, Again, Deed, Inbound};

/// The button that opens the form, where there was no trigger to open it with.
pub(crate) const FORM: &str = "form";
/// Currencies that the form offers after the merchant's own.
const CURRENCIES: [&str; 12] = ["EUR", "USD", "GBP", "CHF", "JPY", "CAD", "AUD", "SEK", "NOK", "DKK", "PLN", "CZK"];
/// How long an acknowledgement waits for somebody's name.
const NAME: Duration = Duration::from_secs(1);
/// The longest text that fits behind a button.
const VALUE_CHARS_MAX: usize = 2_000;

/// What Slack told us, and the organization that added Till for all its workspaces, where one did.
#[derive(Debug, Default)]
pub(crate) struct Told {
    heard: Heard,
    org: Option<Org>,
}

/// What leaves at once, and what follows.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// `None`: an empty acknowledgement.
    pub(crate) ack: Option<Value>,
    pub(crate) next: Option<Next>,
    /// Nothing was done: Slack shall deliver it again.
    pub(crate) is_to_come_again: bool,
}

/// What follows the acknowledgement.
#[derive(Debug)]
pub(crate) enum Next {
    PayForm {
        by: PersonId,
        trigger: String,
        at: FormAt,
        payer: Option<String>,
    },
    AmountForm {
        by: PersonId,
        trigger: String,
        at: FormAt,
        asked: Question,
    },
    Say {
        to: PersonId,
        at: Place,
        message: Value,
    },
    Home(PersonId),
    /// Whether the token of a workspace is dead, as an event says.
    Examine {
        workspace: String,
    },
}

impl Answer {
    fn with(ack: Value) -> Self {
        Self { ack: Some(ack), ..Self::default() }
    }

    fn then(next: Next) -> Self {
        Self { next: Some(next), ..Self::default() }
    }
}

#[derive(Deserialize)]
struct Opened {
    channel: OpenedChannel,
}

#[derive(Deserialize)]
struct OpenedChannel {
    id: String,
}

impl Slack {
    pub(crate) fn told_of_command(&self, command: SlashCommand) -> Told {
        Told { org: command.org(), heard: receive::command(command, &self.settings.grammar) }
    }

    pub(crate) fn told_of_interaction(&self, interaction: Interaction) -> Told {
        Told { org: interaction.org(), heard: receive::interaction(interaction) }
    }

    pub(crate) fn told_of_event(&self, event: Outer) -> Told {
        Told { org: event.org(), heard: receive::event(event, &self.settings.grammar, self.settings.keywords) }
    }

    /// Does what is asked. The caller acknowledges, and then lets [`Slack::follow`] do the rest.
    pub(crate) async fn hear(self: &Arc<Self>, told: Told) -> Answer {
        if let (Some(Org { workspace, id }), Access::Installed(installs)) = (&told.org, &self.access) {
            installs.belongs(workspace, id).await;
        }
        match told.heard {
            Heard::Challenge(challenge) => Answer::with(json!({ "challenge": challenge })),
            Heard::Act(act) => self.act(*act).await,
            Heard::WantsPayForm { by, trigger, at, payer } => Answer::then(Next::PayForm { by, trigger, at, payer }),
            Heard::WantsAmountForm { by, trigger, at, asked } => {
                Answer::then(Next::AmountForm { by, trigger, at, asked })
            }
            Heard::PayForm { by, name, view, at, fields } => self.pay_form(by, name, &view, at, fields).await,
            Heard::NoAmount { by } => {
                let errors = json!({ AMOUNT_FIELD: self.tongue(&by).say("slack-form-no-amount", &[]) });
                Answer::with(json!({ "response_action": "errors", "errors": errors }))
            }
            Heard::Home(by) => Answer::then(Next::Home(by)),
            Heard::Removed { workspace } => Answer::then(Next::Examine { workspace }),
            Heard::Nothing => Answer::default(),
        }
    }

    async fn act(self: &Arc<Self>, act: Act) -> Answer {
        let Act { mut inbound, raw, to } = act;
        match self.serves(&inbound.place.workspace).await {
            Ok(true) => {}
            Ok(false) => {
                let place = &inbound.place;
                tracing::warn!(%place, "heard from a workspace for which there is no token: {place}");
                return Answer::default();
            }
            Err(_) => {
                let (by, at) = (inbound.by, inbound.place);
                let text = self.busy(&by);
                return self.shape(Ack::Busy { text }, by, at, raw, "", to);
            }
        }
        // What Slack signed, it need not be asked about.
        match parts(&inbound.by.id) {
            // A message names its writer by id alone.
            Some((_, user)) if user == inbound.name => {
                inbound.name = self.name_of_soon(&inbound.by, &inbound.place.workspace).await.unwrap_or(inbound.name);
            }
            Some(_) | None => self.people.saw(&inbound.by.id, &inbound.name, self.now()),
        }
        self.learn(&inbound.by, &inbound.place.workspace);
        inbound.locale = self.people.locale(&inbound.by.id, self.now());
        let (by, at, key) = (inbound.by.clone(), inbound.place.clone(), inbound.keys.first().cloned());
        let ack = {
            let desk = self.desk.read().await;
            match desk.as_ref() {
                Some(desk) => desk.hear(inbound).await,
                None => Ack::Busy { text: self.busy(&by) },
            }
        };
        self.shape(ack, by, at, raw, &key.unwrap_or_default(), to)
    }

    /// The desk's answer in the form that this way of asking needs.
    fn shape(&self, ack: Ack, by: PersonId, at: Place, raw: Option<String>, key: &str, to: AnswerTo) -> Answer {
        let message = match &ack {
            Ack::Talk | Ack::Nothing => return Answer::default(),
            Ack::Form => {
                let at = FormAt { place: at, token: None };
                return match to {
                    AnswerTo::Command { trigger } => Answer::then(Next::PayForm { by, trigger, at, payer: None }),
                    AnswerTo::Form { .. } | AnswerTo::Private | AnswerTo::Event => {
                        let message = self.offer_form(&by, &at.place);
                        Answer::then(Next::Say { to: by, at: at.place, message })
                    }
                };
            }
            Ack::Say { text, .. } | Ack::Busy { text } => json!({ "text": mrkdwn::escape(text) }),
            Ack::Same { text, code } => self.offer_again(&by, &at, text, &code.to_string(), raw.as_deref(), key),
        };
        match (to, &ack) {
            (AnswerTo::Command { .. }, _) => {
                let mut message = message;
                message["response_type"] = "ephemeral".into();
                Answer::with(message)
            }
            (AnswerTo::Form { field }, Ack::Say { text, code: None } | Ack::Busy { text }) => {
                Answer::with(json!({ "response_action": "errors", "errors": { field: text } }))
            }
            (AnswerTo::Form { .. }, _) => Answer {
                ack: Some(json!({ "response_action": "clear" })),
                next: Some(Next::Say { to: by, at, message }),
                is_to_come_again: false,
            },
            (AnswerTo::Event, Ack::Busy { .. }) => {
                // Nobody waits for this answer, and the message is still there: Slack brings it again.
                Answer { is_to_come_again: true, ..Answer::default() }
            }
            (AnswerTo::Private | AnswerTo::Event, _) => Answer::then(Next::Say { to: by, at, message }),
        }
    }

    async fn pay_form(
        self: &Arc<Self>,
        by: PersonId,
        name: String,
        view: &str,
        at: FormAt,
        fields: PayFields,
    ) -> Answer {
        let reading = Reading { own: self.settings.currency, locale: self.tongues.own() };
        if let Err(bad) = Money::read(&format!("{} {}", fields.amount.trim(), fields.currency), &reading) {
            let errors = json!({ AMOUNT_FIELD: bad.say(&self.tongue(&by)) });
            return Answer::with(json!({ "response_action": "errors", "errors": errors }));
        }
        let payer = match &fields.payer {
            Some(user) => {
                let payer = receive::person(&at.place.workspace, user);
                self.name_of_soon(&payer, &at.place.workspace).await
            }
            None => None,
        };
        let raw = fields.command(&self.settings.grammar.opening(Verb::Pay), payer.as_deref());
        let read = mrkdwn::read(&raw, &at.place.workspace);
        let deed = Deed::Typed { text: read.text, mentions: read.mentions, again: Again::Unasked };
        let inbound =
            Inbound { keys: vec![format!("view:{view}")], by, name, locale: None, place: at.place, on: None, deed };
        self.act(Act { inbound, raw: Some(raw), to: AnswerTo::Form { field: AMOUNT_FIELD } }).await
    }

    fn busy(&self, by: &PersonId) -> String {
        self.tongue(by).say("desk-busy", &[])
    }

    /// What this person is called, where Slack says it soon.
    async fn name_of_soon(&self, who: &PersonId, via: &str) -> Option<String> {
        let asked = tokio::time::timeout(NAME, self.look_up(who, via)).await;
        asked.ok()?.ok().flatten().map(|person| person.name)
    }

    fn offer_form(&self, by: &PersonId, at: &Place) -> Value {
        let locale = self.tongue(by);
        let button = json!({
            "type": "button", "action_id": FORM, "text": plain_text(&locale.say("slack-form-open", &[])), "value": FORM,
        });
        let text = locale.say("slack-form-offer", &[]);
        json!({ "text": text, "blocks": [
            { "type": "section", "text": plain_text(&text) },
            { "type": "actions", "block_id": said_at(at, FORM), "elements": [button] },
        ]})
    }

    fn offer_again(&self, by: &PersonId, at: &Place, text: &str, code: &str, raw: Option<&str>, key: &str) -> Value {
        let locale = self.tongue(by);
        let button = |id: &str, word: &str, value: &str| json!({ "type": "button", "action_id": id, "text": plain_text(&locale.say(word, &[])), "value": value });
        let mut buttons = vec![button(SHOW, "slack-show-it", code)];
        let fits = |raw: &&str| raw.chars().count() <= VALUE_CHARS_MAX;
        buttons.extend(raw.filter(fits).map(|raw| button(AGAIN, "slack-one-more", raw)));
        json!({ "text": mrkdwn::escape(text), "blocks": [
            { "type": "section", "text": plain_text(text) },
            { "type": "actions", "block_id": said_at(at, key), "elements": buttons },
        ]})
    }

    /// Does what follows an acknowledgement.
    pub(crate) async fn follow(self: Arc<Self>, next: Next) {
        let done = match next {
            Next::PayForm { by, trigger, at, payer } => {
                let opened = self.open_pay_form(&by, &trigger, &at, payer.as_deref()).await;
                self.or_say(opened, &by, &at, self.offer_form(&by, &at.place)).await
            }
            Next::AmountForm { by, trigger, at, asked } => {
                let view = |locale: &_| views::amount(&at, &asked, locale);
                let opened = self.open_form(&by, &trigger, &at, view).await;
                self.or_say(opened, &by, &at, json!({ "text": self.busy(&by) })).await
            }
            Next::Say { to, at, message } => self.say_privately(&to, &at, &message).await,
            Next::Home(by) => self.show_home(&by).await,
            Next::Examine { workspace } => self.look_whether_removed(&workspace).await,
        };
        if let Err(error) = done {
            tracing::warn!(%error, "an answer was not shown: {error}");
        }
    }

    /// Slack tells late and repeats itself: of a token that works, an event says nothing any more.
    async fn look_whether_removed(&self, workspace: &str) -> Result<(), SendError> {
        let now = self.now();
        match &self.access {
            Access::Own { .. } => match self.know_workspace().await {
                Err(SendError::AuthDead) => {
                    tracing::error!(%workspace, "Till was taken out of the Slack workspace {workspace}: install it again");
                    Ok(())
                }
                known => known,
            },
            Access::Installed(installs) => {
                for held in installs.of(workspace, now).await? {
                    if let Err(CallError::Refused(code)) =
                        self.api.call::<Value>(&held.token, "auth.test", &json!({}), now).await
                    {
                        installs.refused(&held, &code).await?;
                    }
                }
                Ok(())
            }
        }
    }

    /// A form that did not open says so.
    async fn or_say(
        &self,
        opened: Result<(), SendError>,
        by: &PersonId,
        at: &FormAt,
        instead: Value,
    ) -> Result<(), SendError> {
        let Err(error) = opened else { return Ok(()) };
        tracing::warn!(%error, "a form was not opened: {error}");
        self.say_privately(by, &at.place, &instead).await
    }

    async fn open_pay_form(
        &self,
        by: &PersonId,
        trigger: &str,
        at: &FormAt,
        payer: Option<&str>,
    ) -> Result<(), SendError> {
        let own = self.settings.currency.code();
        let rest = CURRENCIES.into_iter().filter(|code| *code != own);
        let currencies: Vec<String> = [own].into_iter().chain(rest).map(str::to_owned).collect();
        self.open_form(by, trigger, at, |locale| views::pay(&PayForm { currencies: &currencies, at, payer }, locale))
            .await
    }

    /// Opens a form for staff; anybody else is told who may.
    async fn open_form(
        &self,
        by: &PersonId,
        trigger: &str,
        at: &FormAt,
        view: impl FnOnce(&till_core::text::Locale) -> Value,
    ) -> Result<(), SendError> {
        let standing = self.look_up(by, &at.place.workspace).await?.map_or(Standing::Guest, |person| person.standing);
        if standing == Standing::Guest {
            let text = Refusal::NotStaff.say(&self.tongue(by));
            return self.say_privately(by, &at.place, &json!({ "text": mrkdwn::escape(&text) })).await;
        }
        let body = json!({ "trigger_id": trigger, "view": view(&self.tongue(by)) });
        self.call::<Value>(&at.place.workspace, "views.open", body).await.map(drop)
    }

    /// In the place itself where Slack shows it there, else in a direct conversation.
    pub(crate) async fn say_privately(&self, to: &PersonId, at: &Place, message: &Value) -> Result<(), SendError> {
        let Some((_, user)) = parts(&to.id) else { return Err(SendError::Forbidden) };
        let mut body = message.clone();
        body["channel"] = at.channel.as_str().into();
        body["user"] = user.into();
        if let Some(thread) = &at.thread {
            body["thread_ts"] = thread.as_str().into();
        }
        match self.call::<Value>(&at.workspace, "chat.postEphemeral", body).await {
            Err(SendError::Forbidden | SendError::Gone | SendError::Bug(_)) => {
                self.direct(&at.workspace, user, message, None).await
            }
            said => said.map(drop),
        }
    }

    /// A message in the direct conversation with one person.
    pub(crate) async fn direct(
        &self,
        workspace: &str,
        user: &str,
        message: &Value,
        metadata: Option<Value>,
    ) -> Result<(), SendError> {
        let opened: Opened = self.call(workspace, "conversations.open", json!({ "users": user })).await?;
        let mut body = message.clone();
        body["channel"] = opened.channel.id.into();
        body["unfurl_links"] = false.into();
        if let Some(metadata) = metadata {
            body["metadata"] = metadata;
        }
        self.call::<Value>(workspace, "chat.postMessage", body).await.map(drop)
    }
}
