//! Pages of lists: newest first, with a cursor to either side.

use crate::ask::Params;
use crate::expand;
use crate::problem::Problem;
use crate::{number, text};
use serde_json::{Value, json};

const LIMIT: i64 = 10;
const LIMIT_MAX: i64 = 100;

/// Which page of a list is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    limit: usize,
    after: Option<String>,
    before: Option<String>,
    created: Vec<(&'static str, i64)>,
    expand: Vec<String>,
    kind: String,
}

impl Page {
    /// Takes the parameters that lists share; `created` only where a list has it.
    pub(crate) fn read(params: &mut Params, kind: &str, has_created: bool) -> Result<Self, Problem> {
        let limit = params.integer("limit", 1)?.unwrap_or(LIMIT);
        if limit > LIMIT_MAX {
            let message = format!("This value must be less than or equal to {LIMIT_MAX}.");
            return Err(Problem::invalid(message).code("parameter_invalid_integer").param("limit"));
        }
        let (after, before) = (params.text("starting_after", 5000)?, params.text("ending_before", 5000)?);
        if after.is_some() && before.is_some() {
            return Err(Problem::invalid("You cannot parameterize both starting_after and ending_before."));
        }
        let created = if has_created { created(params)? } else { Vec::new() };
        let expand = expand::read(params, &format!("list of {kind}"))?;
        let limit = usize::try_from(limit).unwrap_or_default();
        Ok(Self { limit, after, before, created, expand, kind: kind.to_owned() })
    }

    pub(crate) fn expand(&self) -> &[String] {
        &self.expand
    }

    /// The page of `all` (newest first) that keeps what is asked for.
    ///
    /// `ending_before` gives the objects immediately newer than the cursor, newest first as always; `has_more` then
    /// says whether there are still newer ones.
    pub(crate) fn of(&self, url: &str, all: &[&Value], keep: impl Fn(&Value) -> bool) -> Result<Value, Problem> {
        let place = |id: &str, param: &str| {
            let at = all.iter().position(|object| text(object, "id") == id);
            at.ok_or_else(|| Problem::missing_place(&self.kind, id, param))
        };
        let (from, to) = match (&self.after, &self.before) {
            (Some(after), _) => (place(after, "starting_after")? + 1, all.len()),
            (None, Some(before)) => (0, place(before, "ending_before")?),
            (None, None) => (0, all.len()),
        };
        let kept = all[from..to].iter().filter(|object| self.in_time(object) && keep(object));
        let mut kept: Vec<&Value> = kept.copied().collect();
        let has_more = kept.len() > self.limit;
        if self.before.is_some() {
            kept.drain(..kept.len().saturating_sub(self.limit));
        } else {
            kept.truncate(self.limit);
        }
        Ok(json!({"object": "list", "url": url, "has_more": has_more, "data": kept}))
    }

    fn in_time(&self, object: &Value) -> bool {
        let at = number(object, "created");
        self.created.iter().all(|(how, bound)| match *how {
            "gt" => at > *bound,
            "gte" => at >= *bound,
            "lt" => at < *bound,
            "lte" => at <= *bound,
            _ => at == *bound,
        })
    }
}

fn created(params: &mut Params) -> Result<Vec<(&'static str, i64)>, Problem> {
    // Either a moment, or bounds.
    if params.is_text("created") {
        return Ok(params.integer("created", 0)?.map(|at| ("is", at)).into_iter().collect());
    }
    let mut bounds = Vec::new();
    if let Some(mut inside) = params.inside("created")? {
        for how in ["gt", "gte", "lt", "lte"] {
            bounds.extend(inside.integer(how, 0)?.map(|bound| (how, bound)));
        }
        inside.done()?;
    }
    Ok(bounds)
}
