//! Addresses, names and paths of the net and of files.

use super::context::{Context, Phrase};
use super::number::{cardinal, digits, is_digits};
use super::word;

/// Segments of a path that are read; what follows is left out.
const PATH_SEGMENTS_MAX: usize = 3;
/// Characters of one segment that are read; longer ones are keys for machines.
const SEGMENT_CHARS_MAX: usize = 32;

/// A tag that begins with a digit has this many letters; with fewer it is a number.
const HASHTAG_LETTERS_MIN: usize = 3;

/// Last labels by which a host is known where no scheme stands before it.
const DOMAINS: &[&str] = &[
    "com", "org", "net", "edu", "gov", "io", "dev", "ai", "app", "co", "uk", "de", "fr", "eu",
    "us", "ca", "au", "info", "me", "tv", "ch", "nl", "se", "no", "es", "it", "jp", "in", "int",
    "mil", "xyz", "cloud", "tech",
];

/// Endings by which a file is known.
const ENDINGS: &[&str] = &[
    "rs", "py", "js", "ts", "tsx", "jsx", "html", "css", "json", "toml", "yaml", "yml", "md",
    "txt", "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "csv", "tsv", "png", "jpg", "jpeg",
    "gif", "svg", "webp", "mp3", "mp4", "wav", "flac", "ogg", "zip", "tar", "gz", "tgz", "xz",
    "exe", "dll", "so", "sh", "bat", "c", "h", "cpp", "hpp", "java", "go", "rb", "php", "sql",
    "xml", "log", "lock", "cfg", "conf", "ini", "env", "apk", "dmg", "iso", "bin", "mov", "avi",
    "mkv", "epub", "ipynb", "vue", "wasm",
];

/// An address, a handle, a hashtag, a path or the name of a file.
pub(super) fn address(context: &Context<'_>) -> Option<Phrase> {
    let core = context.core();
    let said = link(core)
        .or_else(|| mail(core))
        .or_else(|| handle(core))
        .or_else(|| hashtag(core))
        .or_else(|| path(core))
        .or_else(|| host(core))
        .or_else(|| file(core))?;
    Some(Phrase::one(said))
}

fn link(core: &str) -> Option<String> {
    let rest = match core.split_once("://") {
        Some((scheme, rest))
            if !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric()) =>
        {
            rest
        }
        Some(_) | None => core.strip_prefix("www.").map(|_| core)?,
    };
    Some(located(rest.strip_prefix("www.").unwrap_or(rest)))
}

/// `example.com/path`: the host and the beginning of its path; queries and fragments are left out.
fn located(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or(text);
    let (host, path) = text.split_once('/').unwrap_or((text, ""));
    let (host, port) = match host.split_once(':') {
        Some((host, port)) if is_digits(port) => (host, format!(" port {}", digits(port))),
        Some(_) | None => (host, String::new()),
    };
    let mut said = named(host) + &port;
    for segment in path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .take(PATH_SEGMENTS_MAX)
    {
        said.push_str(" slash ");
        said.push_str(&named(segment));
    }
    said
}

/// A host without scheme: known by its last label.
fn host(core: &str) -> Option<String> {
    let host = core.split(['/', ':', '?']).next()?;
    let (name, domain) = host.rsplit_once('.')?;
    let labels = name.split('.').all(|label| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    });
    let lettered = name.bytes().any(|b| b.is_ascii_lowercase());
    (labels && lettered && DOMAINS.contains(&domain)).then(|| located(core))
}

fn mail(core: &str) -> Option<String> {
    let core = core.strip_prefix("mailto:").unwrap_or(core);
    let (name, host) = core.split_once('@')?;
    let plain = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'+'))
    };
    let fits = !name.is_empty() && host.contains('.') && plain(name) && plain(host);
    fits.then(|| format!("{} at {}", named(name), named(host)))
}

fn handle(core: &str) -> Option<String> {
    let name = core.strip_prefix('@')?;
    let fits = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    fits.then(|| format!("at {}", named(name)))
}

