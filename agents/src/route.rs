//! Which providers an agent may use and how to choose among them: the `[route]` table.

use serde::Deserialize;
use toml::Spanned;

use crate::error::Fault;

/// What matters when a provider is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prefer {
    /// The lowest price.
    Cheapest,
    /// The shortest wait for the first words.
    Fastest,
    /// The best answers.
    Best,
    /// All three, by the weights.
    #[default]
    Balanced,
}

/// How providers are chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// What matters.
    pub prefer: Prefer,
    /// Weights of speed, cost and quality where `prefer` is balanced; they need not add up to 1.
    pub weights: Weights,
    /// What a call may cost, millionths of a US dollar; beyond four fifths of it the cheapest
    /// provider is taken. None: no limit.
    pub call_budget_microusd: Option<u64>,
    /// Providers (`openai`) or provider and model (`openai/gpt-4o-mini`) that may be used; all
    /// where empty.
    pub allow: Vec<String>,
    /// Those that may not, whatever `allow` says.
    pub deny: Vec<String>,
    /// Regions (`eu`, `us`, `local`) that data may go to; all where empty.
    pub residency: Vec<String>,
    /// Whether a second provider is asked where the first is slower than usual.
    pub hedge: bool,
}

/// Weights of a balanced choice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// Of speed.
    pub speed: f64,
    /// Of cost.
    pub cost: f64,
    /// Of quality.
    pub quality: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            speed: 0.5,
            cost: 0.2,
            quality: 0.3,
        }
    }
}

impl Default for Route {
    fn default() -> Self {
        Self {
            prefer: Prefer::default(),
            weights: Weights::default(),
            call_budget_microusd: None,
            allow: Vec::new(),
            deny: Vec::new(),
            residency: Vec::new(),
            hedge: true,
        }
    }
}

impl Route {
    /// Whether a provider may be used: `id` is `provider/model`, `region` where it works.
    pub fn permits(&self, id: &str, region: &str) -> bool {
        let names = |list: &[String]| {
            list.iter().any(|entry| {
                entry == id
                    || id
                        .strip_prefix(entry.as_str())
                        .is_some_and(|rest| rest.starts_with('/'))
            })
        };
        (self.allow.is_empty() || names(&self.allow))
            && !names(&self.deny)
            && (self.residency.is_empty()
                || region == "local"
                || self.residency.iter().any(|allowed| allowed == region))
    }
}

/// The table as written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RouteTable {
    policy: Option<Prefer>,
    weights: Option<Spanned<WeightsTable>>,
    call_budget_usd: Option<Spanned<f64>>,
    allow: Vec<String>,
    deny: Vec<String>,
    residency: Vec<String>,
    hedge: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WeightsTable {
    speed: f64,
    cost: f64,
    quality: f64,
}

impl RouteTable {
    /// The settings, with defaults for what is not written.
    pub(crate) fn read(self) -> Result<Route, Fault> {
        let or = Route::default();
        Ok(Route {
            prefer: self.policy.unwrap_or_default(),
            weights: self.weights.map_or(Ok(or.weights), weights)?,
            call_budget_microusd: self.call_budget_usd.map(budget).transpose()?,
            allow: self.allow,
            deny: self.deny,
            residency: self.residency,
            hedge: self.hedge.unwrap_or(or.hedge),
        })
    }
}

fn weights(table: Spanned<WeightsTable>) -> Result<Weights, Fault> {
    let span = table.span();
    let WeightsTable {
        speed,
        cost,
        quality,
    } = table.into_inner();
    let all = [speed, cost, quality];
    if all.iter().any(|weight| !(0.0..=1_000.0).contains(weight)) || all.iter().sum::<f64>() <= 0.0
    {
        return Err(Fault::new(
            span,
            "weights that choose nothing",
            "write numbers from 0 up, one of them greater: `weights = { speed = 0.5, cost = 0.2, quality = 0.3 }`",
        ));
    }
    Ok(Weights {
        speed,
        cost,
        quality,
    })
}

fn budget(usd: Spanned<f64>) -> Result<u64, Fault> {
    let span = usd.span();
    let value = usd.into_inner();
    if !(0.0..=1_000_000.0).contains(&value) {
        return Err(Fault::new(
            span,
            format!("a call that may cost {value} US dollars"),
            "write a number from 0 up, e.g. `call_budget_usd = 0.25`",
        ));
    }
    Ok((value * 1e6).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::Route;

    #[test]
    fn lists_and_regions_decide_who_may_be_used() {
        let check = |allow: &[&str], deny: &[&str], residency: &[&str], id, region, permitted| {
            let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect();
            let route = Route {
                allow: owned(allow),
                deny: owned(deny),
                residency: owned(residency),
                ..Route::default()
            };
            assert_eq!(
                route.permits(id, region),
                permitted,
                "{route:?} {id} {region}"
            );
        };
        check(&[], &[], &[], "openai/gpt-4o-mini", "us", true);
        check(&["openai"], &[], &[], "openai/gpt-4o-mini", "us", true);
        check(
            &["openai/gpt-4o-mini"],
            &[],
            &[],
            "openai/gpt-4o-mini",
            "us",
            true,
        );
        check(&["open"], &[], &[], "openai/gpt-4o-mini", "us", false);
        check(&["anthropic"], &[], &[], "openai/gpt-4o-mini", "us", false);
        check(
            &["openai"],
            &["openai/gpt-4o"],
            &[],
            "openai/gpt-4o",
            "us",
            false,
        );
        check(
            &["openai"],
            &["openai/gpt-4o"],
            &[],
            "openai/gpt-4o-mini",
            "us",
            true,
        );
        check(&[], &[], &["eu"], "openai/gpt-4o-mini", "us", false);
        check(&[], &[], &["eu"], "mistral/small", "eu", true);
        check(&[], &[], &["eu"], "offline/", "local", true);
    }
}
