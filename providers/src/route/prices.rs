//! What providers charge: one dated data file, own prices over it. Integers only.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::think::ThinkUsage;

/// Picodollars (10⁻¹² US dollars) in a dollar.
pub const PICODOLLARS_A_DOLLAR: u64 = 1_000_000_000_000;
/// Characters of English that make a token, about; used where a reply was cut off before the
/// provider told its usage. <https://help.openai.com/en/articles/4936856>
const CHARS_A_TOKEN: u64 = 4;
const MILLION: u128 = 1_000_000;
const HOUR_MS: u128 = 3_600_000;
/// A typical reply: tokens read and written; what prices are compared by.
const TYPICAL_REPLY: ThinkUsage = ThinkUsage {
    input_tokens: 800,
    cached_input_tokens: 0,
    output_tokens: 60,
};
/// A typical sentence, characters, and how long it sounds.
const TYPICAL_SENTENCE_CHARS: u64 = 80;
const TYPICAL_SENTENCE_MS: u64 = 5_000;

/// The embedded list.
const EMBEDDED: &str = include_str!("prices.toml");

/// What one model charges, picodollars; 0 for what it does not charge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// For a million tokens read.
    pub input_million_tokens: u64,
    /// For a million tokens read from the provider's cache.
    pub cached_million_tokens: u64,
    /// For a million tokens written.
    pub output_million_tokens: u64,
    /// For a million characters spoken.
    pub million_characters: u64,
    /// For an hour of audio heard.
    pub hour_heard: u64,
    /// For an hour of audio spoken.
    pub hour_spoken: u64,
    /// Where the provider works: `us`, `eu`, `local`; empty where unknown.
    pub region: String,
}

impl Price {
    /// What runs here costs nothing by the piece.
    pub fn local() -> Self {
        Self {
            region: "local".to_owned(),
            ..Self::default()
        }
    }

    /// The cost of a reply, picodollars.
    pub fn of_reply(&self, usage: ThinkUsage) -> u64 {
        let cached = usage.cached_input_tokens.min(usage.input_tokens);
        let cached_price = match self.cached_million_tokens {
            0 => self.input_million_tokens,
            price => price,
        };
        part(
            usage.input_tokens - cached,
            self.input_million_tokens,
            MILLION,
        )
        .saturating_add(part(cached, cached_price, MILLION))
        .saturating_add(part(
            usage.output_tokens,
            self.output_million_tokens,
            MILLION,
        ))
    }

    /// The cost of speaking `chars` characters that sounded for `audio_ms`, picodollars.
    pub fn of_speech(&self, chars: u64, audio_ms: u64) -> u64 {
        part(chars, self.million_characters, MILLION).saturating_add(part(
            audio_ms,
            self.hour_spoken,
            HOUR_MS,
        ))
    }

    /// The cost of hearing `audio_ms`, picodollars.
    pub fn of_hearing(&self, audio_ms: u64) -> u64 {
        part(audio_ms, self.hour_heard, HOUR_MS)
    }

    /// The cost of a typical reply, picodollars.
    pub fn typical_reply(&self) -> u64 {
        self.of_reply(TYPICAL_REPLY)
    }

    /// The cost of a typical sentence spoken, picodollars.
    pub fn typical_sentence(&self) -> u64 {
        self.of_speech(TYPICAL_SENTENCE_CHARS, TYPICAL_SENTENCE_MS)
    }

    /// The cost of a typical sentence heard, picodollars.
    pub fn typical_utterance(&self) -> u64 {
        self.of_hearing(TYPICAL_SENTENCE_MS)
    }
}

/// Tokens that a text has, about.
pub fn tokens_about(chars: usize) -> u64 {
    (chars as u64).div_ceil(CHARS_A_TOKEN)
}

fn part(count: u64, price: u64, of: u128) -> u64 {
    u64::try_from(u128::from(count) * u128::from(price) / of).unwrap_or(u64::MAX)
}

/// A price list that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PricesError {
    /// The file cannot be opened.
    #[error("the price list {file} cannot be read: {source}")]
    Unreadable {
        /// Its name.
        file: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// It is not a price list.
    #[error("the price list {file}: {problem}")]
    Malformed {
        /// Its name.
        file: String,
        /// What is wrong, with the line.
        problem: String,
    },
}

/// Prices by `provider/model`.
#[derive(Clone, Debug)]
pub struct Prices {
    /// The day of the list, `YYYY-MM-DD`.
    pub as_of: String,
    by_id: BTreeMap<String, Price>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PricesFile {
    as_of: String,
    #[serde(default, rename = "source")]
    _source: String,
    #[serde(default)]
    price: Vec<PriceTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceTable {
    id: String,
    #[serde(default)]
    region: String,
    #[serde(default)]
    input_usd_per_million_tokens: Usd,
    #[serde(default)]
    cached_usd_per_million_tokens: Usd,
    #[serde(default)]
    output_usd_per_million_tokens: Usd,
    #[serde(default)]
    usd_per_million_characters: Usd,
    #[serde(default)]
    usd_per_hour: Usd,
    #[serde(default)]
    usd_per_spoken_hour: Usd,
    #[serde(default, rename = "source")]
    _source: String,
}

/// An amount as written, `"0.075"`: text, so that nothing is lost in a float.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(try_from = "String")]
struct Usd(u64);

impl TryFrom<String> for Usd {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no amount; write US dollars such as \"0.15\"");
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || fraction.len() > 12 || !digits(whole) || !digits(fraction) {
            return Err(wrong());
        }
        let whole: u64 = whole.parse().map_err(|_| wrong())?;
        let fraction: u64 = format!("{fraction:0<12}").parse().map_err(|_| wrong())?;
        whole
            .checked_mul(PICODOLLARS_A_DOLLAR)
            .and_then(|whole| whole.checked_add(fraction))
            .map(Usd)
            .ok_or_else(wrong)
    }
}