fn hashtag(core: &str) -> Option<String> {
    let tag = core.strip_prefix('#')?;
    let letters = tag.chars().filter(|c| c.is_alphabetic()).count();
    if !tag.starts_with(char::is_alphabetic) && letters < HASHTAG_LETTERS_MIN {
        return None;
    }
    let mut said = String::from("hashtag ");
    let mut run = String::new();
    let mut last = ' ';
    for c in tag.chars() {
        let turns =
            c.is_uppercase() && last.is_lowercase() || c.is_ascii_digit() != last.is_ascii_digit();
        if (turns || c == '_') && !run.is_empty() {
            said.push_str(&part_of_tag(&run));
            said.push(' ');
            run.clear();
        }
        if c != '_' {
            run.push(c);
        }
        last = c;
    }
    said.push_str(&part_of_tag(&run));
    Some(said)
}

fn part_of_tag(run: &str) -> String {
    match run.parse() {
        Ok(value) if run.len() <= 3 && !run.starts_with('0') => cardinal(value),
        Ok(_) | Err(_) => named(run),
    }
}

/// `/etc/hosts`, `~/notes`, `./run.sh`, `C:\Users`.
fn path(core: &str) -> Option<String> {
    let drive = core
        .as_bytes()
        .get(..3)
        .is_some_and(|start| start[0].is_ascii_alphabetic() && &start[1..] == b":\\");
    let rooted = ["/", "./", "../", "~/"]
        .iter()
        .any(|root| core.len() > root.len() && core.starts_with(root));
    if !drive && !rooted {
        return None;
    }
    let mut said = String::new();
    let (start, rest) = match core.chars().next() {
        Some('~') => ("home", &core[1..]),
        Some('.') => ("", core.trim_start_matches('.')),
        Some(_) if drive => (&core[..1], &core[2..]),
        Some(_) | None => ("", core),
    };
    said.push_str(start);
    let parts = rest.split(['/', '\\']).filter(|part| !part.is_empty());
    for part in parts.take(2 * PATH_SEGMENTS_MAX) {
        said.push_str(if drive { " backslash " } else { " slash " });
        said.push_str(&named(part));
    }
    Some(said.trim().to_owned())
}

fn file(core: &str) -> Option<String> {
    let (name, ending) = core.rsplit_once('.')?;
    let fits = name.is_empty()
        || name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '\\'));
    let known = ENDINGS.contains(&ending.to_ascii_lowercase().as_str());
    (fits && known && !name.ends_with('.')).then(|| named(core))
}

/// A name with its marks said: `jane dot doe`.
fn named(text: &str) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut rest: &str = text
        .char_indices()
        .nth(SEGMENT_CHARS_MAX)
        .map_or(text, |(at, _)| &text[..at]);
    while let Some(first) = rest.chars().next() {
        let mark = match first {
            '.' => "dot",
            '-' => "dash",
            '_' => "underscore",
            '/' => "slash",
            '\\' => "backslash",
            '+' => "plus",
            '@' => "at",
            '~' => "tilde",
            ':' => "colon",
            _ => "",
        };
        if !mark.is_empty() || !first.is_alphanumeric() {
            said.push(mark.to_owned());
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let number = first.is_ascii_digit();
        let end = rest
            .find(|c: char| !c.is_alphanumeric() || c.is_ascii_digit() != number)
            .unwrap_or(rest.len());
        let (run, tail) = rest.split_at(end);
        let after_dot = said.last().is_some_and(|last| last == "dot");
        said.push(match run.parse::<u64>() {
            Ok(value) if number && run.len() <= 2 && !run.starts_with('0') => cardinal(value),
            _ if number => digits(run),
            _ if after_dot => ending(run),
            _ => word::piece(run, false, false),
        });
        rest = tail;
    }
    said.retain(|word| !word.is_empty());
    said.join(" ")
}

/// The last label of a host or the ending of a file's name.
fn ending(run: &str) -> String {
    match run.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" => "jay peg".into(),
        "json" => "jason".into(),
        "txt" => "text".into(),
        "yml" => "yaml".into(),
        "mp" => "M P".into(),
        "rs" | "py" | "js" | "ts" | "md" | "pdf" | "css" | "html" | "csv" | "png" | "svg"
        | "sh" | "gz" | "xz" | "xml" | "sql" | "exe" | "dll" | "cpp" | "hpp" | "php" | "rb"
        | "io" | "ai" | "uk" | "de" | "fr" | "eu" | "us" | "tv" | "au" | "ca" | "ch" | "nl"
        | "jp" | "c" | "h" | "tsx" | "jsx" | "tgz" | "so" | "xls" | "ppt" | "tsv" => {
            word::spelled(run)
        }
        _ => word::piece(run, false, false),
    }
}
