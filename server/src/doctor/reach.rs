//! Are the configured providers there, and do they take the key?

use std::time::{Duration, Instant};

use antiphon_providers::hear::known::KNOWN_HEAR;
use antiphon_providers::net::{Account, AccountVars, HttpLimits, Secret, http_client, plain};
use antiphon_providers::speak::known::KNOWN_SPEAK;
use antiphon_providers::think::known::KNOWN;
use reqwest::{Client, StatusCode};

use super::Check;

/// Longest wait for one provider.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// An answer slower than this is worth a note: each turn pays it.
const SLOW_MS: u64 = 800;
/// Clocks that differ by more than this, seconds, are told.
const SKEW_S_MAX: i64 = 60;

/// One provider to ask.
#[derive(Debug)]
struct Target {
    what: String,
    url: String,
    /// The key's variable, for the advice.
    key_var: String,
    key: Option<Secret>,
    header: Header,
}

/// How a provider wants its key.
#[derive(Clone, Copy, Debug)]
enum Header {
    Bearer,
    /// In a header of that name, as it is.
    Named(&'static str),
    /// `Authorization`, behind that word.
    Scheme(&'static str),
}

/// Asks all that are set up, side by side.
pub(super) async fn all(vars: &dyn Fn(&str) -> Option<String>) -> Vec<Check> {
    let mut targets = Vec::new();
    let mut checks = Vec::new();
    // OpenAI's second way has the same key and address. What cannot be read is told by the check of
    // the providers.
    for known in KNOWN.iter().filter(|known| known.name != "openai-chat") {
        if let Ok(Some(config)) = known.config(None, vars) {
            let key_var = known.key_vars.first().copied().unwrap_or(known.url_var);
            targets.push(Target {
                what: format!("think {}", known.name),
                url: format!("{}{}", config.base_url, think_path(known.name)),
                key_var: key_var.to_owned(),
                key: config.api_key.clone(),
                header: think_header(known.name),
            });
        }
    }
    let hears = KNOWN_HEAR
        .iter()
        .map(|known| ("hear", known.name, &known.vars));
    let speaks = KNOWN_SPEAK
        .iter()
        .map(|known| ("speak", known.name, &known.vars));
    for (stage, name, account_vars) in hears.chain(speaks) {
        targets.extend(voice_target(stage, name, account_vars, vars));
    }
    let client = match http_client(&HttpLimits::default()) {
        Ok(client) => client,
        Err(fault) => {
            let advice = "install ca-certificates";
            checks.push(Check::fault("HTTPS", fault.to_string(), advice));
            return checks;
        }
    };
    let mut asked = tokio::task::JoinSet::new();
    for (nth, target) in targets.into_iter().enumerate() {
        let client = client.clone();
        asked.spawn(async move { (nth, ask(&client, &target).await) });
    }
    let mut answered = asked.join_all().await;
    answered.sort_by_key(|(nth, _)| *nth);
    checks.extend(answered.into_iter().map(|(_, check)| check));
    if checks.is_empty() {
        let advice = "calls use the embedded ones; docs/providers.md says how to set up others";
        checks.push(Check::note("remote providers", "none is set up", advice));
    }
    checks
}

fn voice_target(
    stage: &str,
    name: &str,
    account_vars: &AccountVars,
    vars: &dyn Fn(&str) -> Option<String>,
) -> Option<Target> {
    let account = Account::from_vars(account_vars, None, vars)
        .ok()
        .flatten()?;
    let base = account.base_url.replacen(
        "ws",
        "http",
        usize::from(account.base_url.starts_with("ws")),
    );
    let (path, header) = match name {
        "deepgram" => ("/v1/projects", Header::Scheme("Token")),
        "elevenlabs" => ("/v1/models", Header::Named("xi-api-key")),
        "cartesia" => ("/voices", Header::Named("x-api-key")),
        "openai" => ("/models", Header::Bearer),
        _ => ("/", Header::Named("authorization")),
    };
    Some(Target {
        what: format!("{stage} {name}"),
        url: format!("{base}{path}"),
        key_var: account_vars.key.to_owned(),
        key: Some(account.api_key),
        header,
    })
}

fn think_path(name: &str) -> &'static str {
    match name {
        "anthropic" => "/v1/models",
        "gemini" => "/v1beta/models",
        _ => "/models",
    }
}

fn think_header(name: &str) -> Header {
    match name {
        "anthropic" => Header::Named("x-api-key"),
        "gemini" => Header::Named("x-goog-api-key"),
        _ => Header::Bearer,
    }
}

async fn ask(client: &Client, target: &Target) -> Check {
    let mut request = client.get(&target.url).timeout(WAIT_MAX);
    if let Some(key) = &target.key {
        request = match target.header {
            Header::Bearer => request.bearer_auth(key.expose()),
            Header::Named(name) => request.header(name, key.expose()),
            Header::Scheme(scheme) => {
                request.header("authorization", format!("{scheme} {}", key.expose()))
            }
        };
    }
    // Some refuse requests without a version.
    request = request
        .header("anthropic-version", "2023-06-01")
        .header("cartesia-version", "2025-04-16");
    let began = Instant::now();
    let answer = request.send().await;
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut check = match answer {
        Err(fault) => Check::fault(
            &target.what,
            format!("cannot be reached: {}", plain(&fault)),
            "check the network, the address and the proxy",
        ),
        Ok(answer) => judge(target, answer.status(), skew_s(&answer), took_ms),
    };
    check.took_ms = Some(took_ms);
    check
}

fn judge(target: &Target, status: StatusCode, skew_s: Option<i64>, took_ms: u64) -> Check {
    let what = &target.what;
    let code = status.as_u16();
    match code {
        401 | 403 => {
            let advice = format!("check {}", target.key_var);
            return Check::fault(what, format!("does not take the key ({code})"), advice);
        }
        429 => {
            let advice = "too many requests, or no credit left: see the provider's console";
            return Check::fault(what, format!("answers {code}"), advice);
        }
        500.. => return Check::fault(what, format!("is in trouble ({code})"), "try again later"),
        _ => {}
    }
    if let Some(skew) = skew_s.filter(|skew| skew.abs() > SKEW_S_MAX) {
        let found = format!("its clock and ours differ by {skew} s");
        return Check::note(what, found, "set this machine's clock (NTP)");
    }
    if took_ms > SLOW_MS {
        let advice = "each turn waits for that; a nearer region is better";
        return Check::note(what, format!("answers slowly ({code})"), advice);
    }
    Check::ok(what, format!("answers ({code})"))
}

/// By how much the provider's clock is ahead of ours, seconds.
fn skew_s(answer: &reqwest::Response) -> Option<i64> {
    let date = answer.headers().get("date")?.to_str().ok()?;
    let theirs = time::OffsetDateTime::parse(date, &time::format_description::well_known::Rfc2822);
    let theirs = theirs.ok()?.unix_timestamp();
    Some(theirs - time::OffsetDateTime::now_utc().unix_timestamp())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::Verdict;
    use super::*;

    fn target() -> Target {
        Target {
            what: "think x".to_owned(),
            url: String::new(),
            key_var: "X_API_KEY".to_owned(),
            key: None,
            header: Header::Bearer,
        }
    }

    #[test]
    fn answers_are_judged() {
        let check = |code: u16, skew, took_ms, verdict, told: &str| {
            let status = StatusCode::from_u16(code).unwrap();
            let judged = judge(&target(), status, skew, took_ms);
            assert_eq!(judged.verdict, verdict, "{code}");
            let text = format!("{} {}", judged.found, judged.advice.unwrap_or_default());
            assert!(text.contains(told), "{text}");
        };
        check(200, Some(1), 50, Verdict::Ok, "answers");
        check(404, None, 50, Verdict::Ok, "answers (404)");
        check(401, None, 50, Verdict::Fault, "X_API_KEY");
        check(429, None, 50, Verdict::Fault, "credit");
        check(503, None, 50, Verdict::Fault, "trouble");
        check(200, Some(-3_600), 50, Verdict::Note, "clock");
        check(200, None, 2_000, Verdict::Note, "slowly");
    }

    #[tokio::test]
    async fn nobody_set_up_is_a_note_and_a_dead_one_a_fault_without_its_key() {
        let checks = all(&|_| None).await;
        assert_eq!(checks.len(), 1);
        assert_eq!(checks[0].verdict, Verdict::Note);
        let vars = |name: &str| match name {
            "DEEPGRAM_API_KEY" => Some("dg-hush".to_owned()),
            "DEEPGRAM_BASE_URL" => Some("http://127.0.0.1:1".to_owned()),
            _ => None,
        };
        let checks = all(&vars).await;
        assert_eq!(checks.len(), 2, "it hears and speaks: {checks:?}");
        for check in checks {
            assert_eq!(check.verdict, Verdict::Fault, "{check:?}");
            assert!(!format!("{check:?}").contains("hush"));
        }
    }
}