impl Prices {
    /// The embedded list.
    pub fn embedded() -> Self {
        // Held by a test.
        Self::parse("prices.toml", EMBEDDED).unwrap_or_else(|_| Self {
            as_of: String::new(),
            by_id: BTreeMap::new(),
        })
    }

    /// The embedded list with the file's own prices over it.
    ///
    /// # Errors
    /// [`PricesError`], with file and line.
    pub fn with_file(file: &Path) -> Result<Self, PricesError> {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|source| PricesError::Unreadable {
            file: name.clone(),
            source,
        })?;
        let own = Self::parse(&name, &text)?;
        let mut prices = Self::embedded();
        prices.as_of = own.as_of;
        prices.by_id.extend(own.by_id);
        Ok(prices)
    }

    fn parse(file: &str, text: &str) -> Result<Self, PricesError> {
        let malformed = |problem: String| PricesError::Malformed {
            file: file.to_owned(),
            problem,
        };
        let read: PricesFile =
            toml::from_str(text).map_err(|error| malformed(error.to_string()))?;
        let mut by_id = BTreeMap::new();
        for table in read.price {
            let price = Price {
                input_million_tokens: table.input_usd_per_million_tokens.0,
                cached_million_tokens: table.cached_usd_per_million_tokens.0,
                output_million_tokens: table.output_usd_per_million_tokens.0,
                million_characters: table.usd_per_million_characters.0,
                hour_heard: table.usd_per_hour.0,
                hour_spoken: table.usd_per_spoken_hour.0,
                region: table.region,
            };
            if by_id.insert(table.id.clone(), price).is_some() {
                return Err(malformed(format!("`{}` stands there twice", table.id)));
            }
        }
        Ok(Self {
            as_of: read.as_of,
            by_id,
        })
    }

    /// The price of `provider/model`; a dated model (`gpt-4o-mini-2024-07-18`) has that of its
    /// family.
    pub fn of(&self, id: &str) -> Option<&Price> {
        self.by_id.get(id).or_else(|| {
            let family = id.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
            let dated = id.len() >= family.len() + "-20240718".len();
            dated.then(|| self.by_id.get(family)).flatten()
        })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.by_id.len()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_embedded_list_is_whole() {
        let prices = Prices::parse("prices.toml", EMBEDDED).unwrap();
        assert!(prices.count() >= 40 && prices.as_of.len() == 10);
        for (id, price) in &prices.by_id {
            assert!(id.contains('/') && !price.region.is_empty(), "{id}");
            let any = [
                price.input_million_tokens,
                price.million_characters,
                price.hour_heard,
                price.hour_spoken,
            ];
            assert!(any.iter().any(|&price| price > 0), "{id} costs nothing");
        }
    }

    #[test]
    fn costs_are_exact() {
        let prices = Prices::embedded();
        let mini = prices.of("openai/gpt-4o-mini").unwrap();
        let usage = ThinkUsage {
            input_tokens: 1_000,
            cached_input_tokens: 400,
            output_tokens: 50,
        };
        // 600 × 0.15 $/M + 400 × 0.075 $/M + 50 × 0.6 $/M = 150 millionths of a dollar.
        assert_eq!(mini.of_reply(usage), 150 * PICODOLLARS_A_DOLLAR / 1_000_000);
        let nova = prices.of("deepgram/nova-3").unwrap();
        assert_eq!(nova.of_hearing(3_600_000), nova.hour_heard);
        let aura = prices.of("deepgram/aura-2").unwrap();
        assert_eq!(aura.of_speech(100, 5_000), 3_000_000_000, "100 × 30 $/M");
        assert_eq!(Price::local().typical_reply(), 0);
    }

    #[test]
    fn a_dated_model_has_the_price_of_its_family() {
        let prices = Prices::embedded();
        let family = prices.of("openai/gpt-4o-mini");
        assert!(family.is_some());
        assert_eq!(prices.of("openai/gpt-4o-mini-2024-07-18"), family);
        assert_eq!(prices.of("openai/gpt-4o-mini-20240718"), family);
        assert_eq!(prices.of("openai/gpt-4o-mini-3"), None);
        assert_eq!(prices.of("nobody/nothing"), None);
    }

    #[test]
    fn own_prices_stand_over_the_embedded_ones() {
        let folder = std::env::temp_dir().join(format!("antiphon-prices-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("prices.toml");
        let check = |text: &str, told: &str| {
            std::fs::write(&file, text).unwrap();
            let error = Prices::with_file(&file).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        };
        check("as_of = 1", "line 1");
        check(
            "as_of = \"x\"\n[[price]]\nid = \"a/b\"\nusd_per_hour = \"-1\"",
            "is no amount",
        );
        check(
            "as_of = \"x\"\n[[price]]\nid = \"a/b\"\n[[price]]\nid = \"a/b\"",
            "twice",
        );
        let text = "as_of = \"2030-01-01\"\n[[price]]\nid = \"openai/gpt-4o-mini\"\ninput_usd_per_million_tokens = \"1\"";
        std::fs::write(&file, text).unwrap();
        let prices = Prices::with_file(&file).unwrap();
        assert_eq!(prices.as_of, "2030-01-01");
        assert_eq!(
            prices
                .of("openai/gpt-4o-mini")
                .unwrap()
                .input_million_tokens,
            PICODOLLARS_A_DOLLAR
        );
        assert!(prices.of("openai/gpt-4o").is_some());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
